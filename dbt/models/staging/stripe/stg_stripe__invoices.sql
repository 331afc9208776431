with source as (
    select * from {{ source('raw_stripe', 'invoices') }}
    where coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null and _deleted_at is null
),

-- Without its lines a payload is unpacked once and small; with them, once for every column below.
typed as materialized (
    select
        _pk as id,
        payload - 'lines' as payload,
        lower(payload ->> 'currency') as currency,
        _first_loaded_at as first_loaded_at,
        _loaded_at as loaded_at,
        _load_id as load_id
    from source
)

select
    id,
    payload ->> 'customer' as customer_id,
    {{ present("payload ->> 'customer_name'") }} as customer_name,
    lower({{ present("payload ->> 'customer_email'") }}) as customer_email,
    -- Since version 2025-03-31 the subscription hangs below `parent`.
    coalesce(
        payload -> 'parent' -> 'subscription_details' ->> 'subscription', payload ->> 'subscription'
    ) as subscription_id,
    payload ->> 'number' as number,
    payload ->> 'status' as status,
    payload ->> 'billing_reason' as billing_reason,
    currency,
    {{ major_units("payload ->> 'amount_due'", 'currency') }} as amount_due,
    {{ major_units("payload ->> 'amount_paid'", 'currency') }} as amount_paid,
    {{ major_units("payload ->> 'amount_remaining'", 'currency') }} as amount_remaining,
    {{ major_units("payload ->> 'total'", 'currency') }} as total,
    {{ major_units("payload ->> 'subtotal'", 'currency') }} as subtotal,
    coalesce((payload ->> 'attempted')::boolean, false) as attempted,
    coalesce((payload ->> 'attempt_count')::integer, 0) as attempt_count,
    {{ from_epoch("payload ->> 'created'") }} as created,
    {{ from_epoch("payload ->> 'due_date'") }} as due_date,
    {{ from_epoch("payload ->> 'next_payment_attempt'") }} as next_payment_attempt,
    {{ from_epoch("payload ->> 'period_start'") }} as period_start,
    {{ from_epoch("payload ->> 'period_end'") }} as period_end,
    {{ from_epoch("payload -> 'status_transitions' ->> 'finalized_at'") }} as status_transitions_finalized_at,
    {{ from_epoch("payload -> 'status_transitions' ->> 'paid_at'") }} as status_transitions_paid_at,
    {{ from_epoch("payload -> 'status_transitions' ->> 'voided_at'") }} as status_transitions_voided_at,
    {{ from_epoch("payload -> 'status_transitions' ->> 'marked_uncollectible_at'") }}
        as status_transitions_marked_uncollectible_at,
    first_loaded_at,
    loaded_at,
    load_id
from typed
