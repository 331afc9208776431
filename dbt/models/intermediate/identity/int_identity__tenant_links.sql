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
    select distinct
        tenant_id,
        {{ email_domain('email') }} as domain
    from {{ ref('stg_product__users') }}
    where email is not null
),

candidates as (
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
        user_domains.tenant_id,
        companies.account_key,
        'email_domain' as rule,
        0.9 as confidence
    from user_domains
    inner join companies on user_domains.domain = companies.domain
    where user_domains.domain not in (select domain from free_mail_domains)

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
    best.confidence
from tenants
left join best on tenants.id = best.tenant_id
