"""Who somebody is and what they may do: one permission function for all faces, sessions that can be revoked.

The session is an opaque 256-bit id in an HttpOnly cookie; the database keeps its hash only, and it is looked up at
every request and every rerun, so that revoking, deactivating or changing a role takes effect at the next interaction.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from app import passwords, throttle
from app.errors import NotAuthenticated, NotPermitted
from app.settings import get_settings
from app.tables import handovers, sessions, users

SESSION_COOKIE = "account_intelligence_session"
SEEN_EVERY = timedelta(minutes=1)  # the session's last use is written at most this often


class Role(StrEnum):
    """What a person is here; each has exactly one."""

    CSM = "csm"
    ADMIN = "admin"
    ANALYST = "analyst"


class Permission(StrEnum):
    """Something a person may or may not do."""

    READ = "read"
    CREATE_ACTION = "create_action"
    ADD_NOTE = "add_note"
    WORK_ACTION = "work_action"
    ANSWER_SUGGESTION = "answer_suggestion"
    CLAIM_ACTION = "claim_action"
    START_PLAYBOOK = "start_playbook"
    SAVE_VIEW = "save_view"
    ASSIGN = "assign"
    MANAGE_USERS = "manage_users"
    MANAGE_RULES = "manage_rules"
    MANAGE_PLAYBOOKS = "manage_playbooks"
    CONFIGURE = "configure"
    SEE_MESSAGES = "see_messages"
    OPEN_ORCHESTRATOR = "open_orchestrator"
    EXPORT = "export"


class Scope(StrEnum):
    """How far a permission of a role reaches."""

    ALL = "all"
    OWN = "own"


_EVERYTHING: Final = dict.fromkeys(Permission, Scope.ALL)

# A permission that is missing is refused. OWN: the action is assigned to them, or the account is theirs in the CRM, or
# to somebody whose book they have.
PERMISSIONS: Final[dict[Role, dict[Permission, Scope]]] = {
    Role.ADMIN: _EVERYTHING,
    Role.CSM: {
        Permission.READ: Scope.ALL,
        Permission.CREATE_ACTION: Scope.ALL,
        Permission.ADD_NOTE: Scope.ALL,
        Permission.WORK_ACTION: Scope.OWN,
        Permission.CLAIM_ACTION: Scope.ALL,
        Permission.START_PLAYBOOK: Scope.ALL,
        Permission.SAVE_VIEW: Scope.ALL,
        Permission.ANSWER_SUGGESTION: Scope.OWN,
        Permission.EXPORT: Scope.OWN,
    },
    Role.ANALYST: {Permission.READ: Scope.ALL, Permission.SAVE_VIEW: Scope.ALL, Permission.EXPORT: Scope.ALL},
}

_REFUSALS: Final = {
    Permission.WORK_ACTION: "Only the owner of this action, who covers for them, or an admin may change it.",
    Permission.ANSWER_SUGGESTION: "Only the owner of this account or an admin may answer its suggestions.",
    Permission.ASSIGN: "Only an admin may assign work to others.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person. `owner_email` is their address as an account owner in the CRM, in lower case.

    `covered_user_ids` and `covered_owner_emails` are of the colleagues whose books they have by a running hand-over;
    who owns no accounts has no address among them.
    """

    user_id: UUID
    email: str
    display_name: str
    role: Role
    owner_email: str | None = None
    covered_user_ids: tuple[UUID, ...] = ()
    covered_owner_emails: tuple[str, ...] = ()

    @property
    def owner_emails(self) -> tuple[str, ...]:
        """Every CRM owner whose accounts are theirs to work now, their own first."""
        return ((self.owner_email,) if self.owner_email else ()) + self.covered_owner_emails


def can(
    identity: Identity,
    permission: Permission,
    *,
    account_owner_email: str | None = None,
    owner_user_id: UUID | None = None,
) -> bool:
    """Whether `identity` has `permission`; for one limited to own things, name the owner of the thing.

    The thing is their own when either owner given is them, or somebody whose book they have. With neither given an
    own-only permission is refused.
    """
    scope = PERMISSIONS[identity.role].get(permission)
    if scope is None:
        return False
    if scope is Scope.ALL or owner_user_id in (identity.user_id, *identity.covered_user_ids):
        return True
    return account_owner_email is not None and account_owner_email.lower() in identity.owner_emails


def scope_of(identity: Identity, permission: Permission) -> Scope:
    """How far a permission of this person reaches, for a query that asks for all they may have. Raises NotPermitted."""
    scope = PERMISSIONS[identity.role].get(permission)
    if scope is None:
        raise NotPermitted(f"Your role ({identity.role}) may not do this.", hint="Ask an admin if you should.")
    return scope


def require(
    identity: Identity,
    permission: Permission,
    *,
    account_owner_email: str | None = None,
    owner_user_id: UUID | None = None,
) -> None:
    """Raise NotPermitted unless `can` says yes."""
    if not can(identity, permission, account_owner_email=account_owner_email, owner_user_id=owner_user_id):
        raise NotPermitted(
            _REFUSALS.get(permission, f"Your role ({identity.role}) may not do this."),
            hint="Ask an admin if you should.",
        )


def normalised_email(email: str) -> str:
    """One spelling per person: look-alike forms, case and surrounding space are folded. Storable in any case."""
    folded = unicodedata.normalize("NFKC", email).strip().casefold()
    return folded.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")[:320]


def _storable(text: str | None, limit: int) -> str:
    return (text or "").encode("utf-8", "replace").decode().replace("\x00", "")[:limit]


def _session_hash(token: str) -> bytes:
    return blake2b(token.encode("utf-8", "replace"), digest_size=32, person=b"app.sessions").digest()


def _covered(name: str) -> ColumnElement[Sequence[Any]]:
    """This column of the colleagues whose books a person has now, as an array beside the person; those without it are
    left out."""
    giver = users.alias()
    covered = (
        select(giver.c[name])
        .join(handovers, handovers.c.from_user_id == giver.c.user_id)
        .where(
            handovers.c.to_user_id == users.c.user_id,
            handovers.c.started_at.is_not(None),
            handovers.c.ended_at.is_(None),
            giver.c[name].is_not(None),
        )
        .order_by(giver.c[name])
        .correlate(users)
    )
    return func.array(covered.scalar_subquery(), type_=ARRAY(giver.c[name].type))


def _people(*more: ColumnElement[Any]) -> Select[Any]:
    """Users with whom they cover for, in the one statement that every request begins with."""
    return select(
        users,
        _covered("user_id").label("covered_user_ids"),
        _covered("owner_email").label("covered_owner_emails"),
        *more,
    )


def _identity(row: Row[Any]) -> Identity:
    return Identity(
        user_id=row.user_id,
        email=row.email,
        display_name=row.display_name,
        role=Role(row.role),
        owner_email=row.owner_email,
        covered_user_ids=tuple(row.covered_user_ids),
        covered_owner_emails=tuple(row.covered_owner_emails),
    )


def identity_of(db: Connection, user_id: UUID) -> Identity | None:
    """An active person as they would be signed in: for jobs that look at something with their eyes."""
    row = db.execute(_people().where(users.c.user_id == user_id, users.c.is_active)).one_or_none()
    return _identity(row) if row else None


def sign_in(
    db: Connection, *, email: str, password: str, address: str, user_agent: str | None, now: datetime
) -> tuple[str, Identity]:
    """A new session token and the person, or an error that does not tell which half was wrong.

    `now` is real time. The attempt is committed before the password is looked at, so that a refusal which rolls
    back cannot erase it and parallel guesses cannot pass the limit; `db` must come from `unit_of_work()`.
    Raises NotAuthenticated, or Throttled with the time of the next attempt.
    """
    name = normalised_email(email)
    attempt = throttle.admit(db, email=name, address=_storable(address, 64), now=now)
    person = db.execute(_people().where(users.c.email == name, users.c.is_active)).one_or_none()
    db.commit()
    if not passwords.verify(person.password_hash if person else None, password) or person is None:
        raise NotAuthenticated("E-mail or password is wrong.", hint="Check both and try again.")
    throttle.succeeded(db, attempt, now=now)
    if passwords.needs_rehash(person.password_hash):
        renewed = passwords.hash_password(password)
        db.execute(update(users).where(users.c.user_id == person.user_id).values(password_hash=renewed))
    token = secrets.token_urlsafe(32)
    db.execute(
        insert(sessions).values(
            session_hash=_session_hash(token),
            user_id=person.user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(minutes=get_settings().session_absolute_minutes),
            user_agent=_storable(user_agent, 300) or None,
        )
    )
    return token, _identity(person)


def resolve(db: Connection, *, token: str | None, now: datetime) -> Identity | None:
    """The person behind a session token, or None when it is unknown, ended, expired, idle too long, or deactivated.

    `now` is real time. Writes the last use at most once a minute, so `db` must be able to write. Activity extends
    the idle limit, never the absolute one.
    """
    if not token or len(token) > 200:
        return None
    hashed = _session_hash(token)
    row = db.execute(
        _people(sessions.c.last_seen_at)
        .join(sessions, sessions.c.user_id == users.c.user_id)
        .where(
            sessions.c.session_hash == hashed,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > now,
            sessions.c.last_seen_at > now - timedelta(minutes=get_settings().session_idle_minutes),
            users.c.is_active,
        )
    ).one_or_none()
    if row is None:
        return None
    if now - row.last_seen_at > SEEN_EVERY:
        db.execute(update(sessions).where(sessions.c.session_hash == hashed).values(last_seen_at=now))
    return _identity(row)


def sign_out(db: Connection, *, token: str | None, now: datetime) -> None:
    """End the session on the server; a copy of the cookie is worth nothing afterwards. Unknown tokens are ignored."""
    if token:
        db.execute(
            update(sessions)
            .where(sessions.c.session_hash == _session_hash(token), sessions.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )


def end_sessions(db: Connection, *, user_id: UUID, now: datetime, except_token: str | None = None) -> int:
    """End every session of a person, but the one given; returns how many ended, expired ones among them.

    Expiry is not asked for: `now` may be business time, days ahead of the real time that sessions expire by, and a
    session that is still good would be passed over.
    """
    ended = update(sessions).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
    if except_token:
        ended = ended.where(sessions.c.session_hash != _session_hash(except_token))
    return db.execute(ended.values(revoked_at=now)).rowcount
