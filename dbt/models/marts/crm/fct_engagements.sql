{{
    config(
        indexes=[{'columns': ['engagement_key'], 'unique': true}, {'columns': ['account_key', 'occurred_at']}],
    )
}}

with engagements as (
    select engagements.*
    from {{ ref('int_crm__engagements') }} as engagements
    inner join {{ ref('int_accounts__lives') }} as lives on engagements.account_key = lives.account_key
),

owners as (
    select * from {{ ref('int_crm__owners') }}
)

select
    engagements.engagement_key,
    engagements.account_key,
    engagements.engagement_kind,
    engagements.occurred_at,
    engagements.title,
    engagements.body,
    owners.csm_key,
    owners.csm_name,
    engagements.contact_names,
    engagements.outcome,
    engagements.is_two_way
from engagements
left join owners on engagements.owner_id = owners.owner_id
