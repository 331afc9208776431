"""A person's sessions: seen in a list, ended one by one or together; and the sweep that forgets old ones."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, or_, select, update

from app import audit
from app.auth import Identity, Permission, end_sessions, is_alive, require
from app.errors import NotFound
from app.tables import api_tokens, login_attempts, sessions, users
from app.throttle import KEPT as ATTEMPTS_KEPT

KEPT = timedelta(days=30)  # how long an ended session or token is remembered, for questions afterwards


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """One of a person's sessions that work: where and when it was opened, and whether it is the one that asks."""

    session_id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None
    user_agent: str | None
    is_current: bool


def mine(db: Connection, *, actor: Identity, now: datetime) -> list[OpenSession]:
    """The person's own sessions that work, the last used first. `now` is real time, here and below."""
    rows = db.execute(
        select(
            sessions.c.session_id,
            sessions.c.created_at,
            sessions.c.last_seen_at,
            sessions.c.expires_at,
            sessions.c.address,
            sessions.c.user_agent,
            (sessions.c.session_id == actor.session_id).label("is_current"),
        )
        .where(sessions.c.user_id == actor.user_id, *is_alive(now))
        .order_by(sessions.c.last_seen_at.desc(), sessions.c.session_id)
    )
    return [OpenSession(**row._mapping) for row in rows]


def end(db: Connection, *, actor: Identity, session_id: UUID, now: datetime) -> None:
    """End one of the person's own sessions. Raises NotFound for one that is not theirs or does not work any more."""
    ended = db.execute(
        update(sessions)
        .where(sessions.c.session_id == session_id, sessions.c.user_id == actor.user_id, *is_alive(now))
        .values(revoked_at=now)
    ).rowcount
    if not ended:
        raise NotFound("session", session_id)


def end_others(db: Connection, *, actor: Identity, now: datetime, token: str | None) -> int:
    """End the person's sessions but the one of `token`, or with None all of them; returns how many ended."""
    return end_sessions(db, user_id=actor.user_id, now=now, except_token=token)


def end_all_of(db: Connection, *, actor: Identity, user_id: UUID, now: datetime) -> int:
    """An admin signs somebody out everywhere, who may sign in again; returns how many sessions ended.

    Asks for no fresh proof: it only takes access away, as deactivating does. The API, which programs may reach, asks.
    `now` may be business time. Raises NotPermitted, NotFound.
    """
    require(actor, Permission.MANAGE_USERS)
    if db.execute(select(users.c.user_id).where(users.c.user_id == user_id)).one_or_none() is None:
        raise NotFound("user", user_id)
    ended = end_sessions(db, user_id=user_id, now=now)
    if ended:
        audit.record_of_person(db, user_id, actor=actor, now=now, after={"sessions_ended": ended})
    return ended


def clean_up(db: Connection, *, now: datetime) -> int:
    """Forget sessions, tokens and attempts that ended long ago; returns how many rows. Doing it twice does no more."""
    before = now - KEPT
    ended = delete(sessions).where(or_(sessions.c.expires_at < before, sessions.c.revoked_at < before))
    tokens = delete(api_tokens).where(or_(api_tokens.c.expires_at < before, api_tokens.c.revoked_at < before))
    attempts = delete(login_attempts).where(login_attempts.c.attempted_at < now - ATTEMPTS_KEPT)
    return sum(db.execute(statement).rowcount for statement in (ended, tokens, attempts))
