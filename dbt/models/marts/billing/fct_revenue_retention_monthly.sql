{{
    config(
        indexes=[{'columns': ['month_start_date', 'segment'], 'unique': true}],
    )
}}

with months as (
    select * from {{ ref('int_billing__mrr_monthly') }}
),

movements as (
    select * from {{ ref('fct_mrr_movements') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

-- A logo counts from its first paid month to the end of service: a trial is none yet, a pause is one still.
account_months as (
    select
        months.month_start_date,
        coalesce(accounts.segment, 'Unknown') as segment,
        months.mrr_before_eur,
        months.mrr_eur,
        months.had_mrr_before and months.was_customer_before as is_counted_at_start,
        months.had_mrr_before and months.was_customer_before and not months.is_customer as is_lost,
        not months.had_mrr_before and months.mrr > 0 as is_new,
        months.had_mrr_before and not months.was_customer_before and months.is_customer as is_back,
        accounts.churn_kind = 'involuntary'
        and date_trunc('month', accounts.churned_date::timestamp)::date = months.month_start_date as is_involuntary,
        movements.movement_type,
        abs(movements.amount_eur) as moved_eur
    from months
    left join accounts on months.account_key = accounts.account_key
    left join movements
        on months.account_key = movements.account_key and months.month_start_date = movements.movement_month
),

added_up as (
    select
        month_start_date,
        segment,
        sum(mrr_before_eur) as start_mrr_eur,
        {% for kind in ['new', 'expansion', 'reactivation', 'contraction', 'churned'] -%}
        coalesce(sum(moved_eur) filter (where movement_type = '{{ kind }}'), 0) as {{ kind }}_mrr_eur,
        {% endfor -%}
        coalesce(sum(moved_eur) filter (where movement_type = 'churned' and is_involuntary), 0)
            as involuntary_churned_mrr_eur,
        sum(mrr_eur) as end_mrr_eur,
        count(*) filter (where is_counted_at_start)::integer as start_account_count,
        count(*) filter (where is_new)::integer as new_account_count,
        count(*) filter (where is_back)::integer as reactivated_account_count,
        count(*) filter (where is_lost)::integer as churned_account_count,
        count(*) filter (where is_lost and is_involuntary)::integer as involuntary_churned_account_count
    from account_months
    group by month_start_date, segment
)

select
    added_up.month_start_date,
    added_up.segment,
    (added_up.month_start_date + interval '1 month')::date - 1 <= as_of.as_of_date as is_complete,
    added_up.start_mrr_eur,
    added_up.new_mrr_eur,
    added_up.expansion_mrr_eur,
    added_up.reactivation_mrr_eur,
    added_up.contraction_mrr_eur,
    added_up.churned_mrr_eur,
    added_up.involuntary_churned_mrr_eur,
    added_up.end_mrr_eur,
    added_up.start_account_count,
    added_up.new_account_count,
    added_up.reactivated_account_count,
    added_up.churned_account_count,
    added_up.involuntary_churned_account_count,
    (
        (
            added_up.start_mrr_eur + added_up.expansion_mrr_eur
            - added_up.contraction_mrr_eur - added_up.churned_mrr_eur
        ) / nullif(added_up.start_mrr_eur, 0)
    )::double precision as nrr_ratio,
    (
        (added_up.start_mrr_eur - added_up.contraction_mrr_eur - added_up.churned_mrr_eur)
        / nullif(added_up.start_mrr_eur, 0)
    )::double precision as grr_ratio,
    added_up.churned_account_count::double precision / nullif(added_up.start_account_count, 0) as logo_churn_ratio
from added_up
cross join as_of
