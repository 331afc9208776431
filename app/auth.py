"""Who somebody is and what they may do: one permission function for all faces, sessions that can be revoked.

The session is an opaque 256-bit id in an HttpOnly cookie; the database keeps its hash only, and it is looked up at
every request and every rerun, so that revoking, deactivating or changing a role takes effect at the next interaction.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from app import one_time_codes, passwords, throttle
from app.errors import NotAuthenticated, NotPermitted, NotRecent, SecondFactorNeeded, SecondFactorRequired
from app.settings import get_settings
from app.tables import handovers, second_factor_roles, second_factors, sessions, users

SESSION_COOKIE: Final = "account_intelligence_session"
SEEN_EVERY = timedelta(minutes=1)  # the session's last use is written at most this often


class Door(StrEnum):
    """A host name that a session opens, each by a key and a cookie of its own."""

    PRODUCT = "product"
    ORCHESTRATOR = "orchestrator"


# where the hash of a session's key for a door is; a key opens no other
KEYS: Final = {Door.PRODUCT: sessions.c.session_hash, Door.ORCHESTRATOR: sessions.c.orchestrator_hash}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One of our cookies: its name and what a browser is told about it, the same from every face."""

    name: str
    is_secure: bool
    max_age_seconds: int

    def kept(self, value: str) -> dict[str, Any]:
        """Arguments of `set_cookie` for a new value."""
        return {**self.dropped(), "value": value, "max_age": self.max_age_seconds}

    def dropped(self) -> dict[str, Any]:
        """Arguments of `delete_cookie`; a browser forgets a `__Host-` cookie only when told with the same flags."""
        return {"key": self.name, "path": "/", "httponly": True, "samesite": "lax", "secure": self.is_secure}


def _cookie(name: str, *, address: str, minutes: int) -> Cookie:
    """Behind https a cookie is Secure and named `__Host-`: then no other host can set it and it is never sent in the
    clear."""
    is_secure = address.startswith("https://")
    return Cookie(name=f"{'__Host-' if is_secure else ''}{name}", is_secure=is_secure, max_age_seconds=minutes * 60)


def session_cookie(door: Door = Door.PRODUCT) -> Cookie:
    """The session cookie of a door of this installation.

    Each door's has a name of its own, since ports of one host name, as in the demo, share their cookies.
    """
    settings = get_settings()
    name, address = {
        Door.PRODUCT: (SESSION_COOKIE, settings.front_url),
        Door.ORCHESTRATOR: ("account_intelligence_orchestrator", settings.orchestrator_site),
    }[door]
    return _cookie(name, address=address, minutes=settings.session_absolute_minutes)


def attempt_cookie() -> Cookie:
    """What a browser keeps of a sign-in by the identity provider until it comes back from there."""
    return _cookie("account_intelligence_attempt", address=get_settings().front_url, minutes=10)


def asking_cookie() -> Cookie:
    """What the orchestrator's host name leaves in a browser that it sends to ask for a ticket."""
    return _cookie("account_intelligence_asking", address=get_settings().orchestrator_site, minutes=2)


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
    RATE_ACCOUNT = "rate_account"
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
    RUN_SQL = "run_sql"
    LINK_RECORD = "link_record"
    RESOLVE_DATA_ISSUE = "resolve_data_issue"
    COMPARE_PEOPLE = "compare_people"


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
        Permission.RATE_ACCOUNT: Scope.OWN,
        Permission.EXPORT: Scope.OWN,
        Permission.COMPARE_PEOPLE: Scope.OWN,
    },
    Role.ANALYST: {
        Permission.READ: Scope.ALL,
        Permission.SAVE_VIEW: Scope.ALL,
        Permission.EXPORT: Scope.ALL,
        Permission.RUN_SQL: Scope.ALL,
        Permission.LINK_RECORD: Scope.ALL,
        Permission.RESOLVE_DATA_ISSUE: Scope.ALL,
        Permission.COMPARE_PEOPLE: Scope.ALL,
    },
}

_REFUSALS: Final = {
    Permission.WORK_ACTION: "Only the owner of this action, who covers for them, or an admin may change it.",
    Permission.ANSWER_SUGGESTION: "Only the owner of this account or an admin may answer its suggestions.",
    Permission.RATE_ACCOUNT: "Only the owner of this account or an admin may rate it.",
    Permission.ASSIGN: "Only an admin may assign work to others.",
    Permission.RESOLVE_DATA_ISSUE: "Only an analyst or an admin may resolve a data issue.",
    Permission.LINK_RECORD: "Only an analyst or an admin may decide whose a source record is.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person. `owner_email` is their address as an account owner in the CRM, in lower case.

    `covered_user_ids` and `covered_owner_emails` are of the colleagues whose books they have by a running hand-over;
    who owns no accounts has no address among them.

    `confirmed_at` is when they last proved who they are in this session; a token and a job never do. `limited_to` are
    the permissions left by a token's scopes, None for all of the role. `must_enrol`: their role needs a second factor
    and they have none yet, so that all they may do is enrol one.
    """

    user_id: UUID
    email: str
    display_name: str
    role: Role
    owner_email: str | None = None
    covered_user_ids: tuple[UUID, ...] = ()
    covered_owner_emails: tuple[str, ...] = ()
    limited_to: frozenset[Permission] | None = None
    must_enrol: bool = False
    session_id: UUID | None = field(default=None, compare=False)
    confirmed_at: datetime | None = field(default=None, compare=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do at all; some of it reaches own things only."""
        of_role = frozenset(PERMISSIONS[self.role])
        return of_role if self.limited_to is None else of_role & self.limited_to

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
    if permission not in identity.permissions:
        return False
    scope = PERMISSIONS[identity.role][permission]
    if scope is Scope.ALL or owner_user_id in (identity.user_id, *identity.covered_user_ids):
        return True
    return account_owner_email is not None and account_owner_email.lower() in identity.owner_emails


def refusal(identity: Identity, permission: Permission) -> NotPermitted:
    """Why not: the token's scopes where it is them, else what the role lacks, and what to do."""
    if identity.limited_to is not None and permission not in identity.limited_to:
        return NotPermitted("This token may not do this.", hint="Make one whose scopes allow it.")
    said = _REFUSALS.get(permission, f"Your role ({identity.role}) may not do this.")
    return NotPermitted(said, hint="Ask an admin if you should.")


def scope_of(identity: Identity, permission: Permission) -> Scope:
    """How far a permission of this person reaches, for a query that asks for all they may have. Raises NotPermitted."""
    if permission not in identity.permissions:
        raise refusal(identity, permission)
    return PERMISSIONS[identity.role][permission]


def require(
    identity: Identity,
    permission: Permission,
    *,
    account_owner_email: str | None = None,
    owner_user_id: UUID | None = None,
) -> None:
    """Raise NotPermitted unless `can` says yes."""
    if not can(identity, permission, account_owner_email=account_owner_email, owner_user_id=owner_user_id):
        raise refusal(identity, permission)


def is_recent(identity: Identity, *, now: datetime) -> bool:
    """Whether the person proved who they are within RECENT_SIGN_IN_MINUTES. `now` is real time."""
    limit = timedelta(minutes=get_settings().recent_sign_in_minutes)
    return identity.confirmed_at is not None and identity.confirmed_at > now - limit


def require_recent(identity: Identity, *, now: datetime) -> None:
    """Raise NotRecent unless `is_recent`."""
    if not is_recent(identity, now=now):
        raise NotRecent("This needs a fresh proof that it is you.", hint="Enter your password again.")


def normalised_email(email: str) -> str:
    """One spelling per person: look-alike forms, case and surrounding space are folded. Storable in any case."""
    # twice: folding case can leave a spelling that normalising would change again, and one person would have two names
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold())
    return folded.strip().encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")[:320]


def _storable(text: str | None, limit: int) -> str:
    return (text or "").encode("utf-8", "replace").decode().replace("\x00", "")[:limit]


def new_token() -> str:
    """A new session token: 256 random bits as 43 characters that a cookie may hold."""
    return secrets.token_urlsafe(32)


def session_hash(token: str) -> bytes:
    """What the database keeps of a session token."""
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


def _identity(row: Row[Any], **session: Any) -> Identity:
    return Identity(
        user_id=row.user_id,
        email=row.email,
        display_name=row.display_name,
        role=Role(row.role),
        owner_email=row.owner_email,
        covered_user_ids=tuple(row.covered_user_ids),
        covered_owner_emails=tuple(row.covered_owner_emails),
        **session,
    )


# whether the role needs a second factor and the person has none
_MUST_ENROL = (
    exists().where(second_factor_roles.c.role == users.c.role)
    & ~exists().where(second_factors.c.user_id == users.c.user_id, second_factors.c.confirmed_at.is_not(None))
).label("must_enrol")


def identity_of(db: Connection, user_id: UUID, *, limited_to: frozenset[Permission] | None = None) -> Identity | None:
    """An active person as they would be signed in: for jobs and tokens that act with their eyes."""
    row = db.execute(_people(_MUST_ENROL).where(users.c.user_id == user_id, users.c.is_active)).one_or_none()
    return _identity(row, limited_to=limited_to, must_enrol=row.must_enrol) if row else None


def _proven(
    db: Connection, *, email: str, password: str, code: str | None, address: str, now: datetime
) -> tuple[Any, int]:
    """The row of an active person who knows the password and, if enrolled, a fresh code; and the attempt's number.

    The attempt is committed before the password is looked at, so that a refusal which rolls back cannot erase it and
    parallel guesses cannot pass the limit. Raises NotAuthenticated, SecondFactorNeeded, Throttled.
    """
    name = normalised_email(email)
    attempt = throttle.admit(db, email=name, address=_storable(address, 64), now=now)
    person = db.execute(_people(_MUST_ENROL).where(users.c.email == name, users.c.is_active)).one_or_none()
    db.commit()
    if not passwords.verify(person.password_hash if person else None, password) or person is None:
        raise NotAuthenticated("E-mail or password is wrong.", hint="Check both and try again.")
    if one_time_codes.is_enrolled(db, person.user_id):
        if not code:
            # neither a failure nor a success: it told no more than that the password is right
            throttle.forget(db, attempt)
            db.commit()
            raise SecondFactorNeeded()
        if not one_time_codes.accepts(db, person.user_id, code, now=now):
            raise NotAuthenticated("This code is wrong or was used already.", hint="Wait for the next code.")
    return person, attempt


def sign_in(
    db: Connection,
    *,
    email: str,
    password: str,
    address: str,
    user_agent: str | None,
    now: datetime,
    code: str | None = None,
) -> tuple[str, Identity]:
    """A new session token and the person, or an error that does not tell which half was wrong.

    `now` is real time; `code` comes from the authenticator app of somebody who has enrolled one. `db` must come from
    `unit_of_work()`: the attempt is committed at once. Raises NotAuthenticated, SecondFactorNeeded when only the code
    is missing, or Throttled with the time of the next attempt.
    """
    person, attempt = _proven(db, email=email, password=password, code=code, address=address, now=now)
    throttle.succeeded(db, attempt, now=now)
    if passwords.needs_rehash(person.password_hash):
        renewed = passwords.hash_password(password)
        db.execute(update(users).where(users.c.user_id == person.user_id).values(password_hash=renewed))
    return _open(db, person, address=address, user_agent=user_agent, now=now, confirmed_at=now)


def sign_in_by_provider(
    db: Connection,
    *,
    email: str,
    has_second_factor: bool,
    proven_at: datetime | None,
    address: str,
    user_agent: str | None,
    now: datetime,
) -> tuple[str, Identity]:
    """A new session for whom the company's identity provider vouches, at real time `now`.

    Who has an authenticator app here comes in without a code only when the provider saw a second factor. Raises
    NotAuthenticated for somebody who is not known or not active, SecondFactorNeeded.
    """
    name = normalised_email(email)
    person = db.execute(_people(_MUST_ENROL).where(users.c.email == name, users.c.is_active)).one_or_none()
    if person is None:
        raise NotAuthenticated("Nobody here has this address.", hint="Ask an admin to add you.")
    if one_time_codes.is_enrolled(db, person.user_id) and not has_second_factor:
        raise SecondFactorNeeded()
    return _open(db, person, address=address, user_agent=user_agent, now=now, confirmed_at=proven_at)


def _open(
    db: Connection,
    person: Row[Any],
    *,
    address: str,
    user_agent: str | None,
    now: datetime,
    confirmed_at: datetime | None,
) -> tuple[str, Identity]:
    token = new_token()
    session_id = db.execute(
        insert(sessions)
        .values(
            session_hash=session_hash(token),
            user_id=person.user_id,
            created_at=now,
            last_seen_at=now,
            confirmed_at=confirmed_at,
            expires_at=now + timedelta(minutes=get_settings().session_absolute_minutes),
            user_agent=_storable(user_agent, 300) or None,
            address=_storable(address, 64) or None,
        )
        .returning(sessions.c.session_id)
    ).scalar_one()
    return token, _identity(person, must_enrol=person.must_enrol, session_id=session_id, confirmed_at=confirmed_at)


def confirm(
    db: Connection, *, identity: Identity, password: str, address: str, now: datetime, code: str | None = None
) -> None:
    """The person behind a session proves again who they are; from now on the session counts as recent.

    Guesses are counted with those at the sign-in. Raises as `sign_in`.
    """
    _, attempt = _proven(db, email=identity.email, password=password, code=code, address=address, now=now)
    throttle.succeeded(db, attempt, now=now)
    db.execute(update(sessions).where(sessions.c.session_id == identity.session_id).values(confirmed_at=now))


def _alive(now: Any, idle_since: Any) -> tuple[ColumnElement[bool], ...]:
    return sessions.c.revoked_at.is_(None), sessions.c.expires_at > now, sessions.c.last_seen_at > idle_since


def _idle_since(now: datetime) -> datetime:
    return now - timedelta(minutes=get_settings().session_idle_minutes)


def is_alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a session that works at `now`, real time: neither ended, nor expired, nor idle too long."""
    return _alive(now, _idle_since(now))


# every request begins with it, and making it anew took longer than the database did (a sixth of a short request)
_WHO_ASKS = {
    door: _people(sessions.c.last_seen_at, sessions.c.session_id, sessions.c.confirmed_at, _MUST_ENROL)
    .join(sessions, sessions.c.user_id == users.c.user_id)
    .where(key == bindparam("key"), users.c.is_active, *_alive(bindparam("now"), bindparam("idle_since")))
    for door, key in KEYS.items()
}


def resolve(
    db: Connection,
    *,
    token: str | None,
    now: datetime,
    may_enrol: bool = False,
    door: Door = Door.PRODUCT,
    is_background: bool = False,
) -> Identity | None:
    """The person behind a session's token for `door`, or None when it is unknown, ended, expired, idle too long, or
    deactivated.

    `now` is real time. Writes the last use at most once a minute, so `db` must be able to write. Activity extends
    the idle limit, never the absolute one; what a timer asks is none, and says so by `is_background`. Raises
    SecondFactorRequired for a person whose role needs a second factor that they have not enrolled, unless `may_enrol`:
    the few places where they do that.
    """
    if not token or len(token) > 200:
        return None
    asked = {"key": session_hash(token), "now": now, "idle_since": _idle_since(now)}
    row = db.execute(_WHO_ASKS[door], asked).one_or_none()
    if row is None:
        return None
    if row.must_enrol and not may_enrol:
        raise SecondFactorRequired()
    if not is_background and now - row.last_seen_at > SEEN_EVERY:
        db.execute(update(sessions).where(sessions.c.session_id == row.session_id).values(last_seen_at=now))
    return _identity(row, must_enrol=row.must_enrol, session_id=row.session_id, confirmed_at=row.confirmed_at)


def sign_out(db: Connection, *, token: str | None, now: datetime) -> None:
    """End the session on the server; a copy of the cookie is worth nothing afterwards. Unknown tokens are ignored."""
    if token:
        db.execute(
            update(sessions)
            .where(sessions.c.session_hash == session_hash(token), sessions.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )


def end_sessions(db: Connection, *, user_id: UUID, now: datetime, except_token: str | None = None) -> int:
    """End every session of a person, but the one given; returns how many ended, expired ones among them.

    Expiry is not asked for: `now` may be business time, days ahead of the real time that sessions expire by, and a
    session that is still good would be passed over.
    """
    ended = update(sessions).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
    if except_token:
        ended = ended.where(sessions.c.session_hash != session_hash(except_token))
    return db.execute(ended.values(revoked_at=now)).rowcount
