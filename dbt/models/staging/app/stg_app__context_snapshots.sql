with source as (
    select * from {{ source('app', 'context_snapshots') }}
)

select
    snapshot_id,
    account_key,
    as_of,
    features
from source
