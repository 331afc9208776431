"""Tickets and what customers said.

Source: marts.fct_tickets, one row per ticket; marts.fct_nps_responses, one row per answer.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.marts import reading


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket; times UTC."""

    ticket_id: str
    account_key: str | None
    subject: str | None
    status: str
    priority: str | None
    created_at: datetime
    updated_at: datetime | None
    solved_at: datetime | None
    first_reply_minutes: int | None
    resolution_minutes: int | None
    requester_email: str | None
    satisfaction_score: str | None
    is_open: bool
    is_urgent_open: bool


@dataclass(frozen=True, slots=True)
class NpsResponse:
    """One answer, `score` 0 to 10; `category`: promoter, passive, detractor."""

    response_key: str
    account_key: str | None
    response_id: str | None
    survey_id: str | None
    respondent_email: str | None
    score: int
    category: str
    comment: str | None
    responded_at: datetime
    channel: str | None


def tickets(db: Connection, account_key: str, *, limit: int = 200) -> list[Ticket]:
    """Tickets of an account: open before solved, urgent first, then newest. Raises MartUnavailable."""
    columns = reading.mart("fct_tickets", Ticket).c
    wanted = (
        reading.query("fct_tickets", Ticket)
        .where(columns.account_key == account_key)
        .order_by(columns.is_open.desc(), columns.is_urgent_open.desc(), columns.created_at.desc(), columns.ticket_id)
        .limit(limit)
    )
    return reading.rows(db, "fct_tickets", Ticket, wanted)


def nps_responses(db: Connection, account_key: str, *, limit: int = 100) -> list[NpsResponse]:
    """Answers of an account, newest first. Raises MartUnavailable."""
    columns = reading.mart("fct_nps_responses", NpsResponse).c
    wanted = (
        reading.query("fct_nps_responses", NpsResponse)
        .where(columns.account_key == account_key)
        .order_by(columns.responded_at.desc(), columns.response_key)
        .limit(limit)
    )
    return reading.rows(db, "fct_nps_responses", NpsResponse, wanted)
