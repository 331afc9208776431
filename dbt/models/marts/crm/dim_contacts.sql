{{
    config(
        indexes=[{'columns': ['contact_key'], 'unique': true}, {'columns': ['account_key']}],
    )
}}

with contacts as (
    select contacts.*
    from {{ ref('int_crm__contacts') }} as contacts
    inner join {{ ref('int_accounts__lives') }} as lives on contacts.account_key = lives.account_key
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

two_way_contacts as (
    select
        participants.contact_key,
        max({{ utc_date('engagements.occurred_at') }}) as last_two_way_contact_date,
        count(distinct engagements.engagement_key) filter (
            where as_of.as_of_date - {{ utc_date('engagements.occurred_at') }} < {{ var('contact_activity_days') }}
        )::integer as two_way_contact_count
    from {{ ref('int_crm__engagement_contacts') }} as participants
    inner join {{ ref('int_crm__engagements') }} as engagements
        on
            participants.engagement_kind = engagements.engagement_kind
            and participants.engagement_id = engagements.engagement_id
            and participants.account_key = engagements.account_key
    cross join as_of
    where engagements.is_two_way and {{ utc_date('engagements.occurred_at') }} <= as_of.as_of_date
    group by participants.contact_key
),

product_users as (
    select
        users.email,
        max(activity.last_activity_date) as last_product_activity_date
    from {{ ref('stg_product__users') }} as users
    left join {{ ref('int_usage__user_activity') }} as activity on users.id = activity.user_id
    where users.email is not null
    group by users.email
)

select
    contacts.contact_key,
    contacts.account_key,
    contacts.contact_id,
    contacts.contact_name,
    contacts.email,
    contacts.job_title,
    contacts.stakeholder_role,
    contacts.stakeholder_role = 'champion' as is_champion,
    coalesce(contacts.left_date <= as_of.as_of_date, false) as has_left,
    contacts.left_date,
    contacts.has_bounced,
    case when coalesce(contacts.departure_date <= as_of.as_of_date, true) then contacts.departure_kind end
        as departure_kind,
    case when contacts.departure_date <= as_of.as_of_date then contacts.departure_date end as departure_date,
    two_way_contacts.last_two_way_contact_date,
    coalesce(two_way_contacts.two_way_contact_count, 0) as two_way_contact_count_90d,
    product_users.last_product_activity_date,
    product_users.email is not null as is_product_user,
    contacts.created_date
from contacts
cross join as_of
left join two_way_contacts on contacts.contact_key = two_way_contacts.contact_key
left join product_users on contacts.email = product_users.email
