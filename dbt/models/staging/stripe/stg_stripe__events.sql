with source as (
    select * from {{ source('raw_stripe', 'events') }}
    where coalesce(payload ->> 'livemode', 'true') = 'true'
)

select
    _pk as id,
    payload ->> 'type' as type,
    {{ from_epoch("payload ->> 'created'") }} as created,
    payload -> 'data' -> 'object' ->> 'id' as object_id,
    payload -> 'data' -> 'object' ->> 'object' as object_type,
    _loaded_at as loaded_at
from source
