"""Daily scores, for R1."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from app.suggestions.inputs.reading import Cut, RuleInputs, fetch_cut
from app.suggestions.triggers.health import HealthInput

_NEWEST = text("select max(health_date) from marts.fct_account_health_daily")
_SCORES = text(
    """
    select
        h.account_key,
        array_agg(h.health_date order by h.health_date) as days,
        array_agg(h.score order by h.health_date) as scores
    from marts.fct_account_health_daily as h
    join marts.dim_accounts as a on a.account_key = h.account_key and a.is_active
    where h.health_date = any(cast(:days as date[]))
        and (cast(:account_keys as text[]) is null or h.account_key = any(cast(:account_keys as text[])))
    group by h.account_key
    """
)
_CONTRIBUTIONS = text(
    """
    select h.account_key, h.health_date, to_jsonb(h) as contents
    from marts.fct_account_health_daily as h
    where h.health_date = any(cast(:days as date[]))
        and (cast(:account_keys as text[]) is null or h.account_key = any(cast(:account_keys as text[])))
    """
)


def _contributions(row: dict[str, Any]) -> dict[str, float]:
    ending = "_contribution"
    return {name.removesuffix(ending): value or 0.0 for name, value in row.items() if name.endswith(ending)}


def health(db: Connection, cut: Cut, *, window_days: int) -> RuleInputs:
    """Scores per account by day, for R1; with reasons, the contributions on the newest day and `window_days` before."""
    as_of, rows = fetch_cut(db, "fct_account_health_daily", _NEWEST, _SCORES, cut)
    contributions: dict[tuple[str, date], dict[str, float]] = {}
    if cut.with_reasons:
        ends = replace(cut, days_back=(0, window_days))
        _, explained = fetch_cut(db, "fct_account_health_daily", _NEWEST, _CONTRIBUTIONS, ends)
        contributions = {(row.account_key, row.health_date): _contributions(row.contents) for row in explained}
    window = timedelta(days=window_days)
    return RuleInputs(
        as_of=as_of,
        by_account={
            row.account_key: HealthInput(
                account_key=row.account_key,
                as_of=as_of,
                scores=dict(zip(row.days, row.scores, strict=True)),
                contributions=contributions.get((row.account_key, as_of), {}),
                contributions_before=contributions.get((row.account_key, as_of - window), {}),
            )
            for row in rows
        },
    )
