"""Outcomes by intervention: what was measured after what was done. Descriptive: who is given what is no accident, so no
difference between two rows is an effect.
"""

from dataclasses import dataclass, fields
from datetime import date
from math import sqrt
from typing import Any

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.reports import reading
from app.reports.model import ACCOUNT_FILTERS, Filter, Report, before_the_period
from app.reports.reach import Reach
from app.reports.wanted import Wanted
from app.suggestions.rates import Rate

HORIZONS = (30, 60, 90)
HELD_OUT, NOT_DONE = "held_out", "nothing_done"
_Z = 1.96  # two-sided 95%


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Decisions by what was done; `held_out`: on purpose nothing was suggested; `nothing_done`: suggested, not done.

    `measured_count` of them are measured at the horizon. Shares 0 to 1 with 95% intervals by Wilson's score, None from
    too few cases; `cleared_of` are those whose trigger can be told. Health in points, after minus before, its mean with
    a 95% interval (normal); revenue EUR a month.
    """

    intervention: str
    decision_count: int
    measured_count: int
    cleared_of: int
    cleared_count: int
    cleared_ratio: float | None
    cleared_low_ratio: float | None
    cleared_high_ratio: float | None
    churned_count: int
    churned_ratio: float | None
    churned_low_ratio: float | None
    churned_high_ratio: float | None
    health_count: int
    health_change: float | None
    health_change_low: float | None
    health_change_high: float | None
    mrr_change_eur: float | None


_ROWS = f"""
with {reading.ACCOUNTS}

select
    case
        when o.arm = 'held_out' then '{HELD_OUT}'
        when o.treatment_done then coalesce(o.done_intervention, o.chosen_intervention)
        else '{NOT_DONE}'
    end as intervention,
    count(*) as decision_count,
    count(*) filter (where o.measured_{{days}}d_status = 'measured') as measured_count,
    count(o.trigger_cleared_{{days}}d) as cleared_of,
    count(*) filter (where o.trigger_cleared_{{days}}d) as cleared_count,
    count(*) filter (where o.retention_{{days}}d = 'churned') as churned_count,
    count(o.health_change_{{days}}d) as health_count,
    avg(o.health_change_{{days}}d) as health_change,
    stddev_samp(o.health_change_{{days}}d) as health_spread,
    cast(sum(o.mrr_change_eur_{{days}}d) as double precision) as mrr_change_eur
from marts.fct_action_outcomes as o
join accounts on accounts.account_key = o.account_key
where o.decided_at >= :since and o.decided_at < :until
group by 1
order by 2 desc, 1
"""  # noqa: S608 -- our own text


def _share(name: str, rate: Rate) -> dict[str, float | None]:
    low, high = rate.interval
    said = (rate.share, low, high) if rate.is_enough else (None, None, None)
    return dict(zip((f"{name}_ratio", f"{name}_low_ratio", f"{name}_high_ratio"), said, strict=True))


def _row(found: dict[str, Any]) -> Row:
    spread, count, mean = found.pop("health_spread"), found["health_count"], found["health_change"]
    half = None if spread is None else _Z * spread / sqrt(count)
    values = {
        **found,
        **_share("cleared", Rate(found["cleared_count"], found["cleared_of"])),
        **_share("churned", Rate(found["churned_count"], found["measured_count"])),
        "health_change_low": None if half is None else mean - half,
        "health_change_high": None if half is None else mean + half,
    }
    return Row(**{field.name: values[field.name] for field in fields(Row)})


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """One row per intervention of the decisions in the period, most decisions first."""
    days = wanted.horizon_days if wanted.horizon_days in HORIZONS else HORIZONS[0]
    given = reading.parameters(wanted, reach, since=wanted.since, until=wanted.until)
    with reading_mart("fct_action_outcomes"):
        return [_row(dict(one)) for one in db.execute(text(_ROWS.format(days=days)), given).mappings()]


REPORT = Report(
    title="Interventions",
    question="what was measured after each kind of intervention: descriptive, no effects",
    formula="""
- **Descriptive only.** Who gets which intervention is no accident, so a difference between two rows is not its
  effect.
- Decisions of the period by what was done, measured by the warehouse after the horizon from rows dated after
  the decision. **Cleared** = trigger gone / decisions whose trigger can be told; **churned** = left / measured;
  health is the mean of points after minus before.
- In brackets 95% intervals: Wilson's score for shares, normal for the mean. A share is said from 30 cases on.
""",
    sources=("marts.fct_action_outcomes", "marts.dim_accounts"),
    row_type=Row,
    read=read,
    members=before_the_period,
    filters=ACCOUNT_FILTERS | {Filter.PERIOD, Filter.HORIZON},
    months=12,
    period=("Decided from", "to"),
    tells_of_people=True,
)
