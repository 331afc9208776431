"""People: created, changed and deactivated by an admin, or by the operator on the command line; every change is told in
the audit trail. What concerns only themselves (zone, holidays, digest, mail) people set on their own.

`python -m app.users add --email E --name N --role csm|admin|analyst [--owner-email E] --password-env VAR`
`python -m app.users first-admin --email E --name N --password-env VAR`: once, on a new installation
`python -m app.users deactivate --email E` / `python -m app.users list`
`python -m app.users take-second-factor E`: when the authenticator app is lost and no admin can take it away
A password is read from an environment variable, never from the command line, where `ps` would show it.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from app import audit, passwords, second_factor
from app.audit import Kind
from app.auth import Identity, Permission, Role, end_sessions, normalised_email, require
from app.calendar import holiday_regions, is_time_zone
from app.clock import real_now
from app.db import unit_of_work
from app.errors import AppError, InvalidInput, NotFound, StaleVersion
from app.inputs import member, required_text
from app.tables import users

DEFAULT_CAPACITY_MINUTES = 20 * 60
_ADMIN_LOCK = 7_461_002


class Digest(StrEnum):
    """How often a person wants their summary by e-mail."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person as administration sees them; never the password hash.

    `time_zone` is an IANA name, `holiday_region` a country with an optional part ("GB-ENG"), `digest` never, daily or
    weekly; `has_notice_mail` says whether notices are also sent at once by e-mail, `is_asked_pulse` whether they are
    asked how an account feels before a suggestion for it is shown.
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
    digest: Digest
    has_notice_mail: bool
    is_asked_pulse: bool


_COLUMNS = [column for column in users.c if column.name != "password_hash"]


def _user(row: Row) -> User:
    values = dict(row._mapping)
    return User(**{**values, "role": Role(values["role"]), "digest": Digest(values["digest"])})


def _valid_email(field: str, email: str) -> str:
    name = normalised_email(required_text(field, email, limit=320))
    local, at, domain = name.partition("@")
    # what cannot be seen (a joiner of width zero) would make a second person with the same name on every screen
    if not (local and at and "." in domain) or " " in name or not name.isprintable():
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
    with _addresses_are_free(email=email, owner_email=owner_email), db.begin_nested():
        made = _user(db.execute(insert(users).values(values).returning(*_COLUMNS)).one())
    audit.record_of_person(db, made.user_id, actor=actor, now=now, kind=Kind.CREATED, after=asdict(made))
    return made


def create_first_admin(db: Connection, *, now: datetime, email: str, display_name: str, password: str) -> User:
    """The first admin of an installation. Of several at once one succeeds.

    Raises InvalidInput as soon as there has ever been an admin, deactivated or not.
    """
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ADMIN_LOCK})
    if db.execute(select(users.c.user_id).where(users.c.role == Role.ADMIN.value).limit(1)).first():
        raise InvalidInput("role", "There is an admin already.", hint="Ask them for an account.")
    return create_user(db, now=now, email=email, display_name=display_name, role=Role.ADMIN, password=password)


@contextmanager
def _addresses_are_free(**addresses: str | None) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        taken = "owner_email" if "users_owner_email" in str(error.orig) else "email"
        raise InvalidInput(taken, "Somebody already has this address.", value=addresses.get(taken)) from None


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


def get_user(db: Connection, user_id: UUID) -> User:
    """One person, deactivated or not. Raises NotFound."""
    row = db.execute(select(*_COLUMNS).where(users.c.user_id == user_id)).one_or_none()
    if row is None:
        raise NotFound("user", user_id)
    return _user(row)


def _locked(db: Connection, user_id: UUID, *, expected_version: int | None = None) -> User:
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ADMIN_LOCK})
    row = db.execute(select(*_COLUMNS).where(users.c.user_id == user_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("user", user_id)
    user = _user(row)
    if expected_version is not None and user.version != expected_version:
        raise StaleVersion(user, expected_version)
    return user


def _keep_one_admin(db: Connection, user: User) -> None:
    others = select(func.count()).where(users.c.role == Role.ADMIN, users.c.is_active, users.c.user_id != user.user_id)
    if user.role is Role.ADMIN and user.is_active and not db.execute(others).scalar_one():
        raise InvalidInput("role", "This is the last admin.", hint="Make somebody else an admin first.")


def _set(db: Connection, user: User, *, actor: Identity | None, now: datetime, **changes: object) -> User:
    """Write what differs and tell it; when nothing does, the person comes back as they are."""
    differing = {name: value for name, value in changes.items() if getattr(user, name) != value}
    if not differing:
        return user
    with _addresses_are_free(owner_email=str(differing.get("owner_email"))), db.begin_nested():
        changed = update(users).where(users.c.user_id == user.user_id)
        # left to itself psycopg stores the name of an enum member
        columns = {name: value.value if isinstance(value, StrEnum) else value for name, value in differing.items()}
        after = _user(db.execute(changed.values(version=user.version + 1, **columns).returning(*_COLUMNS)).one())
    before = {name: getattr(user, name) for name in differing}
    audit.record_of_person(db, user.user_id, actor=actor, now=now, before=before, after=differing)
    return after


def deactivate(
    db: Connection, *, actor: Identity | None, now: datetime, user_id: UUID, expected_version: int | None = None
) -> User:
    """Nobody signs in as this person any more, and their sessions end at once. Their open actions stay theirs until an
    admin moves them. Raises NotFound, StaleVersion, or InvalidInput for the last admin."""
    if actor is not None:
        require(actor, Permission.MANAGE_USERS)
    user = _locked(db, user_id, expected_version=expected_version)
    _keep_one_admin(db, user)
    end_sessions(db, user_id=user_id, now=now)
    return _set(db, user, actor=actor, now=now, is_active=False)


def reactivate(
    db: Connection, *, actor: Identity | None, now: datetime, user_id: UUID, expected_version: int | None = None
) -> User:
    """Let a deactivated person sign in again, with the password they had. Raises NotFound, StaleVersion."""
    if actor is not None:
        require(actor, Permission.MANAGE_USERS)
    user = _locked(db, user_id, expected_version=expected_version)
    return _set(db, user, actor=actor, now=now, is_active=True)


def change_role(
    db: Connection, *, actor: Identity, now: datetime, user_id: UUID, role: str, expected_version: int | None = None
) -> User:
    """Another role, effective at the person's next interaction.

    Raises NotFound, StaleVersion, InvalidInput for an unknown role or the last admin.
    """
    require(actor, Permission.MANAGE_USERS)
    chosen = member("role", role, Role)
    user = _locked(db, user_id, expected_version=expected_version)
    if chosen is not Role.ADMIN:
        _keep_one_admin(db, user)
    return _set(db, user, actor=actor, now=now, role=chosen)


def set_capacity(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    user_id: UUID,
    weekly_capacity_minutes: int,
    expected_version: int | None = None,
) -> User:
    """Minutes a week a person has for actions, 0 to 10,080. Raises NotFound, StaleVersion, InvalidInput."""
    require(actor, Permission.MANAGE_USERS)
    if not 0 <= weekly_capacity_minutes <= 7 * 24 * 60:
        raise InvalidInput("weekly_capacity_minutes", "A week has 10,080 minutes.", value=weekly_capacity_minutes)
    user = _locked(db, user_id, expected_version=expected_version)
    return _set(db, user, actor=actor, now=now, weekly_capacity_minutes=weekly_capacity_minutes)


def _place(time_zone: str | None, holiday_region: str | None) -> dict[str, object]:
    if time_zone is not None and not is_time_zone(time_zone):
        raise InvalidInput("time_zone", "This time zone is not known.", value=time_zone, hint="As in Europe/London.")
    if holiday_region is not None and holiday_region not in holiday_regions():
        raise InvalidInput(
            "holiday_region",
            "The public holidays of this region are not known.",
            value=holiday_region,
            hint="A country, or a part of one: DE, GB-ENG.",
        )
    chosen = {"time_zone": time_zone, "holiday_region": holiday_region}
    return {name: value for name, value in chosen.items() if value is not None}


def set_preferences(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    time_zone: str | None = None,
    holiday_region: str | None = None,
    digest: str | None = None,
    has_notice_mail: bool | None = None,
    is_asked_pulse: bool | None = None,
) -> User:
    """The person's own settings; what is None stays as it is. Raises InvalidInput naming the field."""
    changes = _place(time_zone, holiday_region)
    if digest is not None:
        changes["digest"] = member("digest", digest, Digest)
    if has_notice_mail is not None:
        changes["has_notice_mail"] = has_notice_mail
    if is_asked_pulse is not None:
        changes["is_asked_pulse"] = is_asked_pulse
    return _set(db, _locked(db, actor.user_id), actor=actor, now=now, **changes)


def set_profile(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    user_id: UUID,
    display_name: str | None = None,
    owner_email: str | None = None,
    time_zone: str | None = None,
    holiday_region: str | None = None,
    expected_version: int | None = None,
) -> User:
    """What an admin says of a person; what is None stays as it is, and an empty `owner_email` takes it away.

    Raises NotPermitted, NotFound, StaleVersion, InvalidInput naming the field (a CRM owner that somebody else is).
    """
    require(actor, Permission.MANAGE_USERS)
    changes = _place(time_zone, holiday_region)
    if display_name is not None:
        changes["display_name"] = required_text("display_name", display_name, limit=120).strip()
    if owner_email is not None:
        changes["owner_email"] = _valid_email("owner_email", owner_email) if owner_email.strip() else None
    user = _locked(db, user_id, expected_version=expected_version)
    return _set(db, user, actor=actor, now=now, **changes)


def change_password(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    current_password: str,
    new_password: str,
    token: str | None = None,
) -> None:
    """The person's own new password; every other session of theirs ends. The trail says that, never what.

    Raises InvalidInput.
    """
    row = db.execute(select(users.c.password_hash).where(users.c.user_id == actor.user_id).with_for_update()).one()
    if not passwords.verify(row.password_hash, current_password):
        raise InvalidInput("current_password", "The current password is wrong.")
    passwords.check_acceptable(new_password, email=actor.email, display_name=actor.display_name)
    db.execute(
        update(users)
        .where(users.c.user_id == actor.user_id)
        .values(password_hash=passwords.hash_password(new_password), version=users.c.version + 1)
    )
    audit.record_of_person(db, actor.user_id, actor=actor, now=now, after={"password": "changed"})
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
    first = commands.add_parser("first-admin", help="create the first admin; refuses when there is one")
    first.add_argument("--email", required=True)
    first.add_argument("--name", required=True)
    first.add_argument("--password-env", required=True, metavar="VAR", help="environment variable with the password")
    commands.add_parser("deactivate", help="end a person's access at once").add_argument("--email", required=True)
    lost = commands.add_parser("take-second-factor", help="take somebody's lost authenticator app away")
    lost.add_argument("email")
    commands.add_parser("list", help="everybody")
    return parser.parse_args(argv)


def _password(variable: str) -> str:
    password = os.environ.get(variable)
    if not password:
        raise InvalidInput("password", f"The environment variable {variable} is not set.")
    return password


def _known(db: Connection, email: str) -> User:
    user = find_by_email(db, email)
    if user is None:
        raise NotFound("user", email)
    return user


def _run(db: Connection, wanted: argparse.Namespace) -> str:
    now = real_now()
    if wanted.command == "list":
        return "\n".join(
            f"{user.email}\t{user.display_name}\t{user.role}\t{'active' if user.is_active else 'inactive'}"
            for user in list_users(db)
        )
    if wanted.command == "take-second-factor":
        known = _known(db, wanted.email)
        second_factor.remove(db, actor=None, user_id=known.user_id, now=now)
        return f"{known.email} has no authenticator app any more, and is signed out everywhere."
    if wanted.command == "deactivate":
        known = _known(db, wanted.email)
        deactivate(db, actor=None, now=now, user_id=known.user_id)
        return f"{known.email} is deactivated."
    if wanted.command == "first-admin":
        made = create_first_admin(
            db, now=now, email=wanted.email, display_name=wanted.name, password=_password(wanted.password_env)
        )
        return f"{made.email} is created as {made.role}."
    if wanted.command == "add":
        people = [(wanted.email, wanted.name, wanted.role, wanted.owner_email)]
    else:
        with wanted.file.open(newline="", encoding="utf-8") as rows:
            people = [(row["email"], row["name"], row["role"], row["owner_email"]) for row in csv.DictReader(rows)]
    password = _password(wanted.password_env)
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
