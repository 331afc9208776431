with source as (
    select * from {{ source('raw_hubspot', 'contacts') }}
)

select
    _pk as id,
    _deleted_at is not null as is_deleted,
    _deleted_at as deleted_at,
    _delete_reason as delete_reason,
    _merged_into as merged_into_id,
    lower({{ hubspot_property('email') }}) as property_email,
    {{ hubspot_property('firstname') }} as property_firstname,
    {{ hubspot_property('lastname') }} as property_lastname,
    {{ hubspot_property('jobtitle') }} as property_jobtitle,
    {{ hubspot_property('lifecyclestage') }} as property_lifecyclestage,
    {{ hubspot_property('associatedcompanyid') }} as property_associatedcompanyid,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    {{ hubspot_property('buying_role') }} as property_buying_role,
    coalesce({{ hubspot_property('hs_email_bounce') }} not in ('0', 'false'), false) as property_hs_email_bounce,
    {{ to_date_utc(hubspot_property('left_company_date')) }} as property_left_company_date,
    {{ to_timestamp_utc(hubspot_property('createdate')) }} as property_createdate,
    {{ to_timestamp_utc(hubspot_property('lastmodifieddate')) }} as property_lastmodifieddate,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
