with source as (
    select * from {{ source('raw_zendesk', 'tickets') }}
)

select
    _pk as id,
    _deleted_at is not null or payload ->> 'status' = 'deleted' as is_deleted,
    _merged_into is not null or coalesce(payload -> 'tags' @> '["closed_by_merge"]'::jsonb, false) as is_merged,
    {{ present("payload ->> 'subject'") }} as subject,
    lower(payload ->> 'status') as status,
    lower(payload ->> 'priority') as priority,
    lower(payload ->> 'type') as type,
    payload ->> 'requester_id' as requester_id,
    payload ->> 'assignee_id' as assignee_id,
    payload ->> 'organization_id' as organization_id,
    payload ->> 'group_id' as group_id,
    payload -> 'via' ->> 'channel' as via_channel,
    payload -> 'satisfaction_rating' ->> 'score' as satisfaction_score,
    {{ to_timestamp_utc("payload ->> 'created_at'") }} as created_at,
    {{ to_timestamp_utc("payload ->> 'updated_at'") }} as updated_at,
    {{ to_timestamp_utc("payload -> 'metric_set' ->> 'solved_at'") }} as solved_at,
    (payload -> 'metric_set' -> 'reply_time_in_minutes' ->> 'calendar')::integer as first_reply_minutes,
    (payload -> 'metric_set' -> 'full_resolution_time_in_minutes' ->> 'calendar')::integer as resolution_minutes,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
