with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

lines as (
    select * from {{ ref('int_billing__invoice_lines') }}
),

subscriptions as (
    select * from {{ ref('int_billing__subscriptions') }}
),

rates as (
    select * from {{ ref('int_billing__fx_rates') }} where is_current
),

-- The last day of each month, and of the month that is not over the last day known.
months as (
    select
        lives.account_key,
        lives.currency_code,
        lives.customer_since_date < as_of.history_from_date as is_older_than_history,
        months.month_start::date as month_start_date,
        least((months.month_start + interval '1 month')::date - 1, as_of.as_of_date) as measured_on
    from lives
    cross join as_of
    cross join lateral generate_series(
        date_trunc('month', greatest(lives.customer_since_date, as_of.history_from_date)::timestamp),
        date_trunc('month', as_of.as_of_date::timestamp),
        interval '1 month'
    ) as months (month_start)
),

values_at_end as (
    select
        months.account_key,
        months.month_start_date,
        coalesce(sum(lines.monthly_amount), 0) as mrr
    from months
    left join lines
        on
            months.account_key = lines.account_key
            and months.measured_on >= lines.start_date
            and months.measured_on < lines.end_date
    group by months.account_key, months.month_start_date
),

-- Service that goes on without being paid for (a pause, a month for nothing) is no churn, and neither is a gap that a
-- new subscription closes within the days of grace.
served as (
    select
        months.account_key,
        months.month_start_date,
        coalesce(
            bool_or(
                subscriptions.start_date <= months.measured_on
                and months.measured_on < coalesce(subscriptions.service_end_date, 'infinity')
            )
            or max(subscriptions.service_end_date) filter (
                where subscriptions.service_end_date <= months.measured_on
            ) + {{ var('churn_grace_days') }}
            >= min(subscriptions.start_date) filter (where subscriptions.start_date > months.measured_on),
            false
        ) as is_served
    from months
    left join subscriptions on months.account_key = subscriptions.account_key
    group by months.account_key, months.month_start_date
),

measured as (
    select
        months.account_key,
        months.currency_code,
        months.is_older_than_history,
        months.month_start_date,
        months.measured_on,
        values_at_end.mrr,
        round(values_at_end.mrr * rates.eur_per_unit, 2) as mrr_eur,
        served.is_served or values_at_end.mrr <> 0 as is_customer
    from months
    inner join values_at_end
        on months.account_key = values_at_end.account_key and months.month_start_date = values_at_end.month_start_date
    inner join served
        on months.account_key = served.account_key and months.month_start_date = served.month_start_date
    left join rates on months.currency_code = rates.currency_code
)

-- What an older account was in the first month that can be told it was before: an opening value, no movement.
select
    account_key,
    month_start_date,
    measured_on,
    currency_code,
    mrr,
    mrr_eur,
    coalesce(lag(mrr) over account_months, case when is_older_than_history then mrr else 0 end) as mrr_before,
    coalesce(lag(mrr_eur) over account_months, case when is_older_than_history then mrr_eur else 0 end)
        as mrr_before_eur,
    is_older_than_history or coalesce(
        bool_or(mrr > 0) over (account_months rows between unbounded preceding and 1 preceding), false
    ) as had_mrr_before,
    is_customer,
    coalesce(lag(is_customer) over account_months, is_older_than_history and is_customer) as was_customer_before
from measured
window account_months as (partition by account_key order by month_start_date)
