"""Who asked what, and what became of it: one row a statement, written before it runs, so that none goes untold.

The same rows say how many run at once, over all processes. A row whose process died stays without an end; it counts as
running only for as long as a statement can run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, func, insert, select, update

from app.auth import Identity
from app.configuration import Retention, active
from app.errors import NotFound, TooManyStatements
from app.sandbox.tables import sql_statements
from app.tables import users

AT_ONCE = 2  # statements of one person
LONGEST = timedelta(seconds=15)  # of a statement, with its connection and its file
MOST_LISTED = 50


class Purpose(StrEnum):
    """What a statement was sent for."""

    RUN = "run"
    PLAN = "plan"
    FILE = "file"


class Verdict(StrEnum):
    """What became of it: refused by the gate, failed in the database, ended before its answer."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One statement of one person; everything after `started_at` is None while it runs."""

    statement_id: UUID
    purpose: Purpose
    text: str
    parameters: dict[str, str | None]
    started_at: datetime
    verdict: Verdict | None
    row_count: int | None
    is_cut: bool | None
    duration_ms: int | None
    message: str | None


_ENTRY = TypeAdapter(Entry)


def _storable(text: str) -> str:
    """A refused text too is kept, whatever it holds."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def begin(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    statement_id: UUID,
    purpose: Purpose,
    text: str,
    values: Mapping[str, str | None],
) -> None:
    """Note that a statement is about to run. The caller commits before it does.

    Raises TooManyStatements, without noting anything, when the person has AT_ONCE running.
    """
    # the person's own begin one after the other, or both would count the same
    db.execute(select(users.c.user_id).where(users.c.user_id == actor.user_id).with_for_update(key_share=True))
    running = db.execute(
        select(func.count()).where(
            sql_statements.c.user_id == actor.user_id,
            sql_statements.c.ended_at.is_(None),
            sql_statements.c.started_at > now - LONGEST,
        )
    ).scalar_one()
    if running >= AT_ONCE:
        raise TooManyStatements(f"{AT_ONCE} statements of yours are running already.", retry_after_seconds=2)
    kept = _storable(text)
    made = {
        "statement_id": statement_id,
        "user_id": actor.user_id,
        "purpose": purpose.value,
        "text": kept,
        "text_sha256": sha256(kept.encode()).hexdigest(),
        "parameters": {_storable(name): value and _storable(value) for name, value in values.items()},
        "started_at": now,
    }
    db.execute(insert(sql_statements).values(made))


def end(
    db: Connection,
    statement_id: UUID,
    *,
    now: datetime,
    verdict: Verdict,
    duration_ms: int,
    row_count: int | None = None,
    is_cut: bool | None = None,
    message: str | None = None,
) -> None:
    """Note what became of a statement, once."""
    told: dict[str, Any] = {
        "ended_at": now,
        "verdict": verdict.value,
        "duration_ms": duration_ms,
        "row_count": row_count,
        "is_cut": is_cut,
        "message": message,
    }
    db.execute(update(sql_statements).where(sql_statements.c.statement_id == statement_id).values(told))


def forget(db: Connection, *, now: datetime) -> int:
    """Forget what was asked, once it is as old as the retention says; how many. The hash of each text stays, and who
    asked when, and what came of it. `now` is real time."""
    kept_for = timedelta(days=active(db, Retention).forget_statements_after_days)
    old = sql_statements.c.text.is_not(None) & (sql_statements.c.started_at < now - kept_for)
    nothing = {"text": None, "parameters": {}, "message": None}
    return db.execute(update(sql_statements).where(old).values(nothing)).rowcount


def own(db: Connection, *, identity: Identity, statement_id: UUID) -> Entry:
    """One of the person's own statements. Raises NotFound, also for somebody else's and a forgotten one."""
    row = db.execute(_own(identity).where(sql_statements.c.statement_id == statement_id)).one_or_none()
    if row is None:
        raise NotFound("statement", statement_id)
    return _ENTRY.validate_python(dict(row._mapping))


def _own(identity: Identity) -> Select:
    columns = (sql_statements.c[name] for name in Entry.__dataclass_fields__)
    return select(*columns).where(sql_statements.c.user_id == identity.user_id, sql_statements.c.text.is_not(None))


def history(db: Connection, *, identity: Identity, limit: int = MOST_LISTED) -> list[Entry]:
    """The person's own statements, newest first, without the forgotten ones."""
    newest = _own(identity).order_by(sql_statements.c.started_at.desc(), sql_statements.c.statement_id).limit(limit)
    return [_ENTRY.validate_python(dict(row._mapping)) for row in db.execute(newest)]
