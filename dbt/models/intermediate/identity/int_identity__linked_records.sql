{{ config(materialized='view') }}

with links as (
    select * from {{ ref('int_identity__account_links') }}
),

records as (
    select
        'hubspot' as source,
        'companies' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__companies') }}

    union all

    select
        'stripe' as source,
        'customers' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_stripe__customers') }}

    union all

    select
        'zendesk' as source,
        'organizations' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_zendesk__organizations') }}

    union all

    select
        'product' as source,
        'tenants' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_product__tenants') }}
)

select
    links.account_key,
    links.source,
    records.stream,
    links.source_id,
    records.load_id,
    records.loaded_at
from links
inner join records on links.source = records.source and links.source_id = records.source_id
