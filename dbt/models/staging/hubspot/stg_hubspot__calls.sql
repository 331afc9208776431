with source as (
    select * from {{ source('raw_hubspot', 'calls') }}
)

select
    _pk as engagement_id,
    _deleted_at is not null as is_deleted,
    {{ to_timestamp_utc(hubspot_property('hs_timestamp')) }} as property_hs_timestamp,
    {{ hubspot_property('hs_call_title') }} as property_hs_call_title,
    {{ hubspot_property('hs_call_body') }} as property_hs_call_body,
    {{ to_number(hubspot_property('hs_call_duration')) }} as property_hs_call_duration_ms,
    -- The vendor stores its own outcomes as fixed ids; the first is "Connected".
    case {{ hubspot_property('hs_call_disposition') }}
        when 'f240bbac-87c9-4f6e-bf70-924b57d47db7' then 'connected'
        when '73a0d17f-1163-4015-bdd5-ec830791da20' then 'no_answer'
        when 'b2cf5968-551e-4856-9783-52b3da59a7d0' then 'left_voicemail'
        else lower({{ hubspot_property('hs_call_disposition') }})
    end as property_hs_call_disposition,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
