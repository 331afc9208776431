with source as (
    select * from {{ source('raw_stripe', 'subscriptions') }}
    where coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null
),

-- Without its items a payload is unpacked once and small; with them, once for every column below.
first_item as materialized (
    select
        _pk,
        payload - 'items' as payload,
        payload -> 'items' -> 'data' -> 0 as item,
        _first_loaded_at,
        _loaded_at,
        _load_id
    from source
)

select
    _pk as id,
    payload ->> 'customer' as customer_id,
    payload ->> 'status' as status,
    lower(payload ->> 'currency') as currency,
    {{ from_epoch("payload ->> 'created'") }} as created,
    {{ from_epoch("payload ->> 'start_date'") }} as start_date,
    {{ from_epoch("payload ->> 'billing_cycle_anchor'") }} as billing_cycle_anchor,
    {{ from_epoch("payload ->> 'cancel_at'") }} as cancel_at,
    coalesce((payload ->> 'cancel_at_period_end')::boolean, false) as cancel_at_period_end,
    {{ from_epoch("payload ->> 'canceled_at'") }} as canceled_at,
    {{ from_epoch("payload ->> 'ended_at'") }} as ended_at,
    payload -> 'cancellation_details' ->> 'reason' as cancellation_reason,
    {{ present("payload -> 'metadata' ->> 'tenant_id'") }} as metadata_tenant_id,
    {{ present("payload -> 'metadata' ->> 'hubspot_company_id'") }} as metadata_hubspot_company_id,
    -- Since version 2025-03-31 the period belongs to the item; older payloads have it on the subscription.
    {{ from_epoch("coalesce(item ->> 'current_period_start', payload ->> 'current_period_start')") }}
        as current_period_start,
    {{ from_epoch("coalesce(item ->> 'current_period_end', payload ->> 'current_period_end')") }}
        as current_period_end,
    payload ->> 'latest_invoice' as latest_invoice_id,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from first_item
