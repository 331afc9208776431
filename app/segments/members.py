"""Which accounts a segment holds: today by the published build, and on past days by the daily facts.

Source: marts.dim_accounts for today; for a past day marts.fct_account_health_daily, one row per account and day of its
life, with marts.fct_churn_risk_daily beside it. What no daily fact keeps (`criteria.of_today`) is taken as it is now.
All the work is PostgreSQL's: an answer is one statement.

The trap avoided: a criterion that means one thing today and another in the past. What differs between the two is only
where a column comes from (`_Source`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Double,
    FromClause,
    Select,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
    union_all,
)

from app.actions.lifecycle import OPEN
from app.actions.tables import actions
from app.db import reading_mart
from app.marts import reading
from app.segments.criteria import RENEWAL_WINDOWS, SILENT_DAYS, Criteria

_ACCOUNT = table(
    "dim_accounts",
    *map(
        column,
        (
            "account_key", "account_name", "domain", "csm_name", "csm_email", "health_band", "churn_risk_band",
            "segment", "plan", "renewal_date", "last_contact_date", "mrr_eur", "is_active",
        ),
    ),
    schema="marts",
)  # fmt: skip
_HEALTH = table(
    "fct_account_health_daily",
    *map(column, ("account_key", "health_date", "band", "mrr_eur", "renewal_date", "last_contact_date")),
    schema="marts",
)
_RISK = table("fct_churn_risk_daily", *map(column, ("account_key", "risk_date", "churn_risk_band")), schema="marts")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the columns come from: rows, which of them count at all, and what differs between today and then."""

    rows: FromClause
    counts: ColumnElement[bool]
    band: ColumnElement[Any]
    risk: ColumnElement[Any]
    days_to_renewal: ColumnElement[Any]
    contact_days: ColumnElement[Any]
    mrr_eur: ColumnElement[Any]


def _today(today: date) -> _Source:
    day, account = literal(today, Date), _ACCOUNT.c
    return _Source(
        rows=_ACCOUNT,
        counts=and_(account.is_active, reading.IS_PUBLISHED),
        band=account.health_band,
        risk=account.churn_risk_band,
        days_to_renewal=account.renewal_date - day,
        contact_days=day - account.last_contact_date,
        mrr_eur=account.mrr_eur,
    )


def _then(days: Sequence[date]) -> _Source:
    health, risk = _HEALTH.c, _RISK.c
    on_the_day = and_(risk.account_key == health.account_key, risk.risk_date == health.health_date)
    return _Source(
        rows=_HEALTH.join(_ACCOUNT, _ACCOUNT.c.account_key == health.account_key).outerjoin(_RISK, on_the_day),
        counts=and_(health.health_date.in_(list(days)), reading.IS_PUBLISHED),
        band=health.band,
        risk=risk.churn_risk_band,
        days_to_renewal=health.renewal_date - health.health_date,
        contact_days=health.health_date - health.last_contact_date,
        mrr_eur=health.mrr_eur,
    )


def _has_no_open_action() -> ColumnElement[bool]:
    is_open = actions.c.status.in_([status.value for status in OPEN])
    return ~exists().where(actions.c.account_key == _ACCOUNT.c.account_key, is_open)


def _is_silent(source: _Source) -> ColumnElement[bool]:
    return or_(source.contact_days.is_(None), source.contact_days > SILENT_DAYS)


def _in_view(criteria: Criteria, source: _Source) -> ColumnElement[bool]:
    if criteria.view == "mine":
        return func.lower(_ACCOUNT.c.csm_email).in_([email.lower() for email in criteria.owner_emails])
    if criteria.view == "renewals":
        return source.days_to_renewal.between(0, 90)
    if criteria.view == "silent":
        return _is_silent(source)
    if criteria.view == "idle":
        return and_(source.risk.in_(["High", "Critical"]), _has_no_open_action())
    return true()


def _matches(criteria: Criteria, source: _Source) -> ColumnElement[bool]:
    account = _ACCOUNT.c
    conditions = [source.counts, _in_view(criteria, source)]
    if needle := criteria.search.strip():
        conditions.append(
            or_(
                account.account_name.icontains(needle, autoescape=True),
                account.domain.icontains(needle, autoescape=True),
            )
        )
    if criteria.bands:
        conditions.append(func.coalesce(source.band, "–").in_(criteria.bands))
    for where, values in (
        (account.csm_name, criteria.owners),
        (source.risk, criteria.risks),
        (account.segment, criteria.segments),
        (account.plan, criteria.plans),
    ):
        if values:
            conditions.append(where.in_(values))
    if criteria.renewals:
        windows = (RENEWAL_WINDOWS[window] for window in criteria.renewals)
        conditions.append(or_(false(), *(source.days_to_renewal.between(low, high) for low, high in windows)))
    if criteria.is_idle:
        conditions.append(_has_no_open_action())
    return and_(*conditions)


def _keys(criteria: Criteria, source: _Source) -> Select[Any]:
    key = _ACCOUNT.c.account_key
    return select(key).select_from(source.rows).where(_matches(criteria, source)).order_by(key)


def account_keys(db: Connection, criteria: Criteria, *, today: date) -> list[str]:
    """Keys of the active accounts of the published build that the criteria hold for, in order. Days to a renewal and
    since a contact count from `today`. Nothing before the first build."""
    with reading_mart("dim_accounts"):
        return list(db.execute(_keys(criteria, _today(today))).scalars())


def account_keys_on(db: Connection, criteria: Criteria, *, day: date) -> list[str]:
    """As `account_keys`, of the accounts that were customers on a past day."""
    with reading_mart("fct_account_health_daily"):
        return list(db.execute(_keys(criteria, _then([day]))).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a segment holds; MRR in EUR a month."""

    account_count: int
    mrr_eur: float


def sizes(db: Connection, wanted: Mapping[UUID, Criteria], *, today: date) -> dict[UUID, Size]:
    """The size of each segment today, in one statement."""
    if not wanted:
        return {}
    source, numbered = _today(today), list(wanted)
    counts = [
        select(
            literal(place).label("place"),
            func.count().label("account_count"),
            cast(func.coalesce(func.sum(source.mrr_eur), 0), Double).label("mrr_eur"),
        )
        .select_from(source.rows)
        .where(_matches(wanted[segment_id], source))
        for place, segment_id in enumerate(numbered)
    ]
    with reading_mart("dim_accounts"):
        found = db.execute(union_all(*counts)).all()
    return {numbered[row.place]: Size(account_count=row.account_count, mrr_eur=row.mrr_eur) for row in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeOnDay:
    """How much a segment held at the end of a day; `mrr_eur` at the rates of then, None where it was not kept."""

    day: date
    account_count: int
    mrr_eur: float | None


def history(db: Connection, criteria: Criteria, *, days: Sequence[date]) -> list[SizeOnDay]:
    """The size on each of these days that anything is known of, oldest first.

    A day without a matching account counts nought; of a day for which no criterion can be told (risk is kept for a
    shorter time than health) there is no row.
    """
    source, day = _then(days), _HEALTH.c.health_date
    needs_risk = bool(criteria.risks) or criteria.view == "idle"
    matches = _matches(criteria, source)
    counted = (
        select(
            day.label("day"),
            func.count().filter(matches).label("account_count"),
            # a sum of some of the accounts would be a fall in revenue that never was
            cast(func.coalesce(func.sum(source.mrr_eur).filter(matches), 0), Double).label("mrr_eur"),
            func.bool_or(and_(matches, source.mrr_eur.is_(None))).label("is_mrr_missing"),
        )
        .select_from(source.rows)
        .where(source.counts)
        .group_by(day)
        .order_by(day)
    )
    if needs_risk:
        counted = counted.having(func.count(source.risk) > 0)
    with reading_mart("fct_account_health_daily"):
        found = db.execute(counted).all()
    return [
        SizeOnDay(day=row.day, account_count=row.account_count, mrr_eur=None if row.is_mrr_missing else row.mrr_eur)
        for row in found
    ]
