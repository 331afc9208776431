"""Personal tokens for integrators: made by a person, limited to scopes, shown once, kept as a hash, revoked at will.

A token never does more than its person may do now: their role is looked up at every use. It opens no session, makes no
token, and proves nothing that asks for a recent sign-in.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, insert, select, update

from app import audit
from app.auth import Identity, Permission, identity_of, require_recent
from app.errors import InvalidInput, NotFound, SecondFactorRequired
from app.inputs import member, required_text
from app.tables import api_tokens

PREFIX = "ait_"  # so that a scanner of secrets finds one that was committed by mistake
LONGEST_DAYS = 365
MOST = 20
_USED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    ACTIONS = "actions"
    SUGGESTIONS = "suggestions"


_GRANTS: Final = {
    Scope.READ: {Permission.READ, Permission.EXPORT},
    Scope.ACTIONS: {
        Permission.CREATE_ACTION,
        Permission.ADD_NOTE,
        Permission.WORK_ACTION,
        Permission.CLAIM_ACTION,
        Permission.START_PLAYBOOK,
    },
    Scope.SUGGESTIONS: {Permission.ANSWER_SUGGESTION},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A personal token as its person sees it; never its secret."""

    token_id: UUID
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def _hash(secret: str) -> bytes:
    return blake2b(secret.encode("utf-8", "replace"), digest_size=32, person=b"app.api_tokens").digest()


def permissions_of(scopes: tuple[Scope, ...]) -> frozenset[Permission]:
    """What these scopes leave of a role."""
    return frozenset().union(*(_GRANTS[scope] for scope in scopes))


def _token(row) -> ApiToken:
    return ApiToken(
        token_id=row.token_id,
        name=row.name,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def create(
    db: Connection, *, actor: Identity, name: str, scopes: list[str], days: int, now: datetime
) -> tuple[str, ApiToken]:
    """The secret, which is told this once, and the token. `now` is real time, here and below.

    Raises NotRecent, or InvalidInput naming the field.
    """
    require_recent(actor, now=now)
    shown = required_text("name", name, limit=80).strip()
    chosen = tuple(sorted({member("scopes", scope, Scope) for scope in scopes}))
    if not chosen:
        raise InvalidInput("scopes", "Choose at least one scope.")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput("days", f"A token lives from 1 to {LONGEST_DAYS} days.", value=days)
    if db.execute(select(func.count()).select_from(_live(actor.user_id, now).subquery())).scalar_one() >= MOST:
        raise InvalidInput("name", f"You have {MOST} tokens already.", hint="Revoke one that is not used.")
    secret = PREFIX + secrets.token_urlsafe(32)
    values = {
        "token_id": uuid4(),
        "user_id": actor.user_id,
        "name": shown,
        "scopes": [scope.value for scope in chosen],
        "token_hash": _hash(secret),
        "created_at": now,
        "expires_at": now + timedelta(days=days),
    }
    made = _token(db.execute(insert(api_tokens).values(values).returning(*api_tokens.c)).one())
    told = {f"token {made.token_id}": f"{shown} ({', '.join(chosen)}) made"}
    audit.record_of_person(db, actor.user_id, actor=actor, now=now, after=told)
    return secret, made


def _live(user_id: UUID, now: datetime):
    return select(api_tokens).where(
        api_tokens.c.user_id == user_id, api_tokens.c.revoked_at.is_(None), api_tokens.c.expires_at > now
    )


def mine(db: Connection, *, actor: Identity, now: datetime) -> list[ApiToken]:
    """The person's own tokens that work, the newest first."""
    return [_token(row) for row in db.execute(_live(actor.user_id, now).order_by(api_tokens.c.created_at.desc()))]


def revoke(db: Connection, *, actor: Identity, token_id: UUID, now: datetime) -> None:
    """End one of the person's own tokens at once. Raises NotFound."""
    ended = db.execute(
        update(api_tokens)
        .where(
            api_tokens.c.token_id == token_id,
            api_tokens.c.user_id == actor.user_id,
            api_tokens.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    ).rowcount
    if not ended:
        raise NotFound("token", token_id)
    audit.record_of_person(db, actor.user_id, actor=actor, now=now, after={f"token {token_id}": "revoked"})


def resolve(db: Connection, *, secret: str, now: datetime) -> Identity | None:
    """The person behind a token, limited to its scopes; None when it is unknown, revoked, expired or theirs no more.

    Raises SecondFactorRequired as a session would.
    """
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    row = db.execute(
        select(api_tokens).where(
            api_tokens.c.token_hash == _hash(secret),
            api_tokens.c.revoked_at.is_(None),
            api_tokens.c.expires_at > now,
        )
    ).one_or_none()
    if row is None:
        return None
    if row.last_used_at is None or now - row.last_used_at > _USED_EVERY:
        db.execute(update(api_tokens).where(api_tokens.c.token_id == row.token_id).values(last_used_at=now))
    person = identity_of(db, row.user_id, limited_to=permissions_of(_token(row).scopes))
    if person is not None and person.must_enrol:
        raise SecondFactorRequired()
    return person
