{{
    config(
        indexes=[{'columns': ['ticket_id'], 'unique': true}, {'columns': ['account_key', 'created_at']}],
    )
}}

select
    ticket_id,
    account_key,
    subject,
    status,
    priority,
    created_at,
    updated_at,
    solved_at,
    first_reply_minutes,
    resolution_minutes,
    requester_email,
    satisfaction_score,
    is_open,
    is_open and priority = 'urgent' as is_urgent_open
from {{ ref('int_support__tickets') }}
