{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        indexes=[{'columns': ['account_key', 'usage_date'], 'unique': true}, {'columns': ['usage_date']}],
        pre_hook="{{ clear_days('usage_date') }}",
    )
}}

with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
),

-- Read by index: a CTE that is kept whole would be all of its history.
days as not materialized (
    select * from {{ ref('int_usage__account_days') }}
)

select
    days.account_key,
    days.usage_date,
    days.active_user_count,
    days.session_count,
    days.key_activity_count,
    days.campaign_sent_count,
    days.automation_live_count,
    days.feature_family_count,
    days.active_users_28d,
    days.key_activity_7d,
    days.key_activity_prev_7d,
    days.key_activity_30d,
    days.key_activity_prev_30d,
    days.days_since_key_activity
from windows
inner join days on windows.account_key = days.account_key and windows.rebuild_from_date <= days.usage_date
