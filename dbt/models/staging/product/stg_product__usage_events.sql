with source as (
    select * from {{ source('raw_product', 'usage_events') }}
)

select
    event_id,
    tenant_id,
    user_id,
    event_name,
    feature,
    occurred_at,
    ingested_at,
    duration_ms,
    properties,
    _loaded_at as loaded_at
from source
