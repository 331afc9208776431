with rates as (
    select * from {{ ref('fx_rates') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

months as (
    select months.month_start_date::date as month_start_date
    from as_of
    cross join lateral generate_series(
        (select min(rates.month_start_date) from rates)::timestamp,
        date_trunc('month', as_of.as_of_date::timestamp),
        interval '1 month'
    ) as months (month_start_date)
),

currencies as (
    select distinct currency_code from rates
)

-- A month without a rate of its own goes on with the last one known.
select
    months.month_start_date,
    currencies.currency_code,
    known.eur_per_unit,
    months.month_start_date = max(months.month_start_date) over () as is_current
from months
cross join currencies
cross join lateral (
    select rates.eur_per_unit
    from rates
    where
        rates.currency_code = currencies.currency_code
        and rates.month_start_date <= months.month_start_date
    order by rates.month_start_date desc
    limit 1
) as known
