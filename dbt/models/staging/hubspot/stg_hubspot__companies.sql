with source as (
    select * from {{ source('raw_hubspot', 'companies') }}
)

select
    _pk as id,
    _deleted_at is not null as is_deleted,
    _merged_into as merged_into_id,
    {{ hubspot_property('name') }} as property_name,
    {{ hubspot_property('domain') }} as property_domain,
    {{ hubspot_property('industry') }} as property_industry,
    {{ hubspot_property('city') }} as property_city,
    {{ hubspot_property('country') }} as property_country,
    {{ to_number(hubspot_property('numberofemployees')) }} as property_numberofemployees,
    {{ to_number(hubspot_property('annualrevenue')) }} as property_annualrevenue,
    {{ hubspot_property('lifecyclestage') }} as property_lifecyclestage,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    {{ hubspot_property('tenant_id') }} as property_tenant_id,
    {{ hubspot_property('customer_segment') }} as property_customer_segment,
    {{ to_date_utc(hubspot_property('onboarding_completed_date')) }} as property_onboarding_completed_date,
    {{ hubspot_property('hs_merged_object_ids') }} as property_hs_merged_object_ids,
    {{ to_timestamp_utc(hubspot_property('createdate')) }} as property_createdate,
    {{ to_timestamp_utc(hubspot_property('hs_lastmodifieddate')) }} as property_hs_lastmodifieddate,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
