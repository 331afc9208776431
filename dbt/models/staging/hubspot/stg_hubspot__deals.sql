with source as (
    select * from {{ source('raw_hubspot', 'deals') }}
)

select
    _pk as deal_id,
    _deleted_at is not null as is_deleted,
    {{ hubspot_property('dealname') }} as property_dealname,
    {{ to_number(hubspot_property('amount')) }} as property_amount,
    lower({{ hubspot_property('deal_currency_code') }}) as property_deal_currency_code,
    {{ to_date_utc(hubspot_property('closedate')) }} as property_closedate,
    {{ hubspot_property('dealstage') }} as deal_pipeline_stage_id,
    {{ hubspot_property('pipeline') }} as deal_pipeline_id,
    {{ hubspot_property('dealtype') }} as property_dealtype,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at
from source
