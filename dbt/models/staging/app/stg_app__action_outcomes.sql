with source as (
    select * from {{ source('app', 'action_outcomes') }}
)

select
    outcome_id,
    action_id,
    execution,
    customer_response,
    result,
    done_intervention,
    channel,
    done_date,
    minutes,
    stakeholder_role_reached,
    closing_note,
    recorded_at
from source
