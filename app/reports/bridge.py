"""NRR and GRR: from the recurring revenue at the start of a period to that at its end, by what moved it, by month.

The values of a month are reckoned back from today's through the movements since, as the warehouse's own test has it
(assert_revenue_retention_adds_up); all segments together they are those of fct_revenue_retention_monthly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.reports import reading
from app.reports.model import ACCOUNT_FILTERS, Filter, Report, before_the_period
from app.reports.reach import Reach
from app.reports.wanted import Wanted, first_of_month


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One month; amounts are EUR a month, constant currency, what was lost as positive figures.

    `nrr_ratio` and `grr_ratio` are the month's; those `_from_start` are from the start of the period to the end of this
    month, in which only moves of accounts count that were customers at that start. None without revenue to begin with.
    """

    month_start_date: date
    start_mrr_eur: float
    new_mrr_eur: float
    expansion_mrr_eur: float
    reactivation_mrr_eur: float
    contraction_mrr_eur: float
    churned_mrr_eur: float
    end_mrr_eur: float
    nrr_ratio: float | None
    grr_ratio: float | None
    nrr_from_start_ratio: float | None
    grr_from_start_ratio: float | None


_KINDS = ("new", "expansion", "reactivation", "contraction", "churned")
_SUMS = ",\n".join(
    f"        coalesce(sum(abs(amount_eur)) filter (where movement_type = '{kind}'), 0) as {kind}_mrr_eur"
    for kind in _KINDS
)

_ROWS = f"""
with {reading.ACCOUNTS},

moved as (
    select
        m.movement_month,
        m.movement_type,
        m.amount_eur,
        -- who came, or came back, within the period is in neither ratio of it
        coalesce(
            max(m.movement_month) filter (where m.movement_type in ('new', 'reactivation'))
            over (partition by m.account_key order by m.movement_month) < :start,
            true
        ) as was_customer_at_start
    from marts.fct_mrr_movements as m
    join accounts on accounts.account_key = m.account_key
),

by_month as (
    select
        movement_month,
        sum(amount_eur) as change_eur,
{_SUMS},
        coalesce(sum(amount_eur) filter (
            where was_customer_at_start and movement_type in ('expansion', 'contraction', 'churned')
        ), 0) as kept_change_eur,
        coalesce(sum(amount_eur) filter (
            where was_customer_at_start and movement_type in ('contraction', 'churned')
        ), 0) as kept_loss_eur
    from moved
    where movement_month >= :start
    group by movement_month
),

months as (
    select cast(month as date) as month
    from generate_series(cast(:start as timestamp), cast(:newest as timestamp), interval '1 month') as months (month)
),

ends as (
    select
        months.month,
        by_month.*,
        (select coalesce(sum(mrr_eur), 0) from accounts) - coalesce(sum(by_month.change_eur) over (
            order by months.month desc rows between unbounded preceding and 1 preceding
        ), 0) as end_eur,
        sum(by_month.kept_change_eur) over since_start as kept_change_since_eur,
        sum(by_month.kept_loss_eur) over since_start as kept_loss_since_eur
    from months
    left join by_month on by_month.movement_month = months.month
    window since_start as (order by months.month)
),

bounds as (
    select
        *,
        end_eur - coalesce(change_eur, 0) as start_eur,
        first_value(end_eur - coalesce(change_eur, 0)) over (order by month) as first_eur
    from ends
)

select
    month as month_start_date,
    cast(start_eur as double precision) as start_mrr_eur,
    {", ".join(f"cast(coalesce({kind}_mrr_eur, 0) as double precision) as {kind}_mrr_eur" for kind in _KINDS)},
    cast(end_eur as double precision) as end_mrr_eur,
    cast(
        (start_eur + coalesce(expansion_mrr_eur - contraction_mrr_eur - churned_mrr_eur, 0)) / nullif(start_eur, 0)
        as double precision
    ) as nrr_ratio,
    cast(
        (start_eur - coalesce(contraction_mrr_eur + churned_mrr_eur, 0)) / nullif(start_eur, 0) as double precision
    ) as grr_ratio,
    cast((first_eur + coalesce(kept_change_since_eur, 0)) / nullif(first_eur, 0) as double precision)
        as nrr_from_start_ratio,
    cast((first_eur + coalesce(kept_loss_since_eur, 0)) / nullif(first_eur, 0) as double precision)
        as grr_from_start_ratio
from bounds
where month <= :end
order by month
"""  # noqa: S608 -- our own text


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """One row per month of the period up to the build's, oldest first."""
    given = reading.parameters(wanted, reach, newest=first_of_month(as_of))
    return reading.rows(db, _ROWS, Row, given, mart="fct_mrr_movements")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The whole period: from `start_mrr_eur` by (kind, signed change) to `end_mrr_eur`, which adds up exactly."""

    start_mrr_eur: float
    moves: tuple[tuple[str, float], ...]
    end_mrr_eur: float
    nrr_ratio: float | None
    grr_ratio: float | None


def whole(months: Sequence[Row]) -> Bridge:
    """The months of `read` put together; there must be one."""

    def moved(kind: str) -> float:
        total = sum(getattr(one, f"{kind}_mrr_eur") for one in months)
        return -total if kind in ("contraction", "churned") else total

    return Bridge(
        start_mrr_eur=months[0].start_mrr_eur,
        moves=tuple((kind, moved(kind)) for kind in ("new", "expansion", "contraction", "churned", "reactivation")),
        end_mrr_eur=months[-1].end_mrr_eur,
        nrr_ratio=months[-1].nrr_from_start_ratio,
        grr_ratio=months[-1].grr_from_start_ratio,
    )


REPORT = Report(
    title="NRR and GRR",
    question="what moved recurring revenue between the start of one month and the end of another",
    formula="""
- **NRR** = (start + expansion − contraction − churned) / start. **GRR** = (start − contraction − churned) /
  start. New and reactivated revenue is in neither.
- Over several months the ratios count moves only of accounts that were customers at the start; the bridge shows
  all moves, and adds up to the end exactly.
- A move is the difference between two ends of a month, constant currency. For all accounts together each month
  is the one of fct_revenue_retention_monthly; the month that is not over stands as on the last day of the
  build.
""",
    sources=("marts.fct_mrr_movements", "marts.dim_accounts"),
    row_type=Row,
    read=read,
    members=before_the_period,
    filters=ACCOUNT_FILTERS | {Filter.PERIOD},
    months=12,
    period=("From the start of", "to the end of"),
)
