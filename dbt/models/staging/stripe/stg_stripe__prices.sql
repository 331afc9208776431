with source as (
    select * from {{ source('raw_stripe', 'prices') }}
)

select
    _pk as id,
    payload ->> 'product' as product_id,
    lower(payload ->> 'currency') as currency,
    {{ to_number("coalesce(payload ->> 'unit_amount_decimal', payload ->> 'unit_amount')") }} as unit_amount,
    payload -> 'recurring' ->> 'interval' as recurring_interval,
    (payload -> 'recurring' ->> 'interval_count')::integer as recurring_interval_count,
    payload ->> 'billing_scheme' as billing_scheme,
    _loaded_at as loaded_at
from source
