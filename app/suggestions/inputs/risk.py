"""Churn risk by day, for R13."""

from datetime import date

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch
from app.suggestions.triggers.risk import RiskInput

_RISK = text(
    """
    with newest as (
        select max(risk_date) as as_of from marts.fct_churn_risk_daily
    )

    select
        n.as_of,
        r.account_key,
        jsonb_object_agg(r.risk_date, jsonb_build_array(r.churn_probability_90d, r.churn_risk_band)) as days,
        (array_agg(r.drivers) filter (where r.risk_date = n.as_of))[1] as drivers,
        (array_agg(r.risk_kind) filter (where r.risk_date = n.as_of))[1] as kind
    from marts.fct_churn_risk_daily as r
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = r.account_key and a.is_active
    where r.risk_date > n.as_of - 60 and r.risk_date <= n.as_of
    group by n.as_of, r.account_key
    """
)


def risks(db: Connection) -> RuleInputs:
    """Sixty days of churn risk per account."""
    rows = fetch(db, "fct_churn_risk_daily", _RISK)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: RiskInput(
                account_key=row.account_key,
                as_of=row.as_of,
                days={date.fromisoformat(day): (value, band) for day, (value, band) in row.days.items()},
                drivers=tuple(one["text"] for one in row.drivers or () if one.get("direction") == "raises"),
                kind=row.kind,
            )
            for row in rows
        },
    )
