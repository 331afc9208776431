"""Health migration: in which band the accounts of the end of one month are at the end of another."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.reports import reading
from app.reports.model import ACCOUNT_FILTERS, Filter, Report
from app.reports.reach import Reach
from app.reports.wanted import Wanted, months_before

NO_BAND, NO_CUSTOMER = "–", "none"
BANDS = ("G", "Y", "R", NO_BAND, NO_CUSTOMER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Accounts that went from one band to another. Bands: R, Y, G, an en dash for too little data, `none` for an
    account that had no health that day: not a customer yet, or no longer.

    `mrr_eur` is what they paid at the end of the first month, EUR a month; of those new since, at the end
    of the second.
    """

    from_band: str
    to_band: str
    account_count: int
    mrr_eur: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One account of a cell; its health score at both ends, None without one; `mrr_eur` as in `Row`."""

    account_key: str
    account_name: str
    csm_name: str | None
    from_score: float | None
    to_score: float | None
    mrr_eur: float


_MOVED = f"""
with {reading.ACCOUNTS},

scores as (
    select
        account_key,
        max(score) filter (where health_date = :first_day) as from_score,
        max(score) filter (where health_date = :last_day) as to_score,
        coalesce(
            max(coalesce(band, '{NO_BAND}')) filter (where health_date = :first_day), '{NO_CUSTOMER}'
        ) as from_band,
        coalesce(max(coalesce(band, '{NO_BAND}')) filter (where health_date = :last_day), '{NO_CUSTOMER}') as to_band
    from marts.fct_account_health_daily
    where health_date in (:first_day, :last_day)
    group by account_key
),

since as (
    select account_key,
        sum(amount_eur) filter (where movement_month > :start) as since_first_eur,
        sum(amount_eur) filter (where movement_month > :end) as since_last_eur
    from marts.fct_mrr_movements
    where movement_month > :start
    group by account_key
),

migrated as (
    select
        accounts.account_key,
        accounts.account_name,
        accounts.csm_name,
        scores.from_band,
        scores.to_band,
        scores.from_score,
        scores.to_score,
        accounts.mrr_eur - coalesce(
            case when scores.from_band = '{NO_CUSTOMER}' then since.since_last_eur else since.since_first_eur end, 0
        ) as mrr_eur
    from accounts
    join scores on scores.account_key = accounts.account_key
    left join since on since.account_key = accounts.account_key
)
"""  # noqa: S608 -- our own text

_ROWS = f"""
{_MOVED}
select from_band, to_band, count(*) as account_count, cast(coalesce(sum(mrr_eur), 0) as double precision) as mrr_eur
from migrated
group by from_band, to_band
order by from_band, to_band
"""  # noqa: S608 -- our own text

_MEMBERS = f"""
{_MOVED}
select account_key, account_name, csm_name, from_score, to_score, cast(mrr_eur as double precision) as mrr_eur
from migrated
where from_band = :from_band and to_band = :to_band
order by migrated.mrr_eur desc, account_name, account_key
limit :limit
"""  # noqa: S608 -- our own text


def last_day(month: date, as_of: date) -> date:
    """The last day of a month, of the one that is not over the last day of the build."""
    return min(date.fromordinal(months_before(month, -1).toordinal() - 1), as_of)


def _first_day(wanted: Wanted, as_of: date) -> date:
    return last_day(wanted.start, as_of)


def _given(wanted: Wanted, reach: Reach, as_of: date, **more: object) -> dict[str, object]:
    days = {"first_day": _first_day(wanted, as_of), "last_day": last_day(wanted.end, as_of)}
    return reading.parameters(wanted, reach, **days, **more)


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """One row per pair of bands with an account, from the end of the first month to the end of the last."""
    return reading.rows(db, _ROWS, Row, _given(wanted, reach, as_of), mart="fct_account_health_daily")


def members(
    db: Connection, *, wanted: Wanted, reach: Reach, as_of: date, from_band: str, to_band: str, limit: int = 200
) -> list[Member]:
    """The accounts of one cell, most revenue first."""
    given = _given(wanted, reach, as_of, from_band=from_band, to_band=to_band, limit=limit)
    return reading.rows(db, _MEMBERS, Member, given, mart="fct_account_health_daily")


REPORT = Report(
    title="Health migration",
    question="which band accounts were in at the end of one month, and which at the end of another",
    formula="""
- Band by the computed health score on the last day of each month, overrides left out; of the month that is not
  over on the last day of the build.
- *Not a customer* is an account without health that day: not yet, or no longer.
- MRR is that of the end of the first month; of accounts that came since, that of the end of the second.
""",
    sources=("marts.fct_account_health_daily", "marts.fct_mrr_movements", "marts.dim_accounts"),
    row_type=Row,
    read=read,
    members=_first_day,
    filters=ACCOUNT_FILTERS | {Filter.PERIOD},
    months=4,
    period=("From the end of", "to the end of"),
)
