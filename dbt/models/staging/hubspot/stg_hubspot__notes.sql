with source as (
    select * from {{ source('raw_hubspot', 'notes') }}
)

select
    _pk as engagement_id,
    _deleted_at is not null as is_deleted,
    {{ to_timestamp_utc(hubspot_property('hs_timestamp')) }} as property_hs_timestamp,
    {{ hubspot_property('hs_note_body') }} as property_hs_note_body,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
