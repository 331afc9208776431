"""People: created, changed and deactivated by an admin, or by the operator on the command line.

`python -m app.users add --email E --name N --role csm|admin|analyst [--owner-email E] --password-env VAR`
`python -m app.users deactivate --email E` / `python -m app.users list`
A password is read from an environment variable, never from the command line, where `ps` would show it.
"""

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from app import passwords
from app.auth import Identity, Permission, Role, end_sessions, normalised_email, require
from app.clock import real_now
from app.db import unit_of_work
from app.errors import AppError, InvalidInput, NotFound
from app.inputs import member, required_text
from app.tables import users

DEFAULT_CAPACITY_MINUTES = 20 * 60
_ADMIN_LOCK = 7_461_002


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person as administration sees them; never the password hash.

    `time_zone` is an IANA name, `holiday_region` a country with an optional part ("GB-ENG"), `digest` never, daily or
    weekly; `has_notice_mail` says whether notices are also sent at once by e-mail.
    """

    user_id: UUID
    email: str
    display_name: str
    role: Role
    owner_email: str | None
    is_active: bool
    weekly_capacity_minutes: int
    created_at: datetime
    version: int
    time_zone: str
    holiday_region: str
    digest: str
    has_notice_mail: bool


_COLUMNS = [column for column in users.c if column.name != "password_hash"]


def _user(row: Row) -> User:
    values = dict(row._mapping)
    return User(**{**values, "role": Role(values["role"])})


def _valid_email(field: str, email: str) -> str:
    name = normalised_email(required_text(field, email, limit=320))
    local, at, domain = name.partition("@")
    if not (local and at and "." in domain) or any(character.isspace() for character in name):
        raise InvalidInput(field, "This is not an e-mail address.", value=email)
    return name


def create_user(
    db: Connection,
    *,
    now: datetime,
    email: str,
    display_name: str,
    role: str,
    password: str,
    owner_email: str | None = None,
    weekly_capacity_minutes: int = DEFAULT_CAPACITY_MINUTES,
    actor: Identity | None = None,
) -> User:
    """A new person who may sign in. `actor` None is the operator on the command line; anybody else needs MANAGE_USERS.

    Raises InvalidInput for a taken e-mail, a taken CRM owner, an unknown role or a weak password.
    """
    if actor is not None:
        require(actor, Permission.MANAGE_USERS)
    name = _valid_email("email", email)
    shown = required_text("display_name", display_name, limit=120)
    passwords.check_acceptable(password, email=name, display_name=shown)
    values = {
        "user_id": uuid4(),
        "email": name,
        "display_name": shown.strip(),
        "role": member("role", role, Role).value,
        "password_hash": passwords.hash_password(password),
        "owner_email": _valid_email("owner_email", owner_email) if owner_email else None,
        "is_active": True,
        "weekly_capacity_minutes": weekly_capacity_minutes,
        "created_at": now,
        "version": 1,
    }
    try:
        with db.begin_nested():
            return _user(db.execute(insert(users).values(values).returning(*_COLUMNS)).one())
    except IntegrityError as error:
        taken = "owner_email" if "users_owner_email" in str(error.orig) else "email"
        raise InvalidInput(taken, "Somebody already has this address.", value=email) from None


def list_users(db: Connection, *, with_inactive: bool = True) -> list[User]:
    """Everybody, by name."""
    query = select(*_COLUMNS).order_by(users.c.display_name, users.c.email)
    if not with_inactive:
        query = query.where(users.c.is_active)
    return [_user(row) for row in db.execute(query)]


def find_by_email(db: Connection, email: str) -> User | None:
    """The person with this e-mail address, deactivated or not."""
    row = db.execute(select(*_COLUMNS).where(users.c.email == normalised_email(email))).one_or_none()
    return _user(row) if row else None


def _locked(db: Connection, user_id: UUID) -> User:
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ADMIN_LOCK})
    row = db.execute(select(*_COLUMNS).where(users.c.user_id == user_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("user", user_id)
    return _user(row)


def _keep_one_admin(db: Connection, user: User) -> None:
    others = select(func.count()).where(users.c.role == Role.ADMIN, users.c.is_active, users.c.user_id != user.user_id)
    if user.role is Role.ADMIN and user.is_active and not db.execute(others).scalar_one():
        raise InvalidInput("role", "This is the last admin.", hint="Make somebody else an admin first.")


def _set(db: Connection, user: User, **changes: object) -> User:
    changed = update(users).where(users.c.user_id == user.user_id)
    return _user(db.execute(changed.values(version=user.version + 1, **changes).returning(*_COLUMNS)).one())


def deactivate(db: Connection, *, actor: Identity | None, now: datetime, user_id: UUID) -> User:
    """Nobody signs in as this person any more, and their sessions end at once. Their open actions stay theirs until an
    admin moves them. Raises NotFound, or InvalidInput for the last admin."""
    if actor is not None:
        require(actor, Permission.MANAGE_USERS)
    user = _locked(db, user_id)
    _keep_one_admin(db, user)
    end_sessions(db, user_id=user_id, now=now)
    return _set(db, user, is_active=False)


def reactivate(db: Connection, *, actor: Identity | None, user_id: UUID) -> User:
    """Let a deactivated person sign in again, with the password they had. Raises NotFound."""
    if actor is not None:
        require(actor, Permission.MANAGE_USERS)
    return _set(db, _locked(db, user_id), is_active=True)


def change_role(db: Connection, *, actor: Identity, user_id: UUID, role: str) -> User:
    """Another role, effective at the person's next interaction. Raises NotFound, InvalidInput for the last admin."""
    require(actor, Permission.MANAGE_USERS)
    chosen = member("role", role, Role)
    user = _locked(db, user_id)
    if chosen is not Role.ADMIN:
        _keep_one_admin(db, user)
    return _set(db, user, role=chosen.value)


def set_capacity(db: Connection, *, actor: Identity, user_id: UUID, weekly_capacity_minutes: int) -> User:
    """Minutes a week a person has for actions, 0 to 10,080. Raises NotFound, InvalidInput."""
    require(actor, Permission.MANAGE_USERS)
    if not 0 <= weekly_capacity_minutes <= 7 * 24 * 60:
        raise InvalidInput("weekly_capacity_minutes", "A week has 10,080 minutes.", value=weekly_capacity_minutes)
    return _set(db, _locked(db, user_id), weekly_capacity_minutes=weekly_capacity_minutes)


def change_password(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    current_password: str,
    new_password: str,
    token: str | None = None,
) -> None:
    """The person's own new password; every other session of theirs ends. Raises InvalidInput."""
    row = db.execute(select(users.c.password_hash).where(users.c.user_id == actor.user_id).with_for_update()).one()
    if not passwords.verify(row.password_hash, current_password):
        raise InvalidInput("current_password", "The current password is wrong.")
    passwords.check_acceptable(new_password, email=actor.email, display_name=actor.display_name)
    db.execute(
        update(users)
        .where(users.c.user_id == actor.user_id)
        .values(password_hash=passwords.hash_password(new_password), version=users.c.version + 1)
    )
    end_sessions(db, user_id=actor.user_id, now=now, except_token=token)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.users", description="People who may sign in.")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="create a person; one that exists is left as it is")
    add.add_argument("--email", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    add.add_argument("--owner-email", help="their address as an account owner in the CRM")
    many = commands.add_parser("import", help="create everybody in a CSV file: email, name, role, owner_email")
    many.add_argument("file", type=Path)
    for command in (add, many):
        command.add_argument(
            "--password-env", required=True, metavar="VAR", help="environment variable with the password"
        )
        command.add_argument("--capacity-minutes", type=int, default=DEFAULT_CAPACITY_MINUTES)
    commands.add_parser("deactivate", help="end a person's access at once").add_argument("--email", required=True)
    commands.add_parser("list", help="everybody")
    return parser.parse_args(argv)


def _run(db: Connection, wanted: argparse.Namespace) -> str:
    now = real_now()
    if wanted.command == "list":
        return "\n".join(
            f"{user.email}\t{user.display_name}\t{user.role}\t{'active' if user.is_active else 'inactive'}"
            for user in list_users(db)
        )
    if wanted.command == "deactivate":
        known = find_by_email(db, wanted.email)
        if known is None:
            raise NotFound("user", wanted.email)
        deactivate(db, actor=None, now=now, user_id=known.user_id)
        return f"{known.email} is deactivated."
    if wanted.command == "add":
        people = [(wanted.email, wanted.name, wanted.role, wanted.owner_email)]
    else:
        with wanted.file.open(newline="", encoding="utf-8") as rows:
            people = [(row["email"], row["name"], row["role"], row["owner_email"]) for row in csv.DictReader(rows)]
    password = os.environ.get(wanted.password_env)
    if not password:
        raise InvalidInput("password", f"The environment variable {wanted.password_env} is not set.")
    return "\n".join(_add(db, now, *person, password, wanted.capacity_minutes) for person in people)


def _add(
    db: Connection,
    now: datetime,
    email: str,
    name: str,
    role: str,
    owner_email: str | None,
    password: str,
    minutes: int,
) -> str:
    known = find_by_email(db, email)
    if known is not None:
        return f"{known.email} exists already and was left as it is."
    made = create_user(
        db,
        now=now,
        email=email,
        display_name=name,
        role=role,
        password=password,
        owner_email=owner_email,
        weekly_capacity_minutes=minutes,
    )
    return f"{made.email} is created as {made.role}."


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    try:
        with unit_of_work() as db:
            print(_run(db, _arguments(argv)))
    except AppError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
