{{
    config(
        indexes=[{'columns': ['ticket_id'], 'unique': true}, {'columns': ['account_key', 'created_at']}],
    )
}}

with tickets as (
    select * from {{ ref('int_support__tickets') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
)

select
    tickets.ticket_id,
    lives.account_key,
    tickets.subject,
    tickets.status,
    tickets.priority,
    tickets.created_at,
    tickets.updated_at,
    tickets.solved_at,
    tickets.first_reply_minutes,
    tickets.resolution_minutes,
    tickets.requester_email,
    tickets.satisfaction_score,
    tickets.is_open,
    tickets.is_open and tickets.priority = 'urgent' as is_urgent_open
from tickets
left join lives on tickets.account_key = lives.account_key
