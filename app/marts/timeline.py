"""Everything that happened to an account in one stream, and what changed on somebody's accounts.

Source: marts.fct_account_events, one row per event; marts.fct_engagements, one row per call, meeting or note.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, table
from sqlalchemy import column as named

from app.marts import reading

_MART = "fct_account_events"
WORTH_A_LINE = 2

EVENT_KINDS = (
    "call", "meeting", "note", "ticket_opened", "ticket_solved", "invoice_issued", "invoice_paid", "payment_failed",
    "nps_response", "band_change", "champion_left", "mrr_change", "usage_step",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event; `importance` 0 quiet, 1 normal, 2 worth a line on a day's start page."""

    event_key: str
    account_key: str
    occurred_at: datetime
    event_kind: str
    title: str
    detail: str | None
    amount_eur: float | None
    importance: int


@dataclass(frozen=True, slots=True)
class Change:
    """An event worth a line, with the account it happened to."""

    event_key: str
    account_key: str
    occurred_at: datetime
    event_kind: str
    title: str
    detail: str | None
    amount_eur: float | None
    importance: int
    account_name: str
    csm_email: str | None
    mrr_eur: float | None


@dataclass(frozen=True, slots=True)
class Engagement:
    """One call, meeting or note; `is_two_way` when the customer took part."""

    engagement_key: str
    account_key: str | None
    engagement_kind: str
    occurred_at: datetime
    title: str | None
    body: str | None
    csm_key: str | None
    csm_name: str | None
    contact_names: list[str] | None
    outcome: str | None
    is_two_way: bool


def events(
    db: Connection,
    account_key: str,
    *,
    kinds: Sequence[str] = (),
    before: datetime | None = None,
    least_importance: int = 0,
    limit: int = 100,
) -> list[AccountEvent]:
    """Events of an account, newest first; `before` pages back. Raises MartUnavailable."""
    columns = reading.mart(_MART, AccountEvent).c
    wanted = reading.query(_MART, AccountEvent).where(columns.account_key == account_key)
    if kinds:
        wanted = wanted.where(columns.event_kind.in_(list(kinds)))
    if before is not None:
        wanted = wanted.where(columns.occurred_at < before)
    if least_importance:
        wanted = wanted.where(columns.importance >= least_importance)
    wanted = wanted.order_by(columns.occurred_at.desc(), columns.event_key).limit(max(1, min(limit, 1000)))
    return reading.rows(db, _MART, AccountEvent, wanted)


def changes(db: Connection, owner_emails: Sequence[str] | None, *, since: datetime, limit: int = 100) -> list[Change]:
    """Events worth a line since a moment, newest first, on the accounts of these CSMs, or on all with None.

    Raises MartUnavailable.
    """
    event = reading.mart(_MART, AccountEvent)
    account = table(
        "dim_accounts",
        named("account_key"),
        named("account_name"),
        named("csm_email"),
        named("mrr_eur"),
        schema="marts",
    )
    wanted = (
        select(
            *(column for column in reading.columns(_MART, AccountEvent)),
            account.c.account_name,
            account.c.csm_email,
            reading.as_double(account.c.mrr_eur),
        )
        .select_from(event.join(account, account.c.account_key == event.c.account_key))
        .where(reading.IS_PUBLISHED, event.c.occurred_at >= since, event.c.importance >= WORTH_A_LINE)
        .order_by(event.c.occurred_at.desc(), event.c.event_key)
        .limit(max(1, min(limit, 1000)))
    )
    if owner_emails is not None:
        wanted = wanted.where(account.c.csm_email.in_([email.lower() for email in owner_emails]))
    return reading.rows(db, _MART, Change, wanted)


def engagements(db: Connection, account_key: str, *, since: date | None = None, limit: int = 100) -> list[Engagement]:
    """Calls, meetings and notes of an account, newest first. Raises MartUnavailable."""
    columns = reading.mart("fct_engagements", Engagement).c
    wanted = reading.query("fct_engagements", Engagement).where(columns.account_key == account_key)
    if since is not None:
        wanted = wanted.where(columns.occurred_at >= since)
    wanted = wanted.order_by(columns.occurred_at.desc(), columns.engagement_key).limit(max(1, min(limit, 1000)))
    return reading.rows(db, "fct_engagements", Engagement, wanted)
