with recursive companies as (
    select * from {{ ref('stg_hubspot__companies') }}
),

-- The absorbed record names its survivor, or the survivor lists what it absorbed: vendors do either.
absorptions as (
    select
        id as absorbed_id,
        merged_into_id as survivor_id
    from companies
    where merged_into_id is not null and merged_into_id <> id

    union

    select
        btrim(absorbed.id) as absorbed_id,
        companies.id as survivor_id
    from companies
    cross join lateral string_to_table(companies.property_hs_merged_object_ids, ';') as absorbed (id)
    where btrim(absorbed.id) not in ('', companies.id)
),

known as (
    select id as company_id from companies
    union
    select absorbed_id as company_id from absorptions
),

-- Merges chain: A into B, later B into C.
walked as (
    select
        absorbed_id as company_id,
        survivor_id as current_id,
        1 as step_count
    from absorptions

    union all

    select
        walked.company_id,
        absorptions.survivor_id as current_id,
        walked.step_count + 1 as step_count
    from walked
    inner join absorptions on walked.current_id = absorptions.absorbed_id
    where walked.step_count < 20
),

absorbed as (
    select distinct on (walked.company_id)
        walked.company_id,
        walked.current_id as surviving_company_id
    from walked
    left join absorptions on walked.current_id = absorptions.absorbed_id
    where absorptions.absorbed_id is null
    order by walked.company_id, walked.step_count desc
),

survivors as (
    select
        known.company_id,
        -- Nobody survives a circle of merges.
        case when absorptions.absorbed_id is null then known.company_id else absorbed.surviving_company_id end
            as surviving_company_id
    from known
    left join (select distinct absorptions.absorbed_id from absorptions) as absorptions
        on known.company_id = absorptions.absorbed_id
    left join absorbed on known.company_id = absorbed.company_id
)

select
    survivors.company_id,
    survivors.surviving_company_id,
    {{ account_key('survivors.company_id') }} as company_account_key,
    case
        when surviving.id is not null and not surviving.is_deleted
            then {{ account_key('survivors.surviving_company_id') }}
    end as account_key,
    coalesce(surviving.id = survivors.company_id and not surviving.is_deleted, false) as is_account,
    coalesce(own.property_name, surviving.property_name) as company_name,
    {{ normalised_name('own.property_name') }} as normalised_name,
    {{ bare_domain('own.property_domain') }} as domain,
    own.property_tenant_id as tenant_id
from survivors
left join companies as own on survivors.company_id = own.id
left join companies as surviving on survivors.surviving_company_id = surviving.id
