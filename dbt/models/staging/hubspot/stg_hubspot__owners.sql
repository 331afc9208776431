with source as (
    select * from {{ source('raw_hubspot', 'owners') }}
)

select
    _pk as owner_id,
    lower({{ present("payload ->> 'email'") }}) as email,
    {{ present("payload ->> 'firstName'") }} as first_name,
    {{ present("payload ->> 'lastName'") }} as last_name,
    {{ present("payload ->> 'userId'") }} as active_user_id,
    _deleted_at is null and coalesce(payload ->> 'archived', 'false') <> 'true' as is_active,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at
from source
