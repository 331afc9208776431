{{ config(materialized='view') }}

-- noqa: disable=LT02
-- (loops and lateral lists are indented for the reader; the linter sees them unrolled)
with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

states as (
    select * from {{ ref('int_accounts__state_daily') }}
),

health as (
    select * from {{ ref('fct_account_health_daily') }}
)

select
    health.account_key,
    health.health_date as risk_date,
    health.coverage_ratio as data_coverage_ratio,
    states.mrr_eur,
    drivers.driver,
    drivers.driver_value::double precision as driver_value
from health
inner join windows
    on health.account_key = windows.account_key and health.health_date >= windows.rebuild_from_date
inner join states on health.account_key = states.account_key and health.health_date = states.state_date
cross join as_of
cross join lateral (
    values
    ('health_score', round(health.score)),
    ('key_activity_change', health.key_activity_value),
    ('seat_use', health.seat_use_value),
    ('days_since_use', health.recency_value),
    ('urgent_unresolved', health.urgent_unresolved_value),
    ('nps', health.nps_value),
    ('days_since_contact', health.last_contact_value),
    ('champion', health.champion_value),
    ('overdue_invoice', health.overdue_invoice_value),
    ('failed_payment', health.failed_payment_value),
    ('days_to_renewal', states.days_to_renewal),
    ('days_since_notice', states.days_since_notice)
) as drivers (driver, driver_value)
where
    health.health_date > as_of.as_of_date - {{ var('risk_history_days') }}
    -- What is learned is judged against the rules on the first of every month there was.
    or health.health_date = date_trunc('month', health.health_date)::date
