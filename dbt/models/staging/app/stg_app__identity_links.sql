with source as (
    select * from {{ source('app', 'identity_links') }}
)

select
    link_id,
    source,
    source_id,
    account_key,
    reason,
    linked_by_name,
    linked_at
from source
