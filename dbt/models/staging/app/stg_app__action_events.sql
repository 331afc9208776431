with source as (
    select * from {{ source('app', 'action_events') }}
)

select
    event_id,
    action_id,
    at,
    actor_kind,
    kind,
    field,
    before,
    after
from source
