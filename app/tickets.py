"""One-time tickets: how a session reaches a place that can set a cookie, from one that cannot.

The script of a page hands its fresh session to a route beside it; the product hands its session to the orchestrator's
host name. A ticket is spent once, within half a minute, at the door it was made for. What it becomes is a new key of
the same session, so whatever ends the session ends all its keys. The database knows ticket and key by hash only.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, update

from app.auth import KEYS, Door, is_alive, session_hash
from app.tables import sessions

LIFE = timedelta(seconds=30)


def issue(db: Connection, *, session_id: UUID, door: Door, now: datetime) -> str:
    """A fresh ticket of this session for `door`; one that it had before is worth nothing any more. `now` is real
    time, here and below.
    """
    ticket = secrets.token_urlsafe(32)
    db.execute(
        update(sessions)
        .where(sessions.c.session_id == session_id)
        .values(ticket_hash=session_hash(ticket), ticket_door=door.value, ticket_expires_at=now + LIFE)
    )
    return ticket


def redeem(db: Connection, *, ticket: str, door: Door, now: datetime) -> str | None:
    """A new key of the session behind the ticket, in place of the one it had for `door`; None when the ticket is
    spent, late, made for another door, or its session has ended.
    """
    key = secrets.token_urlsafe(32)
    taken = db.execute(
        update(sessions)
        .where(
            sessions.c.ticket_hash == session_hash(ticket),
            sessions.c.ticket_door == door.value,
            sessions.c.ticket_expires_at > now,
            *is_alive(now),
        )
        .values(
            {KEYS[door].name: session_hash(key), "ticket_hash": None, "ticket_door": None, "ticket_expires_at": None}
        )
    ).rowcount
    return key if taken else None
