"""Which account a source record belongs to where the rules cannot tell: the work list, and what people decided.

The matching itself is the warehouse's (`int_identity__account_links`); a decision wins over every rule from the next
build on. Append-only: who knows better later decides again, and the newest decision on a record is the one that holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from app.auth import Identity, Permission, require
from app.calendar import display_date
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.inputs import required_text
from app.marts import accounts, reading
from app.tables import identity_links

REASON_LIMIT = 500


class IssueKind(StrEnum):
    """Why a person should look: the evidence names several accounts, none, or there is nothing but a name."""

    CONFLICT = "conflict"
    ORPHAN = "orphan"
    NAME_ONLY = "name_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account that something named, by which rule, and how sure that rule is, 0 to 1."""

    account_key: str
    account_name: str | None
    rule: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Issue:
    """One source record whose account a person should decide, as of the published build."""

    issue_key: str
    issue_kind: IssueKind
    source: str
    source_id: str
    source_name: str | None
    account_key: str | None
    account_name: str | None
    candidates: list[Candidate]
    record_count: int
    newest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided of a record; without an account: it belongs to none."""

    link_id: int
    source: str
    source_id: str
    account_key: str | None
    reason: str
    linked_by_name: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class _Record:
    source: str
    source_id: str


_CANDIDATES = TypeAdapter(list[Candidate])
_DECISION = TypeAdapter(Decision)
_MART = "fct_identity_issues"
_RECORDS = "bridge_account_sources"
_COLUMNS = tuple(column for column in identity_links.c if column.name != "linked_by_user_id")


def issues(db: Connection, *, limit: int = 500) -> list[Issue]:
    """Records to decide on, those with the most hanging on them first. Raises MartUnavailable."""
    columns = reading.mart(_MART, Issue).c
    wanted = reading.query(_MART, Issue).order_by(columns.record_count.desc(), columns.source, columns.source_id)
    return [_typed(row) for row in reading.rows(db, _MART, Issue, wanted.limit(limit))]


def _typed(row: Issue) -> Issue:
    """As it is read, the candidates are what JSON has of them."""
    found = _CANDIDATES.validate_python(row.candidates)
    return replace(row, issue_kind=IssueKind(row.issue_kind), candidates=found)


def decisions(db: Connection, *, of: Sequence[tuple[str, str]]) -> list[Decision]:
    """The newest decision on each of these records (source, id in the source), newest first."""
    newest = select(*_COLUMNS).ext(distinct_on(identity_links.c.source, identity_links.c.source_id))
    newest = newest.where(tuple_(identity_links.c.source, identity_links.c.source_id).in_(of))
    newest = newest.order_by(identity_links.c.source, identity_links.c.source_id, identity_links.c.link_id.desc())
    held = newest.subquery()
    wanted = select(held).order_by(held.c.link_id.desc())
    return [_DECISION.validate_python(dict(row._mapping)) for row in db.execute(wanted)]


def decide(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    source: str,
    source_id: str,
    account_key: str | None,
    reason: str,
    idempotency_key: str,
) -> Decision:
    """Say which account a record belongs to, or with None that it belongs to none; it holds from the next build on.

    Raises NotPermitted, NotFound, InvalidInput, MartUnavailable, IdempotencyConflict.
    """
    require(actor, Permission.LINK_RECORD)
    columns = reading.mart(_RECORDS, _Record).c
    wanted = reading.query(_RECORDS, _Record).where(columns.source == source, columns.source_id == source_id)
    if source == "hubspot" or not reading.rows(db, _RECORDS, _Record, wanted):
        raise NotFound("source record", f"{source} {source_id}")
    if account_key is not None and accounts.account(db, account_key, today=display_date(now)) is None:
        raise InvalidInput("account", "There is no such account.", value=account_key)
    said = required_text("reason", reason, limit=REASON_LIMIT)

    def work() -> Decision:
        values = {
            "source": source,
            "source_id": source_id,
            "account_key": account_key,
            "reason": said,
            "linked_by_user_id": actor.user_id,
            "linked_by_name": actor.display_name,
            "linked_at": now,
        }
        made = db.execute(insert(identity_links).values(values).returning(*_COLUMNS)).one()
        return _DECISION.validate_python(dict(made._mapping))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="decide_identity",
        request={"source": source, "source_id": source_id, "account_key": account_key, "reason": said},
        now=now,
        answer=Decision,
        work=work,
    )
