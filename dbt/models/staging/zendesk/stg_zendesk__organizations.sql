with source as (
    select * from {{ source('raw_zendesk', 'organizations') }}
)

select
    _pk as id,
    _deleted_at is not null as is_deleted,
    {{ present("payload ->> 'name'") }} as name,
    {{ present("payload ->> 'external_id'") }} as external_id,
    case
        when jsonb_typeof(payload -> 'domain_names') = 'array' then payload -> 'domain_names'
        else '[]'::jsonb
    end as domain_names,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
