{{ config(materialized='view') }}

with states as (
    select * from {{ ref('int_accounts__state_daily') }}
),

usage as (
    select * from {{ ref('int_usage__account_days') }}
)

select
    states.account_key,
    states.state_date as health_date,
    states.profile,
    usage.active_users_28d::double precision / nullif(states.seats_paid, 0) as seat_use_value,
    -- Two full windows are needed; from nothing to something is full growth, from nothing to nothing a full drop.
    -- Rounded, so that a drop of exactly 5% is not a binary fraction more than 5%.
    case
        when usage.tracked_days < 60 then null
        when usage.key_activity_prev_30d > 0
            then round(usage.key_activity_30d::numeric / usage.key_activity_prev_30d - 1, 6)
        when usage.key_activity_30d > 0 then 1
        when usage.tracked_days >= 60 then -1
    end::double precision as key_activity_value,
    usage.days_since_use::double precision as recency_value,
    usage.automations_live_7d::double precision as live_automations_value,
    -- Against the account's own pace in the half year before; at least 60 days of it make a baseline.
    case
        when usage.tracked_days < 90 then null
        when usage.campaigns_baseline_180d > 0
            then
                round(
                    usage.campaigns_30d::numeric * least(usage.tracked_days - 30, 180)
                    / (usage.campaigns_baseline_180d * 30),
                    6
                )
        when usage.campaigns_30d > 0 then 1
        when usage.tracked_days >= 90 then 0
    end::double precision as campaigns_value,
    usage.feature_families_28d::double precision as feature_breadth_value,
    states.ticket_count_30d::double precision as ticket_volume_value,
    states.urgent_open_count::double precision as urgent_unresolved_value,
    states.mean_first_reply_minutes as first_reply_value,
    states.days_since_two_way_contact::double precision as last_contact_value,
    states.known_role_count::double precision as known_roles_value,
    states.champion_count::double precision as champion_value,
    states.nps_score::double precision as nps_value,
    states.oldest_overdue_days::double precision as overdue_invoice_value,
    states.failed_payment_count::double precision as failed_payment_value,
    case when coalesce(states.mrr, 0) = 0 then 0 else states.mrr_eur end as mrr_eur,
    states.renewal_date,
    states.last_two_way_contact_date as last_contact_date
from states
left join usage on states.account_key = usage.account_key and states.state_date = usage.usage_date
