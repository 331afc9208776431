with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

lines as (
    select * from {{ ref('int_billing__invoice_lines') }}
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

measured as (
    select
        months.account_key,
        months.currency_code,
        months.is_older_than_history,
        months.month_start_date,
        coalesce(sum(lines.monthly_amount), 0) as mrr
    from months
    left join lines
        on
            months.account_key = lines.account_key
            and months.measured_on >= lines.start_date
            and months.measured_on < lines.end_date
    group by months.account_key, months.currency_code, months.is_older_than_history, months.month_start_date
)

select
    measured.account_key,
    measured.month_start_date,
    measured.currency_code,
    measured.mrr,
    round(measured.mrr * rates.eur_per_unit, 2) as mrr_eur,
    -- What an older account paid in the first month that can be told was there before: an opening value, no movement.
    coalesce(
        lag(measured.mrr) over account_months,
        case when measured.is_older_than_history then measured.mrr else 0 end
    ) as mrr_before,
    coalesce(
        lag(round(measured.mrr * rates.eur_per_unit, 2)) over account_months,
        case when measured.is_older_than_history then round(measured.mrr * rates.eur_per_unit, 2) else 0 end
    ) as mrr_before_eur,
    measured.is_older_than_history or coalesce(
        bool_or(measured.mrr > 0) over (account_months rows between unbounded preceding and 1 preceding), false
    ) as had_mrr_before
from measured
left join rates on measured.currency_code = rates.currency_code
window account_months as (partition by measured.account_key order by measured.month_start_date)
