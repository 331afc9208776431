"""Churn risk by day, and what people think of the account, for R13 and R14."""

from datetime import date

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import Cut, RuleInputs, fetch, fetch_cut, newest_day
from app.suggestions.triggers.risk import OpinionInput, RiskInput

_NEWEST_RISK = text("select max(risk_date) from marts.fct_churn_risk_daily")
_RISK = text(
    """
    select
        r.account_key,
        array_agg(r.risk_date order by r.risk_date) as days,
        array_agg(r.churn_probability_90d order by r.risk_date) as probabilities,
        array_agg(r.churn_risk_band order by r.risk_date) as bands,
        (array_agg(r.drivers) filter (where r.risk_date = :as_of))[1] as drivers,
        (array_agg(r.risk_kind) filter (where r.risk_date = :as_of))[1] as kind
    from marts.fct_churn_risk_daily as r
    join marts.dim_accounts as a on a.account_key = r.account_key and a.is_active
    where r.risk_date = any(cast(:days as date[]))
        and (cast(:account_keys as text[]) is null or r.account_key = any(cast(:account_keys as text[])))
    group by r.account_key
    """
)

_OPINIONS = text(
    """
    with newest as (
        select max(risk_date) as as_of from marts.fct_churn_risk_daily
    ),

    ratings as (
        select distinct on (account_key)
            account_key, score, meaning, rated_by_name, cast(rated_at at time zone 'UTC' as date) as rated_on
        from app.account_ratings
        order by account_key, rating_id desc
    )

    select
        n.as_of,
        r.account_key,
        r.score as rating,
        r.meaning,
        r.rated_by_name,
        r.rated_on,
        jsonb_object_agg(k.risk_date, k.churn_risk_band) as bands,
        max(k.churn_probability_90d) filter (where k.risk_date = n.as_of) as probability
    from ratings as r
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = r.account_key and a.is_active
    join marts.fct_churn_risk_daily as k
        on k.account_key = r.account_key and k.risk_date > n.as_of - 30 and k.risk_date <= n.as_of
    group by n.as_of, r.account_key, r.score, r.meaning, r.rated_by_name, r.rated_on
    """
)


def risks(db: Connection, cut: Cut) -> RuleInputs:
    """Churn risk per account by day, for R13; with reasons, what drives it on the newest day."""
    as_of, rows = fetch_cut(db, "fct_churn_risk_daily", _NEWEST_RISK, _RISK, cut)
    return RuleInputs(
        as_of=as_of,
        by_account={
            row.account_key: RiskInput(
                account_key=row.account_key,
                as_of=as_of,
                days=dict(zip(row.days, zip(row.probabilities, row.bands, strict=True), strict=True)),
                drivers=tuple(one["text"] for one in row.drivers or () if one.get("direction") == "raises"),
                kind=row.kind,
            )
            for row in rows
        },
    )


def opinions(db: Connection) -> RuleInputs:
    """Thirty days of risk bands beside the newest rating, per account that was ever rated."""
    rows = fetch(db, "fct_churn_risk_daily", _OPINIONS)
    return RuleInputs(
        as_of=rows[0].as_of if rows else newest_day(db),
        by_account={
            row.account_key: OpinionInput(
                account_key=row.account_key,
                as_of=row.as_of,
                bands={date.fromisoformat(day): band for day, band in row.bands.items()},
                probability=row.probability,
                rating=row.rating,
                meaning=row.meaning,
                rated_on=row.rated_on,
                rated_by=row.rated_by_name,
            )
            for row in rows
        },
    )
