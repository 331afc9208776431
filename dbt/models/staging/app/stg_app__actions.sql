with source as (
    select * from {{ source('app', 'actions') }}
)

select
    action_id,
    account_key,
    account_name,
    title,
    action_type,
    reason,
    intervention,
    priority,
    status,
    owner_user_id,
    due_date,
    source,
    stakeholder,
    suggestion_id,
    decision_id,
    snoozed_until,
    result,
    cancel_reason,
    created_by,
    created_at,
    updated_at,
    closed_at
from source
