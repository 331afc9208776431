{{
    config(
        indexes=[{'columns': ['source', 'source_id'], 'unique': true}],
    )
}}

with links as (
    select * from {{ ref('int_identity__account_links') }}
),

accounts as (
    select
        account_key,
        company_name as account_name
    from {{ ref('int_identity__companies') }}
    where is_account
),

-- What hangs on a record, and since when nothing new did: what nothing hangs on can wait.
hanging as (
    select
        'stripe' as source,
        customer_id as source_id,
        count(*) as record_count,
        max(created) as newest_at
    from {{ ref('stg_stripe__invoices') }}
    group by customer_id

    union all

    select
        'zendesk' as source,
        organization_id as source_id,
        count(*) as record_count,
        max(created_at) as newest_at
    from {{ ref('stg_zendesk__tickets') }}
    where not is_deleted
    group by organization_id

    union all

    select
        'product' as source,
        tenant_id as source_id,
        count(*) as record_count,
        max(created_at) as newest_at
    from {{ ref('stg_product__users') }}
    where deleted_at is null
    group by tenant_id

    union all

    select
        'survey' as source,
        account_external_id as source_id,
        count(*) as record_count,
        max(responded_at) as newest_at
    from {{ ref('stg_survey__responses') }}
    group by account_external_id
),

named as (
    select
        links.source,
        links.source_id,
        jsonb_agg(
            candidate.value || jsonb_build_object('account_name', accounts.account_name)
            order by candidate.value ->> 'confidence' desc, accounts.account_name, candidate.value ->> 'rule'
        ) as candidates
    from links
    cross join lateral jsonb_array_elements(links.candidates) as candidate
    left join accounts on candidate.value ->> 'account_key' = accounts.account_key
    group by links.source, links.source_id
),

judged as (
    select
        *,
        case
            when rule = 'conflict' then 'conflict'
            when rule = 'no_candidate' then 'orphan'
            when rule = 'name' then 'name_only'
        end as issue_kind
    from links
)

select
    md5(judged.source || ':' || judged.source_id) as issue_key,
    judged.issue_kind,
    judged.source,
    judged.source_id,
    judged.source_name,
    judged.account_key,
    accounts.account_name,
    coalesce(named.candidates, '[]') as candidates,
    coalesce(hanging.record_count, 0)::integer as record_count,
    hanging.newest_at
from judged
left join accounts on judged.account_key = accounts.account_key
left join named on judged.source = named.source and judged.source_id = named.source_id
left join hanging on judged.source = hanging.source and judged.source_id = hanging.source_id
where judged.issue_kind is not null
