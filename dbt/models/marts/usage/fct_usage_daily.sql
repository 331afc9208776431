{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        full_refresh=false,
        indexes=[{'columns': ['account_key', 'usage_date'], 'unique': true}, {'columns': ['usage_date']}],
        pre_hook="{{ clear_days('usage_date') }}",
    )
}}

select
    account_key,
    usage_date,
    active_user_count,
    session_count,
    key_activity_count,
    campaign_sent_count,
    automation_live_count,
    feature_family_count,
    active_users_28d,
    key_activity_7d,
    key_activity_prev_7d,
    key_activity_30d,
    key_activity_prev_30d,
    days_since_key_activity
from {{ ref('int_usage__account_daily') }}
