"""The portfolio as it was at the end of a past day, from the facts that are kept by day.

Source: marts.fct_account_health_daily, one row per account and day of its life, with marts.fct_churn_risk_daily of the
same day; name, owner, segment and plan are those of marts.dim_accounts today, since no day of them is kept. The trap
avoided: an account that has left since was a customer then, and stands here.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection, text

from app.db import reading_mart
from app.marts import reading


@dataclass(frozen=True, slots=True)
class AccountThen:
    """One account at the end of `as_of_date`; units as in `accounts.Account`.

    `days_to_renewal` counts from that day. MRR is at the rates of its month. Risk and MRR are None where they were not
    kept for that day. `csm_*`, `segment` and `plan` are today's.
    """

    account_key: str
    account_name: str
    domain: str | None
    segment: str | None
    plan: str | None
    csm_name: str | None
    csm_email: str | None
    mrr_eur: float | None
    renewal_date: date | None
    days_to_renewal: int | None
    health_score: float | None
    health_band: str | None
    health_coverage_ratio: float | None
    health_trend_90d: list[float | None] | None
    churn_probability_90d: float | None
    churn_risk_band: str | None
    mrr_at_risk_eur: float | None
    last_contact_date: date | None
    as_of_date: date


_THEN = text(
    """
    with held as (
        select account_key from marts.fct_account_health_daily where health_date = :day
    ),

    trends as (
        select
            held.account_key,
            array_agg(health.score order by weeks.weeks_ago desc) as health_trend_90d
        from held
        cross join generate_series(0, 13) as weeks (weeks_ago)
        left join marts.fct_account_health_daily as health
            on held.account_key = health.account_key and health.health_date = :day - 7 * weeks.weeks_ago
        group by held.account_key
    )

    select
        health.account_key,
        accounts.account_name,
        accounts.domain,
        accounts.segment,
        accounts.plan,
        accounts.csm_name,
        accounts.csm_email,
        cast(health.mrr_eur as double precision) as mrr_eur,
        health.renewal_date,
        health.renewal_date - health.health_date as days_to_renewal,
        health.score as health_score,
        health.band as health_band,
        health.coverage_ratio as health_coverage_ratio,
        trends.health_trend_90d,
        risk.churn_probability_90d,
        risk.churn_risk_band,
        cast(risk.mrr_at_risk_eur as double precision) as mrr_at_risk_eur,
        health.last_contact_date,
        health.health_date as as_of_date
    from marts.fct_account_health_daily as health
    inner join marts.dim_accounts as accounts on health.account_key = accounts.account_key
    inner join trends on health.account_key = trends.account_key
    left join marts.fct_churn_risk_daily as risk
        on health.account_key = risk.account_key and health.health_date = risk.risk_date
    where health.health_date = :day and exists (select from marts.publications)
    order by risk.mrr_at_risk_eur desc nulls last, accounts.account_name, health.account_key
    """
)
_FIRST = text(
    "select min(health_date) from marts.fct_account_health_daily where exists (select from marts.publications)"
)


def portfolio_frame(db: Connection, *, day: date) -> pd.DataFrame:
    """Everybody who was a customer on a day, most recurring revenue at risk first: one row per account, one column per
    field of `AccountThen`; empty before the first day that is kept. Raises MartUnavailable."""
    return reading.frame(db, "fct_account_health_daily", AccountThen, _THEN.bindparams(day=day))


def first_day(db: Connection) -> date | None:
    """The first day that anything is kept of, None without any. Raises MartUnavailable."""
    with reading_mart("fct_account_health_daily"):
        return db.execute(_FIRST).scalar_one()
