with companies as (
    select * from {{ ref('int_identity__companies') }}
),

live_companies as (
    select * from companies where account_key is not null
),

tenant_links as (
    select * from {{ ref('int_identity__tenant_links') }}
),

-- A tenant that is torn between accounts tears what names it: that must not go by a weaker rule, or by half of its ids.
tenant_accounts as (
    select
        tenant_id,
        account_key,
        confidence
    from tenant_links
    where account_key is not null

    union all

    select
        tenant_links.tenant_id,
        candidate.value ->> 'account_key' as account_key,
        tenant_links.confidence
    from tenant_links
    cross join lateral jsonb_array_elements(tenant_links.candidates) as candidate
    where tenant_links.rule = 'conflict'
),

customers as (
    select * from {{ ref('int_identity__billing_customers') }}
),

organizations as (
    select * from {{ ref('stg_zendesk__organizations') }}
),

respondents as (
    select distinct account_external_id
    from {{ ref('stg_survey__responses') }}
    where account_external_id is not null
),

free_mail_domains as (
    select * from {{ ref('free_mail_domains') }}
),

organization_domains as (
    select
        organizations.id,
        {{ bare_domain('names.domain') }} as domain
    from organizations
    cross join lateral jsonb_array_elements_text(organizations.domain_names) as names (domain)
),

records as (
    select
        'stripe' as source,
        customer_id as source_id,
        customer_name as source_name
    from customers

    union all

    select
        'zendesk' as source,
        id as source_id,
        name as source_name
    from organizations

    union all

    select
        'survey' as source,
        account_external_id as source_id,
        account_external_id as source_name
    from respondents
),

candidates as (
    select
        source,
        source_id,
        account_key,
        'manual' as rule,
        1.0 as confidence
    from {{ ref('int_identity__manual_links') }}
    where source <> 'product'

    union all

    select
        'stripe' as source,
        customers.customer_id as source_id,
        live_companies.account_key,
        'metadata_hubspot_company_id' as rule,
        1.0 as confidence
    from customers
    inner join live_companies on customers.metadata_hubspot_company_id = live_companies.company_id

    union all

    select
        'stripe' as source,
        customers.customer_id as source_id,
        tenant_accounts.account_key,
        'metadata_tenant_id' as rule,
        tenant_accounts.confidence
    from customers
    inner join tenant_accounts on customers.metadata_tenant_id = tenant_accounts.tenant_id

    union all

    select
        'stripe' as source,
        customers.customer_id as source_id,
        live_companies.account_key,
        'email_domain' as rule,
        0.9 as confidence
    from customers
    inner join live_companies on {{ email_domain('customers.email') }} = live_companies.domain
    where live_companies.domain not in (select domain from free_mail_domains)

    union all

    select
        'stripe' as source,
        customers.customer_id as source_id,
        live_companies.account_key,
        'name' as rule,
        0.7 as confidence
    from customers
    inner join live_companies on {{ normalised_name('customers.customer_name') }} = live_companies.normalised_name

    union all

    select
        'zendesk' as source,
        organizations.id as source_id,
        tenant_accounts.account_key,
        'external_id' as rule,
        tenant_accounts.confidence
    from organizations
    inner join tenant_accounts on organizations.external_id = tenant_accounts.tenant_id

    union all

    select
        'zendesk' as source,
        organization_domains.id as source_id,
        live_companies.account_key,
        'domain' as rule,
        0.9 as confidence
    from organization_domains
    inner join live_companies on organization_domains.domain = live_companies.domain
    where live_companies.domain not in (select domain from free_mail_domains)

    union all

    select
        'zendesk' as source,
        organizations.id as source_id,
        live_companies.account_key,
        'name' as rule,
        0.7 as confidence
    from organizations
    inner join live_companies on {{ normalised_name('organizations.name') }} = live_companies.normalised_name

    union all

    select
        'survey' as source,
        respondents.account_external_id as source_id,
        tenant_accounts.account_key,
        'external_id' as rule,
        tenant_accounts.confidence
    from respondents
    inner join tenant_accounts on respondents.account_external_id = tenant_accounts.tenant_id

    union all

    select
        'survey' as source,
        respondents.account_external_id as source_id,
        live_companies.account_key,
        'external_id' as rule,
        1.0 as confidence
    from respondents
    inner join live_companies on respondents.account_external_id = live_companies.company_id
),

{{ unique_best('candidates', 'source, source_id') }},

linked as (
    select
        records.source,
        records.source_id,
        records.source_name,
        best.account_key,
        coalesce(best.rule, 'no_candidate') as rule,
        best.confidence,
        best.candidates
    from records
    left join best on records.source = best.source and records.source_id = best.source_id

    union all

    select
        'product' as source,
        tenant_id as source_id,
        tenant_name as source_name,
        account_key,
        rule,
        confidence,
        candidates
    from tenant_links

    union all

    select
        'hubspot' as source,
        company_id as source_id,
        company_name as source_name,
        account_key,
        case
            when is_account then 'crm_company'
            when account_key is not null then 'crm_merge'
            else 'crm_archived'
        end as rule,
        case when account_key is not null then 1.0 end as confidence,
        null::jsonb as candidates
    from companies
)

select
    source,
    source_id,
    source_name,
    account_key,
    rule,
    confidence::double precision as confidence,
    candidates,
    account_key is not null as is_linked
from linked
