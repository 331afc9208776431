with source as (
    select * from {{ source('raw_stripe', 'customers') }}
    where coalesce(payload ->> 'livemode', 'true') = 'true' and payload ->> 'test_clock' is null
)

select
    _pk as id,
    _deleted_at is not null as is_deleted,
    {{ present("payload ->> 'name'") }} as customer_name,
    lower({{ present("payload ->> 'email'") }}) as email,
    {{ from_epoch("payload ->> 'created'") }} as created,
    lower(payload ->> 'currency') as currency,
    {{ present("payload -> 'address' ->> 'country'") }} as address_country,
    {{ present("payload -> 'metadata' ->> 'tenant_id'") }} as metadata_tenant_id,
    {{ present("payload -> 'metadata' ->> 'hubspot_company_id'") }} as metadata_hubspot_company_id,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
