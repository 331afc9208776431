with source as (
    select * from {{ source('raw_product', 'tenants') }}
)

select
    _pk as id,
    {{ present("payload ->> 'name'") }} as name,
    {{ present("payload ->> 'plan'") }} as plan,
    {{ present("payload ->> 'country'") }} as country,
    payload ->> 'status' as status,
    {{ to_timestamp_utc("payload ->> 'created_at'") }} as created_at,
    coalesce({{ to_timestamp_utc("payload ->> 'deleted_at'") }}, _deleted_at) as deleted_at,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
