with source as (
    select * from {{ source('app', 'action_notes') }}
)

select
    note_id,
    action_id,
    account_key,
    author_name,
    body,
    created_at
from source
