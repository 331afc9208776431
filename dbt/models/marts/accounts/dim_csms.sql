with owners as (
    select * from {{ ref('int_crm__owners') }}
),

accounts as (
    select
        csm_key,
        count(*)::integer as account_count,
        sum(mrr_eur) as mrr_eur,
        sum(mrr_at_risk_eur) as mrr_at_risk_eur
    from {{ ref('dim_accounts') }}
    where is_active
    group by csm_key
)

select
    owners.csm_key,
    owners.owner_id,
    owners.csm_name,
    owners.csm_email,
    owners.is_active,
    coalesce(accounts.account_count, 0) as account_count,
    coalesce(accounts.mrr_eur, 0) as mrr_eur,
    coalesce(accounts.mrr_at_risk_eur, 0) as mrr_at_risk_eur
from owners
left join accounts on owners.csm_key = accounts.csm_key
