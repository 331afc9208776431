{{
    config(
        indexes=[{'columns': ['source', 'source_id'], 'unique': true}, {'columns': ['account_key']}],
    )
}}

with links as (
    select * from {{ ref('int_identity__account_links') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
)

-- A company that never bought anything is no account yet.
select
    lives.account_key,
    links.source,
    links.source_id,
    links.source_name,
    case when links.is_linked and lives.account_key is null then 'not_a_customer' else links.rule end as rule,
    links.confidence,
    lives.account_key is not null as is_linked
from links
left join lives on links.account_key = lives.account_key
