with tickets as (
    select * from {{ ref('stg_zendesk__tickets') }} where not is_deleted and not is_merged
),

users as (
    select * from {{ ref('stg_zendesk__users') }}
),

organization_links as (
    select * from {{ ref('int_identity__account_links') }} where source = 'zendesk' and is_linked
),

people as (
    select * from {{ ref('int_crm__people') }}
),

ratings as (
    select distinct on (ticket_id)
        ticket_id,
        score
    from {{ ref('stg_zendesk__satisfaction_ratings') }}
    where score in ('good', 'bad')
    order by ticket_id, updated_at desc
)

select
    tickets.id as ticket_id,
    -- The organisation speaks first; a ticket without one belongs to the account of the person who wrote it.
    coalesce(own.account_key, of_user.account_key, people.account_key) as account_key,
    tickets.subject,
    tickets.status,
    tickets.priority,
    tickets.created_at,
    tickets.updated_at,
    case
        when tickets.status in ('solved', 'closed') then coalesce(tickets.solved_at, tickets.updated_at)
    end as solved_at,
    tickets.first_reply_minutes,
    tickets.resolution_minutes,
    users.email as requester_email,
    coalesce(ratings.score, case when tickets.satisfaction_score in ('good', 'bad') then tickets.satisfaction_score end)
        as satisfaction_score,
    tickets.status not in ('solved', 'closed') as is_open,
    tickets.load_id,
    tickets.loaded_at
from tickets
left join users on tickets.requester_id = users.id
left join organization_links as own on tickets.organization_id = own.source_id
left join organization_links as of_user on users.organization_id = of_user.source_id
left join people on users.email = people.email
left join ratings on tickets.id = ratings.ticket_id
