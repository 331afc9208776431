with source as (
    select * from {{ source('raw_stripe', 'subscriptions') }}
    where coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null
),

items as (
    select
        source._pk as subscription_id,
        source._loaded_at as loaded_at,
        item.value as item
    from source
    cross join lateral jsonb_array_elements(source.payload -> 'items' -> 'data') as item
)

select
    item ->> 'id' as id,
    subscription_id,
    coalesce(item -> 'price' ->> 'id', item -> 'plan' ->> 'id') as plan_id,
    coalesce(item -> 'price' ->> 'product', item -> 'plan' ->> 'product') as product_id,
    coalesce(item -> 'price' -> 'recurring' ->> 'interval', item -> 'plan' ->> 'interval') as recurring_interval,
    (item ->> 'quantity')::integer as quantity,
    {{ from_epoch("item ->> 'current_period_start'") }} as current_period_start,
    {{ from_epoch("item ->> 'current_period_end'") }} as current_period_end,
    loaded_at
from items
