with source as (
    select * from {{ source('ops', 'load_run') }}
)

select
    load_id,
    source,
    stream,
    kind,
    started_at,
    ended_at,
    status,
    source_now
from source
