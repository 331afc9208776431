with customers as (
    select * from {{ ref('stg_stripe__customers') }}
),

-- A customer deleted before the first load is known only by what it left behind.
invoices as (
    select distinct on (customer_id)
        customer_id,
        customer_name,
        customer_email
    from {{ ref('stg_stripe__invoices') }}
    order by customer_id, created desc, id
),

subscriptions as (
    select
        customer_id,
        case when count(distinct metadata_tenant_id) = 1 then min(metadata_tenant_id) end as metadata_tenant_id,
        case when count(distinct metadata_hubspot_company_id) = 1 then min(metadata_hubspot_company_id) end
            as metadata_hubspot_company_id
    from {{ ref('stg_stripe__subscriptions') }}
    group by customer_id
),

known as (
    select id as customer_id from customers
    union
    select customer_id from invoices
    union
    select customer_id from subscriptions
)

select
    known.customer_id,
    coalesce(customers.customer_name, invoices.customer_name) as customer_name,
    coalesce(customers.email, invoices.customer_email) as email,
    coalesce(customers.metadata_tenant_id, subscriptions.metadata_tenant_id) as metadata_tenant_id,
    coalesce(customers.metadata_hubspot_company_id, subscriptions.metadata_hubspot_company_id)
        as metadata_hubspot_company_id
from known
left join customers on known.customer_id = customers.id
left join invoices on known.customer_id = invoices.customer_id
left join subscriptions on known.customer_id = subscriptions.customer_id
