with source as (
    select * from {{ source('raw_product', 'users') }}
)

select
    _pk as id,
    payload ->> 'tenant_id' as tenant_id,
    lower({{ present("payload ->> 'email'") }}) as email,
    payload ->> 'role' as role,
    coalesce((payload ->> 'is_active')::boolean, true) as is_active,
    {{ to_timestamp_utc("payload ->> 'created_at'") }} as created_at,
    coalesce({{ to_timestamp_utc("payload ->> 'deleted_at'") }}, _deleted_at) as deleted_at,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at
from source
