with meetings as (
    select
        engagement_id,
        'meeting' as engagement_kind,
        coalesce(property_hs_meeting_start_time, property_hs_timestamp) as occurred_at,
        property_hs_meeting_title as title,
        property_hs_meeting_body as body,
        lower(property_hs_meeting_outcome) as outcome,
        property_hs_meeting_outcome = 'COMPLETED' as is_two_way,
        owner_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__meetings') }}
    where not is_deleted
),

calls as (
    select
        engagement_id,
        'call' as engagement_kind,
        property_hs_timestamp as occurred_at,
        property_hs_call_title as title,
        property_hs_call_body as body,
        property_hs_call_disposition as outcome,
        property_hs_call_disposition = 'connected' as is_two_way,
        owner_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__calls') }}
    where not is_deleted
),

notes as (
    select
        engagement_id,
        'note' as engagement_kind,
        property_hs_timestamp as occurred_at,
        null::text as title,
        property_hs_note_body as body,
        null::text as outcome,
        false as is_two_way,
        owner_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__notes') }}
    where not is_deleted
),

engagements as (
    select * from meetings
    union all
    select * from calls
    union all
    select * from notes
),

company_links as (
    select
        'meeting' as engagement_kind,
        engagement_id,
        company_id
    from {{ ref('stg_hubspot__meeting_companies') }}

    union all

    select
        'call' as engagement_kind,
        engagement_id,
        company_id
    from {{ ref('stg_hubspot__call_companies') }}

    union all

    select
        'note' as engagement_kind,
        engagement_id,
        company_id
    from {{ ref('stg_hubspot__note_companies') }}
),

contact_links as (
    select * from {{ ref('int_crm__engagement_contacts') }}
),

accounts_by_company as (
    select distinct
        company_links.engagement_kind,
        company_links.engagement_id,
        companies.account_key
    from company_links
    inner join {{ ref('int_identity__companies') }} as companies on company_links.company_id = companies.company_id
    where companies.account_key is not null
),

-- Without a company the people present say whose engagement it is.
accounts_by_contact as (
    select distinct
        engagement_kind,
        engagement_id,
        account_key
    from contact_links
    where (engagement_kind, engagement_id) not in (
        select
            engagement_kind,
            engagement_id
        from accounts_by_company
    )
),

accounts as (
    select * from accounts_by_company
    union all
    select * from accounts_by_contact
),

participants as (
    select
        engagement_kind,
        engagement_id,
        account_key,
        array_agg(contact_name order by contact_name) filter (where contact_name is not null) as contact_names
    from contact_links
    group by engagement_kind, engagement_id, account_key
)

select
    md5(engagements.engagement_kind || ':' || engagements.engagement_id || ':' || accounts.account_key)
        as engagement_key,
    engagements.engagement_kind,
    engagements.engagement_id,
    accounts.account_key,
    engagements.occurred_at,
    engagements.title,
    {{ plain_text('engagements.body') }} as body,
    engagements.outcome,
    coalesce(engagements.is_two_way, false) as is_two_way,
    engagements.owner_id,
    coalesce(participants.contact_names, '{}') as contact_names,
    engagements.load_id,
    engagements.loaded_at
from engagements
inner join accounts
    on engagements.engagement_kind = accounts.engagement_kind and engagements.engagement_id = accounts.engagement_id
left join participants
    on
        engagements.engagement_kind = participants.engagement_kind
        and engagements.engagement_id = participants.engagement_id
        and accounts.account_key = participants.account_key
where engagements.occurred_at is not null
