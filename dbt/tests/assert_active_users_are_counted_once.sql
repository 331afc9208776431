-- The running sum of the last day equals a plain count of distinct users over its 28 days.
with as_of as (
    select * from {{ ref('int_time__as_of') }}
),

counted as (
    select
        links.account_key,
        count(distinct events.user_id) as active_users_28d
    from {{ ref('stg_product__usage_events') }} as events
    inner join {{ ref('int_identity__account_links') }} as links
        on events.tenant_id::text = links.source_id and links.source = 'product'
    left join {{ ref('usage_event_kinds') }} as kinds on events.event_name = kinds.event_name
    where
        coalesce(kinds.is_use, true)
        and events.occurred_at >= ((select as_of.as_of_date from as_of) - 27)::timestamp at time zone 'UTC'
        and events.occurred_at < ((select as_of.as_of_date from as_of) + 1)::timestamp at time zone 'UTC'
    group by links.account_key
)

select
    usage.account_key,
    usage.active_users_28d,
    counted.active_users_28d as counted_users_28d
from {{ ref('fct_usage_daily') }} as usage
inner join as_of on usage.usage_date = as_of.as_of_date
left join counted on usage.account_key = counted.account_key
where usage.active_users_28d <> coalesce(counted.active_users_28d, 0)
