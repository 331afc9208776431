with as_of as (
    select * from {{ ref('int_time__as_of') }}
)

select
    events.user_id::text as user_id,
    max({{ utc_date('events.occurred_at') }}) as last_activity_date
from {{ ref('stg_product__usage_events') }} as events
cross join as_of
where events.user_id is not null and {{ utc_date('events.occurred_at') }} <= as_of.as_of_date
group by events.user_id
