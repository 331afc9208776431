{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        full_refresh=false,
        indexes=[{'columns': ['account_key', 'risk_date'], 'unique': true}, {'columns': ['risk_date']}],
        pre_hook="{{ delete_days('risk_date') }}",
    )
}}

with driver_values as (
    select * from {{ ref('int_risk__driver_values') }}
),

rules as (
    select * from {{ ref('churn_risk_rules') }} where model_version = '{{ var("churn_risk_model") }}'
),

probabilities as (
    select * from {{ ref('churn_risk_probabilities') }} where model_version = '{{ var("churn_risk_model") }}'
),

-- The table as an array: a probability is looked up three times per driver.
lookup as (
    select
        min(points) as lowest_points,
        max(points) as highest_points,
        array_agg(churn_probability_90d::double precision order by points) as by_points
    from probabilities
),

matched as (
    select
        driver_values.*,
        rules.points,
        rules.value_format,
        rules.description
    from driver_values
    left join rules
        on
            driver_values.driver = rules.driver
            and (rules.lower_bound is null or driver_values.driver_value >= rules.lower_bound)
            and (rules.upper_bound is null or driver_values.driver_value < rules.upper_bound)
),

totals as (
    select
        matched.account_key,
        matched.risk_date,
        max(matched.mrr_eur) as mrr_eur,
        max(matched.data_coverage_ratio) as data_coverage_ratio,
        coalesce(sum(matched.points), 0)::integer as points
    from matched
    group by matched.account_key, matched.risk_date
),

probable as (
    select
        totals.*,
        lookup.by_points[
            least(greatest(totals.points, lookup.lowest_points), lookup.highest_points) - lookup.lowest_points + 1
        ] as churn_probability_90d
    from totals
    cross join lookup
),

-- What the probability would be without the driver says what the driver does.
effects as (
    select
        matched.account_key,
        matched.risk_date,
        matched.driver,
        matched.driver_value,
        matched.value_format,
        matched.description,
        probable.churn_probability_90d - lookup.by_points[
            least(greatest(probable.points - matched.points, lookup.lowest_points), lookup.highest_points)
            - lookup.lowest_points + 1
        ] as effect,
        matched.points
    from matched
    inner join probable on matched.account_key = probable.account_key and matched.risk_date = probable.risk_date
    cross join lookup
    where matched.points <> 0
),

worded as (
    select
        account_key,
        risk_date,
        jsonb_agg(
            jsonb_build_object(
                'driver', driver,
                'direction', case when points > 0 then 'raises' else 'lowers' end,
                'effect', round(effect::numeric, 4),
                'text', replace(description, '{value}', case value_format
                    when 'percent' then round(driver_value * 100)::text || '%'
                    when 'signed_percent' then to_char(round(driver_value * 100), 'FMSG9990') || '%'
                    when 'days' then round(driver_value) || case round(driver_value) when 1 then ' day' else ' days' end
                    else round(driver_value)::text
                end),
                'value', round(driver_value::numeric, 4)
            )
            order by abs(effect) desc, abs(points) desc, driver
        ) as drivers
    from effects
    group by account_key, risk_date
)

select
    probable.account_key,
    probable.risk_date,
    probable.mrr_eur,
    probable.data_coverage_ratio,
    probable.churn_probability_90d,
    coalesce(worded.drivers, '[]'::jsonb) as drivers
from probable
left join worded on probable.account_key = worded.account_key and probable.risk_date = worded.risk_date
