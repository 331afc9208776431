with deals as (
    select *
    from {{ ref('stg_hubspot__deals') }}
    where not is_deleted and lower(property_dealtype) = 'renewal'
),

companies as (
    select * from {{ ref('int_identity__companies') }} where account_key is not null
),

associated as (
    select distinct on (deal_companies.deal_id)
        deal_companies.deal_id,
        companies.account_key
    from {{ ref('stg_hubspot__deal_companies') }} as deal_companies
    inner join companies on deal_companies.company_id = companies.company_id
    order by deal_companies.deal_id, deal_companies.is_primary desc, deal_companies.company_id
)

select
    deals.deal_id,
    associated.account_key,
    deals.property_dealname as deal_name,
    deals.deal_pipeline_stage_id as deal_stage,
    deals.property_closedate as deal_close_date,
    -- The CRM's two ends of a pipeline; whatever else a company calls its stages is under way.
    coalesce(deals.deal_pipeline_stage_id not in ('closedwon', 'closedlost'), true) as is_open
from deals
inner join associated on deals.deal_id = associated.deal_id
