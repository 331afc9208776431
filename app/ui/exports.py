"""The portfolio as CSV, with the filters of the page, for whoever is signed in.

It has a route of its own because Streamlit would serve a download to anybody who has its address. Cells that a
spreadsheet would run as a formula are disarmed with an apostrophe; numbers stay numbers.
"""

import csv
import io
from collections.abc import Iterable

import pandas as pd
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app import auth, clock
from app.actions import service
from app.actions.model import ActionFilter
from app.auth import Permission
from app.calendar import display_date
from app.db import unit_of_work
from app.errors import AppError
from app.marts import accounts as account_mart
from app.ui import data, portfolio

COLUMNS = (
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
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def disarmed(value: object) -> object:
    """A text that a spreadsheet would read as a formula, with an apostrophe before it; everything else as it is."""
    return "'" + value if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA) else value


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """RFC 4180 text of these rows under COLUMNS, with a byte order mark so that spreadsheets read it as UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            ["" if value is None or value is pd.NaT or value != value else disarmed(value) for value in row]
        )
    return "\ufeff" + text.getvalue()


def _rows(token: str | None, chosen: portfolio.AccountFilter) -> str | None:
    with unit_of_work() as db:
        identity = auth.resolve(db, token=token, now=clock.real_now())
        if identity is None:
            return None
        auth.require(identity, Permission.READ)
        frame = account_mart.portfolio_frame(db).set_index("account_key", drop=False)
        today = display_date(clock.business_now(db))
        open_actions = service.list_actions(db, filter=ActionFilter(categories=data.OPEN), limit=data.LARGEST_LIST)
    frame = data.with_next_actions(data.counted_from(frame, today), open_actions)
    shown = portfolio.narrowed(frame, chosen, owner_emails=identity.owner_emails)
    return as_csv(shown[list(COLUMNS)].itertuples(index=False, name=None))


async def accounts(request: Request) -> Response:
    """`GET /exports/accounts.csv?<filter>`: the rows of the page, 401 without a session, 503 before the first build."""
    query = request.query_params
    chosen = portfolio.AccountFilter.from_query(query, {name: query.getlist(name) for name in query})
    try:
        text = await run_in_threadpool(_rows, request.cookies.get(auth.SESSION_COOKIE), chosen)
    except AppError as error:
        return PlainTextResponse(f"{error.message} {error.hint}".strip(), status_code=503)
    if text is None:
        return PlainTextResponse("Sign in first, then export again.", status_code=401)
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="accounts.csv"', "Cache-Control": "no-store"},
    )
