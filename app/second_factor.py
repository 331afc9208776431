"""Second factors: setting up an authenticator app, taking it away, and the roles that must have one.

The secret is shown once, while the app is set up; afterwards nobody reads it but the check of a code. The role that
builds the warehouse may not read it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import Connection, delete, insert, select, update

from app import audit, one_time_codes, throttle
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, Role, end_sessions, require, require_recent
from app.errors import InvalidInput, NotFound
from app.inputs import member
from app.tables import second_factor_roles, second_factors, users

ISSUER = "Account intelligence"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecondFactor:
    """What an authenticator app needs, told this once: the secret to type, or the address to show as a picture."""

    secret: str
    uri: str


def begin(db: Connection, *, actor: Identity, now: datetime) -> NewSecondFactor:
    """A new secret for the person's own app; it counts after `finish`. Starting again replaces an unfinished one.

    `now` is real time, here and below. Raises NotRecent, or InvalidInput for somebody who has an app.
    """
    require_recent(actor, now=now)
    if one_time_codes.is_enrolled(db, actor.user_id):
        raise InvalidInput("code", "You have an authenticator app already.", hint="An admin can take it away.")
    secret = one_time_codes.new_secret()
    db.execute(delete(second_factors).where(second_factors.c.user_id == actor.user_id))
    db.execute(insert(second_factors).values(user_id=actor.user_id, secret=secret, created_at=now, last_step=0))
    uri = pyotp.totp.TOTP(secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)
    return NewSecondFactor(secret=secret, uri=uri)


def finish(db: Connection, *, actor: Identity, code: str, address: str, token: str | None, now: datetime) -> None:
    """The app shows the right code: from now on it is asked for. The person's other sessions end.

    Guesses are counted with those at the sign-in. Raises InvalidInput, Throttled.
    """
    attempt = throttle.admit(db, email=actor.email, address=address, now=now)
    db.commit()
    if one_time_codes.is_enrolled(db, actor.user_id):
        raise InvalidInput("code", "You have an authenticator app already.")
    if not one_time_codes.accepts(db, actor.user_id, code, now=now):
        raise InvalidInput("code", "This code is wrong or was used already.", hint="Wait for the next code.")
    throttle.succeeded(db, attempt, now=now)
    db.execute(update(second_factors).where(second_factors.c.user_id == actor.user_id).values(confirmed_at=now))
    end_sessions(db, user_id=actor.user_id, now=now, except_token=token)
    audit.record_of_person(db, actor.user_id, actor=actor, now=now, after={"second_factor": "set up"})


def remove(db: Connection, *, actor: Identity | None, user_id: UUID, now: datetime) -> None:
    """Take somebody's app away, when it is lost: their sessions end, and where the role needs one they set up another.

    `actor` None is the operator on the command line. Raises NotPermitted, NotRecent, NotFound.
    """
    if actor is not None:
        require(actor, Permission.MANAGE_USERS)
        require_recent(actor, now=now)
    if not db.execute(delete(second_factors).where(second_factors.c.user_id == user_id)).rowcount:
        raise NotFound("second factor", user_id)
    end_sessions(db, user_id=user_id, now=now)
    audit.record_of_person(db, user_id, actor=actor, now=now, after={"second_factor": "taken away"})


def required_roles(db: Connection) -> list[Role]:
    """The roles that must have a second factor."""
    rows = db.execute(select(second_factor_roles.c.role).order_by(second_factor_roles.c.role)).scalars()
    return [Role(role) for role in rows]


def require_for(db: Connection, *, actor: Identity, role: str, is_required: bool, now: datetime) -> None:
    """Say whether a role must have one; whoever has none can do nothing else from their next interaction on.

    An admin asks their own role for one only after setting up theirs. Raises NotPermitted, NotRecent, InvalidInput.
    """
    require(actor, Permission.MANAGE_USERS)
    require_recent(actor, now=now)
    chosen = member("role", role, Role)
    if is_required == (chosen in required_roles(db)):
        return
    if is_required and chosen is actor.role and not one_time_codes.is_enrolled(db, actor.user_id):
        raise InvalidInput("role", "Set up your own authenticator app first.")
    db.execute(delete(second_factor_roles).where(second_factor_roles.c.role == chosen.value))
    if is_required:
        given = {"role": chosen.value, "required_by": actor.user_id, "required_at": now}
        db.execute(insert(second_factor_roles).values(given))
    audit.record(
        db,
        author=Author.of(actor),
        now=now,
        subject=Subject.CONFIGURATION,
        subject_id="second_factor",
        kind=Kind.CHANGED,
        before={chosen.value: not is_required},
        after={chosen.value: is_required},
    )


def has_one(db: Connection, user_id: UUID) -> bool:
    """Whether somebody has one. Raises NotFound for nobody."""
    if db.execute(select(users.c.user_id).where(users.c.user_id == user_id)).one_or_none() is None:
        raise NotFound("user", user_id)
    return one_time_codes.is_enrolled(db, user_id)
