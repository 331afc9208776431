{{ config(materialized='view') }}

-- What a model of churn may know of an account at the end of a day. Every column is dated: none changes because of
-- what happened afterwards, save by a correction that changes the daily facts as well.
-- Read by index from several places: a CTE that is kept whole would be all of its history.
with health as not materialized (
    select * from {{ ref('fct_account_health_daily') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
)

select
    health.account_key,
    health.health_date as risk_date,
    health.seat_use_value as seat_use,
    health.seat_use_value - before.seat_use_value as seat_use_change,
    health.key_activity_value as key_activity_change,
    health.recency_value as days_since_use,
    health.campaigns_value as campaigns_ratio,
    health.feature_breadth_value as feature_families,
    health.live_automations_value as live_automations,
    health.ticket_volume_value as ticket_count,
    health.urgent_unresolved_value as urgent_unresolved,
    health.last_contact_value as days_since_contact,
    health.known_roles_value as known_roles,
    health.champion_value as champions,
    health.nps_value as nps,
    health.overdue_invoice_value as overdue_days,
    health.failed_payment_value as failed_payments,
    -- A contract by the month can be left in any of them: it has no renewal to come nearer.
    case
        when lives.billing_interval = 'year'
            then (
                lives.anchor_date + make_interval(
                    years => greatest(extract(year from age(health.health_date, lives.anchor_date))::integer, 0) + 1
                )
            )::date - health.health_date
    end::double precision as days_to_renewal,
    case when health.health_date >= lives.notice_date then 1 else 0 end::double precision as has_notice,
    (health.health_date - lives.customer_since_date)::double precision as customer_age_days
from health
inner join lives on health.account_key = lives.account_key
left join health as before
    on health.account_key = before.account_key and health.health_date - 28 = before.health_date
