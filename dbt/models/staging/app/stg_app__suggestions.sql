with source as (
    select * from {{ source('app', 'suggestions') }}
)

select
    suggestion_id,
    account_key,
    rule_id,
    rule_version,
    action_type,
    reason,
    priority,
    intervention,
    status,
    score,
    decision_id,
    build_id,
    generated_at,
    answered_at,
    dismissal_reason,
    action_id
from source
