with tenants as (
    select * from {{ ref('stg_product__tenants') }}
),

companies as (
    select * from {{ ref('int_identity__companies') }} where account_key is not null
),

free_mail_domains as (
    select * from {{ ref('free_mail_domains') }}
),

user_domains as (
    select
        tenant_id,
        {{ email_domain('email') }} as domain,
        count(*) as user_count
    from {{ ref('stg_product__users') }}
    where email is not null
    group by tenant_id, domain
),

-- The domain of most of its users, mail providers counted: an agency's people work in the tenants of its customers too.
own_domains as (
    select
        tenant_id,
        domain
    from (
        select
            user_domains.*,
            sum(user_domains.user_count) over (partition by user_domains.tenant_id) as tenant_user_count
        from user_domains
    ) as shares
    where user_count * 2 > tenant_user_count and domain not in (select free.domain from free_mail_domains as free)
),

candidates as (
    select
        source_id as tenant_id,
        account_key,
        'manual' as rule,
        1.0 as confidence
    from {{ ref('int_identity__manual_links') }}
    where source = 'product'

    union all

    select
        companies.tenant_id,
        companies.account_key,
        'crm_tenant_id' as rule,
        1.0 as confidence
    from companies
    where companies.tenant_id is not null

    union all

    select
        customers.metadata_tenant_id as tenant_id,
        companies.account_key,
        'billing_metadata' as rule,
        1.0 as confidence
    from {{ ref('int_identity__billing_customers') }} as customers
    inner join companies on customers.metadata_hubspot_company_id = companies.company_id
    where customers.metadata_tenant_id is not null

    union all

    select
        own_domains.tenant_id,
        companies.account_key,
        'email_domain' as rule,
        0.9 as confidence
    from own_domains
    inner join companies on own_domains.domain = companies.domain

    union all

    select
        tenants.id as tenant_id,
        companies.account_key,
        'name' as rule,
        0.7 as confidence
    from tenants
    inner join companies on {{ normalised_name('tenants.name') }} = companies.normalised_name
),

{{ unique_best('candidates', 'tenant_id') }}

select
    tenants.id as tenant_id,
    tenants.name as tenant_name,
    best.account_key,
    coalesce(best.rule, 'no_candidate') as rule,
    best.confidence,
    best.candidates
from tenants
left join best on tenants.id = best.tenant_id
