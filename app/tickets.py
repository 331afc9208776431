"""One-time tickets: how a session reaches a place that can set a cookie, from one that cannot.

The script of a page hands its fresh session to a route beside it; the product hands its session to the orchestrator's
host name. A ticket is spent once, within half a minute, at the door it was made for. What it becomes is a new key of
the same session, so whatever ends the session ends all its keys. The database knows ticket and key by hash only.

A ticket that travels in an address counts only in the browser that asked: the place that sends a browser to ask leaves
a random word in a cookie of its own, and its hash goes along as the question. A ticket that leaked is worth nothing,
and nobody can be made to look at the orchestrator as somebody else by a link with a ticket in it.
"""

import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, update

from app.auth import KEYS, Door, is_alive, session_hash
from app.tables import sessions

LIFE = timedelta(seconds=30)


def question(word: str) -> str:
    """What a browser that keeps `word` sends along when it asks for a ticket: 43 characters that do not tell it."""
    return urlsafe_b64encode(session_hash(word)).rstrip(b"=").decode()


def issue(db: Connection, *, session_id: UUID, door: Door, now: datetime, asked: str | None = None) -> str:
    """A fresh ticket of this session for `door`; one that it had before is worth nothing any more. With the question
    `asked` it counts only beside the word of it. `now` is real time, here and below.
    """
    ticket = secrets.token_urlsafe(32)
    db.execute(
        update(sessions)
        .where(sessions.c.session_id == session_id)
        .values(
            ticket_hash=session_hash(ticket),
            ticket_door=door.value,
            ticket_expires_at=now + LIFE,
            ticket_question=asked,
        )
    )
    return ticket


def redeem(db: Connection, *, ticket: str, door: Door, now: datetime, word: str | None = None) -> str | None:
    """A new key of the session behind the ticket, in place of the one it had for `door`; None when the ticket is
    spent, late, made for another door or for who keeps another word, or its session has ended.
    """
    key = secrets.token_urlsafe(32)
    taken = db.execute(
        update(sessions)
        .where(
            sessions.c.ticket_hash == session_hash(ticket),
            sessions.c.ticket_door == door.value,
            sessions.c.ticket_expires_at > now,
            sessions.c.ticket_question.is_not_distinct_from(word and question(word)),
            *is_alive(now),
        )
        .values(
            {
                KEYS[door].name: session_hash(key),
                "ticket_hash": None,
                "ticket_door": None,
                "ticket_expires_at": None,
                "ticket_question": None,
            }
        )
    ).rowcount
    return key if taken else None
