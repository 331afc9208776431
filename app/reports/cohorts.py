"""Retention by month of start: how many of those who began together are still customers, and how much of what they paid
at first they pay now.

Values of a month are reckoned back from today's through the movements since, because an account that is older than the
history has an opening value that no movement tells.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.reports import reading
from app.reports.model import ACCOUNT_FILTERS, Filter, Report
from app.reports.reach import Reach
from app.reports.wanted import Wanted, first_of_month


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cohort at one age. `cohort_month` is that of the first payment, None for all who paid when the history began.

    `age_months` 0 is the end of that month; amounts are EUR a month, constant currency; ratios are of age 0, 0 to 1 for
    accounts, and above 1 where revenue grew.
    """

    cohort_month: date | None
    age_months: int
    month_start_date: date
    started_account_count: int
    account_count: int
    account_ratio: float | None
    started_mrr_eur: float
    mrr_eur: float
    mrr_ratio: float | None


# Who left while they paid nothing (in a pause) has no movement of that month: their end is the dimension's, as long as
# they did not come back.
_ROWS = f"""
with {reading.ACCOUNTS},

history as (
    select (min(month_start_date) - interval '1 month')::date as opening_month
    from marts.fct_revenue_retention_monthly
),

moved as (
    select
        m.account_key,
        m.movement_month,
        m.movement_type,
        m.amount_eur,
        -- a return adds an account only after a departure that a movement tells of
        m.movement_type = 'reactivation' and coalesce(
            max(m.movement_month) filter (where m.movement_type = 'churned') over before
            > max(m.movement_month) filter (where m.movement_type in ('new', 'reactivation')) over before,
            count(*) filter (where m.movement_type = 'churned') over before > 0
        ) as is_return
    from marts.fct_mrr_movements as m
    join accounts on accounts.account_key = m.account_key
    window before as (
        partition by m.account_key order by m.movement_month rows between unbounded preceding and 1 preceding
    )
),

lives as (
    select
        accounts.account_key,
        min(moved.movement_month) filter (where moved.movement_type = 'new') as started_month,
        accounts.mrr_eur - coalesce(sum(moved.amount_eur), 0) as opening_mrr_eur,
        case
            when not accounts.is_active
                and coalesce(
                    max(moved.movement_month) filter (where moved.movement_type = 'churned')
                    <= max(moved.movement_month) filter (where moved.movement_type in ('new', 'reactivation')),
                    count(*) filter (where moved.movement_type = 'churned') = 0
                )
                then date_trunc('month', accounts.churned_date::timestamp)::date
        end as left_unpaid_month
    from accounts
    left join moved on moved.account_key = accounts.account_key
    group by accounts.account_key, accounts.mrr_eur, accounts.is_active, accounts.churned_date
),

members as (
    select account_key, started_month as cohort_month, started_month as zero_month, 0 as opening_mrr_eur
    from lives
    where started_month between :start and :end
    union all
    select lives.account_key, null, history.opening_month, lives.opening_mrr_eur
    from lives
    cross join history
    where lives.started_month is null and lives.opening_mrr_eur > 0
),

steps as (
    select account_key, zero_month as month, 1 as accounts, opening_mrr_eur as amount_eur from members
    union all
    select
        moved.account_key,
        moved.movement_month,
        case
            when moved.movement_type = 'churned' then -1
            when moved.is_return then 1
            else 0
        end,
        moved.amount_eur
    from moved
    union all
    select account_key, left_unpaid_month, -1, 0 from lives where left_unpaid_month is not null
),

changes as (
    select members.cohort_month, members.zero_month, steps.month, sum(steps.accounts) as accounts,
        sum(steps.amount_eur) as amount_eur
    from members
    join steps on steps.account_key = members.account_key
    group by members.cohort_month, members.zero_month, steps.month
),

grid as (
    select cohorts.cohort_month, cohorts.zero_month, cast(months.month as date) as month
    from (select distinct cohort_month, zero_month from members) as cohorts
    cross join lateral generate_series(
        cast(cohorts.zero_month as timestamp), cast(:newest as timestamp), interval '1 month'
    ) as months (month)
),

added_up as (
    select
        grid.cohort_month,
        grid.month,
        row_number() over aged - 1 as age_months,
        coalesce(sum(changes.accounts) over aged, 0) as accounts,
        coalesce(sum(changes.amount_eur) over aged, 0) as mrr_eur
    from grid
    left join changes
        on changes.cohort_month is not distinct from grid.cohort_month and changes.month = grid.month
    window aged as (partition by grid.cohort_month order by grid.month)
)

select
    cohort_month,
    cast(age_months as integer) as age_months,
    month as month_start_date,
    cast(first_value(accounts) over aged as integer) as started_account_count,
    cast(accounts as integer) as account_count,
    cast(accounts / nullif(first_value(accounts) over aged, 0) as double precision) as account_ratio,
    cast(first_value(mrr_eur) over aged as double precision) as started_mrr_eur,
    cast(mrr_eur as double precision) as mrr_eur,
    cast(mrr_eur / nullif(first_value(mrr_eur) over aged, 0) as double precision) as mrr_ratio
from added_up
window aged as (partition by cohort_month order by month)
order by cohort_month nulls first, month
"""  # noqa: S608 -- our own text


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """Cohorts that began in the period, and all of before the history, month by month to the build's, oldest first."""
    given = reading.parameters(wanted, reach, newest=first_of_month(as_of))
    return reading.rows(db, _ROWS, Row, given, mart="fct_mrr_movements")


REPORT = Report(
    title="Cohorts",
    question="of the customers who began in a month, how many are left, and how much of their revenue",
    formula="""
- A cohort is everybody whose **first payment** fell into the month; *Earlier* are all who paid already when the
  history begins.
- **Accounts kept** = accounts that are customers at the end of a month / accounts of the cohort. A pause is no
  loss; who comes back counts again.
- **Revenue kept** = their MRR at the end of that month / their MRR at the end of the first one, constant
  currency; above 100% they grew.
""",
    sources=("marts.fct_mrr_movements", "marts.fct_revenue_retention_monthly", "marts.dim_accounts"),
    row_type=Row,
    read=read,
    filters=ACCOUNT_FILTERS | {Filter.PERIOD},
    months=24,
    period=("Began from", "to"),
)
