with source as (
    select * from {{ source('raw_stripe', 'invoices') }}
    where coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null and _deleted_at is null
),

lines as (
    select
        source._pk as invoice_id,
        source._loaded_at as loaded_at,
        line.value as line,
        lower(line.value ->> 'currency') as currency
    from source
    cross join lateral jsonb_array_elements(source.payload -> 'lines' -> 'data') as line
)

select
    line ->> 'id' as id,
    invoice_id,
    currency,
    {{ major_units("line ->> 'amount'", 'currency') }} as amount,
    (
        select coalesce(sum({{ major_units("discount.value ->> 'amount'", 'lines.currency') }}), 0)
        from jsonb_array_elements(
            case when jsonb_typeof(line -> 'discount_amounts') = 'array' then line -> 'discount_amounts' else '[]' end
        ) as discount
    ) as discount_amount,
    (line ->> 'quantity')::integer as quantity,
    coalesce(line -> 'pricing' -> 'price_details' ->> 'price', line -> 'price' ->> 'id') as price_id,
    coalesce(line -> 'pricing' -> 'price_details' ->> 'product', line -> 'price' ->> 'product') as product_id,
    {{ from_epoch("line -> 'period' ->> 'start'") }} as period_start,
    {{ from_epoch("line -> 'period' ->> 'end'") }} as period_end,
    coalesce(
        line -> 'parent' -> 'subscription_item_details' ->> 'proration', line ->> 'proration', 'false'
    ) = 'true' as is_proration,
    loaded_at
from lines
