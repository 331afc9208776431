-- To the cent, for every month and segment: what moved leads from the start to the end, the end is the next month's
-- start, the movements are those of the accounts, and the last end is what the accounts' dimension shows.
with months as (
    select
        *,
        lead(start_mrr_eur) over (partition by segment order by month_start_date) as next_start_mrr_eur,
        start_mrr_eur + new_mrr_eur + expansion_mrr_eur + reactivation_mrr_eur - contraction_mrr_eur - churned_mrr_eur
            as explained_mrr_eur,
        max(month_start_date) over () as newest_month
    from {{ ref('fct_revenue_retention_monthly') }}
),

movements as (
    select
        movement_month,
        sum(amount_eur) as amount_eur
    from {{ ref('fct_mrr_movements') }}
    group by movement_month
),

totals as (
    select
        month_start_date,
        newest_month,
        sum(end_mrr_eur) - sum(start_mrr_eur) as change_eur,
        sum(end_mrr_eur) as end_mrr_eur
    from months
    group by month_start_date, newest_month
),

accounts as (
    select sum(mrr_eur) as mrr_eur from {{ ref('dim_accounts') }}
)

select
    month_start_date,
    segment as what,
    end_mrr_eur as found,
    explained_mrr_eur as wanted
from months
where end_mrr_eur <> explained_mrr_eur or end_mrr_eur <> next_start_mrr_eur

union all

select
    totals.month_start_date,
    'all movements of the month' as what,
    totals.change_eur as found,
    movements.amount_eur as wanted
from totals
left join movements on totals.month_start_date = movements.movement_month
where totals.change_eur <> coalesce(movements.amount_eur, 0)

union all

select
    totals.month_start_date,
    'the accounts of today' as what,
    totals.end_mrr_eur as found,
    accounts.mrr_eur as wanted
from totals
cross join accounts
where totals.month_start_date = totals.newest_month and totals.end_mrr_eur <> accounts.mrr_eur
