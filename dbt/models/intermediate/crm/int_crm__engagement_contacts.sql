with links as (
    select
        'meeting' as engagement_kind,
        engagement_id,
        contact_id
    from {{ ref('stg_hubspot__meeting_contacts') }}

    union all

    select
        'call' as engagement_kind,
        engagement_id,
        contact_id
    from {{ ref('stg_hubspot__call_contacts') }}
),

contacts as (
    select * from {{ ref('int_crm__contacts') }}
)

select
    links.engagement_kind,
    links.engagement_id,
    contacts.contact_key,
    contacts.contact_name,
    contacts.account_key
from links
inner join contacts on links.contact_id = contacts.contact_id
