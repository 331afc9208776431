{{ config(tags=['nightly']) }}

-- One row for every day of an account's life, none outside it; usage from the first day of its tenant.
with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

health as (
    select
        account_key,
        count(*) as day_count,
        min(health_date) as first_date,
        max(health_date) as last_date
    from {{ ref('fct_account_health_daily') }}
    group by account_key
),

usage as (
    select
        account_key,
        count(*) as day_count,
        min(usage_date) as first_date,
        max(usage_date) as last_date
    from {{ ref('fct_usage_daily') }}
    group by account_key
)

select
    lives.account_key,
    'fct_account_health_daily' as fact
from lives
left join health on lives.account_key = health.account_key
where
    lives.first_date <= lives.last_date
    and (
        health.day_count is distinct from lives.last_date - lives.first_date + 1
        or health.first_date <> lives.first_date
        or health.last_date <> lives.last_date
    )

union all

select
    lives.account_key,
    'fct_usage_daily' as fact
from lives
left join usage on lives.account_key = usage.account_key
where
    lives.usage_first_date <= lives.last_date
    and (
        usage.day_count is distinct from lives.last_date - lives.usage_first_date + 1
        or usage.first_date <> lives.usage_first_date
        or usage.last_date <> lives.last_date
    )
