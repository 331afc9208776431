with source as (
    select * from {{ source('raw_zendesk', 'satisfaction_ratings') }}
)

select
    _pk as id,
    payload ->> 'ticket_id' as ticket_id,
    lower(payload ->> 'score') as score,
    {{ present("payload ->> 'comment'") }} as comment,
    {{ to_timestamp_utc("payload ->> 'created_at'") }} as created_at,
    {{ to_timestamp_utc("payload ->> 'updated_at'") }} as updated_at,
    _loaded_at as loaded_at
from source
where _deleted_at is null
