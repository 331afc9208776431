"""The portfolio as a file, today's or a past day's, with what the page is narrowed to, for whoever is signed in; a CSM
gets what is their own.

It has a route of its own because Streamlit would serve a download to anybody who has its address.
"""

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import pandas as pd
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app import auth, clock
from app.actions import service
from app.actions.model import ActionFilter
from app.auth import Identity, Permission, Scope
from app.calendar import display_date
from app.db import unit_of_work
from app.errors import AppError, NotFound
from app.exports import formats
from app.exports.columns import Column, columns_of
from app.exports.formats import MEDIA_TYPES, Format
from app.marts import accounts as account_mart
from app.marts import portfolio_then, version
from app.segments import members
from app.segments import service as segments
from app.ui import data, portfolio

_KINDS = {column.name: column for column in columns_of(account_mart.Account)}
_NEXT = {"next_title": Column("next_title", str), "next_due": Column("next_due", date)}
_THEN = {column.name: column for column in columns_of(portfolio_then.AccountThen)}
COLUMNS = tuple(
    (_KINDS | _NEXT)[name]
    for name in (
        "account_name",
        "domain",
        "csm_name",
        "segment",
        "plan",
        "lifecycle_stage",
        "health_band",
        "health_score",
        "health_coverage_ratio",
        "churn_risk_band",
        "churn_probability_90d",
        "mrr_at_risk_eur",
        "mrr_eur",
        "currency_code",
        "mrr",
        "renewal_date",
        "days_to_renewal",
        "seats_paid",
        "seats_used_28d",
        "last_contact_date",
        "nps_score",
        "open_ticket_count",
        "overdue_invoice_count",
        "next_title",
        "next_due",
        "as_of_date",
        "account_key",
    )
)
# of a past day, what is kept of it by day
COLUMNS_THEN = tuple(column for column in COLUMNS if column.name in _THEN)


@dataclass(frozen=True)
class Asked:
    """What a file is to hold: the chips, the segment and the past day of the page, None for all and today."""

    chosen: portfolio.AccountFilter
    segment_id: UUID | None
    day: date | None


def within_reach(accounts: pd.DataFrame, identity: Identity) -> pd.DataFrame:
    """Those of the accounts that this person may take away as a file."""
    if auth.scope_of(identity, Permission.EXPORT) is Scope.ALL:
        return accounts
    return accounts.loc[portfolio.is_owned_by(accounts, identity.owner_emails)]


def _cell(value: Any, column: Column) -> Any:
    # what is missing is not a number or not a time in a frame, and makes floats of the whole numbers beside it
    if not column.is_list and pd.isna(value):
        return None
    return int(value) if column.kind is int and not column.is_list else value


def _rows(accounts: pd.DataFrame, columns: Sequence[Column]) -> Iterator[list[Any]]:
    for row in accounts[[column.name for column in columns]].astype(object).itertuples(index=False, name=None):
        yield [_cell(value, column) for value, column in zip(row, columns, strict=True)]


def _portfolio(db: Connection, day: date | None, today: date) -> pd.DataFrame:
    """The rows that the page has before it is narrowed."""
    if day is not None:
        then = portfolio_then.portfolio_frame(db, day=day)
        return data.counted_from(then.set_index("account_key", drop=False), day)
    frame = account_mart.portfolio_frame(db, today=today).set_index("account_key", drop=False)
    open_actions = service.list_actions(db, filter=ActionFilter(categories=data.OPEN), limit=data.LARGEST_LIST)
    return data.with_next_actions(data.counted_from(frame, today), open_actions)


def _within(db: Connection, identity: Identity, asked: Asked, today: date) -> Collection[str] | None:
    if asked.segment_id is None:
        return None
    criteria = segments.get_segment(db, identity=identity, segment_id=asked.segment_id).asked()
    if asked.day is not None:
        return members.account_keys_on(db, criteria, day=asked.day)
    return members.account_keys(db, criteria, today=today)


def _file(token: str | None, asked: Asked, wanted: Format) -> bytes | None:
    with unit_of_work() as db:
        identity = auth.resolve(db, token=token, now=clock.real_now())
        if identity is None:
            return None
        today = display_date(clock.business_now(db))
        latest = version.published(db).as_of_date
        asked = replace(asked, day=asked.day if asked.day is not None and asked.day < latest else None)
        frame, within = _portfolio(db, asked.day, today), _within(db, identity, asked, today)
    matching = portfolio.narrowed(frame, asked.chosen, owner_emails=identity.owner_emails, within=within)
    columns = COLUMNS if asked.day is None else COLUMNS_THEN
    file = io.BytesIO()
    formats.write(file, wanted, columns, [_rows(within_reach(matching, identity), columns)])
    return file.getvalue()


async def accounts(request: Request) -> Response:
    """`GET /exports/accounts.<format>?<filter>`: the rows of the page that are the person's own to take away.

    With `in_segment` those of a segment, with `as_of` those of a past day. 401 without a session, 404 for another
    format, a segment that nobody shows them, or no day, 503 before the first build.
    """
    query = request.query_params
    chosen = portfolio.AccountFilter.from_query(query, {name: query.getlist(name) for name in query})
    try:
        wanted = Format(request.path_params["format"])
    except ValueError:
        return PlainTextResponse(f"Take one of {', '.join(Format)}.", status_code=404)
    segment_id, day = query.get("in_segment"), query.get("as_of")
    try:
        asked = Asked(chosen, UUID(segment_id) if segment_id else None, date.fromisoformat(day) if day else None)
    except ValueError:
        return PlainTextResponse("There is no such segment or day.", status_code=404)
    try:
        file = await run_in_threadpool(_file, request.cookies.get(auth.session_cookie().name), asked, wanted)
    except NotFound as error:
        return PlainTextResponse(f"{error.message} {error.hint}".strip(), status_code=404)
    except AppError as error:
        return PlainTextResponse(f"{error.message} {error.hint}".strip(), status_code=503)
    if file is None:
        return PlainTextResponse("Sign in first, then export again.", status_code=401)
    return Response(
        file,
        media_type=MEDIA_TYPES[wanted],
        headers={"Content-Disposition": f'attachment; filename="accounts.{wanted}"', "Cache-Control": "no-store"},
    )
