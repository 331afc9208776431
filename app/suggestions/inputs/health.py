"""Daily scores, for R1."""

from typing import Any

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import RuleInputs, fetch
from app.suggestions.triggers.health import HealthInput

# The two whole rows are looked up per account: carried along, sixty wide rows of each account would be sorted.
_HEALTH = text(
    """
    with newest as (
        select max(health_date) as as_of from marts.fct_account_health_daily
    )

    select
        n.as_of,
        h.account_key,
        array_agg(h.health_date order by h.health_date) as days,
        array_agg(h.score order by h.health_date) as scores,
        (
            select to_jsonb(w) from marts.fct_account_health_daily as w
            where w.account_key = h.account_key and w.health_date = n.as_of
        ) as newest_row,
        (
            select to_jsonb(w) from marts.fct_account_health_daily as w
            where w.account_key = h.account_key and w.health_date = n.as_of - cast(:window_days as integer)
        ) as earlier_row
    from marts.fct_account_health_daily as h
    cross join newest as n
    join marts.dim_accounts as a on a.account_key = h.account_key and a.is_active
    where h.health_date > n.as_of - 60 and h.health_date <= n.as_of
    group by n.as_of, h.account_key
    """
)


def _contributions(row: dict[str, Any] | None) -> dict[str, float]:
    ending = "_contribution"
    return {name.removesuffix(ending): value or 0.0 for name, value in (row or {}).items() if name.endswith(ending)}


def health(db: Connection, *, window_days: int) -> RuleInputs:
    """Sixty days of scores per account, and the contributions now and `window_days` ago."""
    rows = fetch(db, "fct_account_health_daily", _HEALTH, window_days=window_days)
    return RuleInputs(
        as_of=rows[0].as_of if rows else None,
        by_account={
            row.account_key: HealthInput(
                account_key=row.account_key,
                as_of=row.as_of,
                scores=dict(zip(row.days, row.scores, strict=True)),
                contributions=_contributions(row.newest_row),
                contributions_before=_contributions(row.earlier_row),
            )
            for row in rows
        },
    )
