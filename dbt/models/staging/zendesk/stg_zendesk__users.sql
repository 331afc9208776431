with source as (
    select * from {{ source('raw_zendesk', 'users') }}
)

select
    _pk as id,
    lower({{ present("payload ->> 'email'") }}) as email,
    {{ present("payload ->> 'name'") }} as name,
    payload ->> 'role' as role,
    coalesce((payload ->> 'active')::boolean, true) as is_active,
    payload ->> 'organization_id' as organization_id,
    _loaded_at as loaded_at
from source
