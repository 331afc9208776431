with links as (
    select distinct on (source, source_id)
        source,
        source_id,
        account_key
    from {{ ref('stg_app__identity_links') }}
    order by source, source_id, link_id desc
),

companies as (
    select * from {{ ref('int_identity__companies') }}
)

-- An account that was merged away since is the one it lives on in; of one that is gone the decision says nothing more.
select
    links.source,
    links.source_id,
    companies.account_key
from links
left join companies on links.account_key = companies.company_account_key
where links.account_key is null or companies.account_key is not null
