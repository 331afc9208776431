{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='user_id',
        on_schema_change='fail',
        indexes=[{'columns': ['user_id'], 'unique': true}],
    )
}}

with as_of as (
    select * from {{ ref('int_time__as_of') }}
),

last_build as (
    select
        max(loaded_until) as loaded_until,
        max(as_of_date) as as_of_date
    from {{ last_build() }} as last_build
),

-- Read by index from several places: a CTE that is kept whole would be all of its history.
events as not materialized (
    select
        user_id::text as user_id,
        occurred_at,
        loaded_at
    from {{ ref('stg_product__usage_events') }}
    where user_id is not null
),

-- What was loaded since the last build, and what was there but of days that were not over yet.
news as (
    select
        user_id,
        occurred_at
    from events
    where loaded_at > (select coalesce(last_build.loaded_until, '-infinity') from last_build)

    union all

    select
        user_id,
        occurred_at
    from events
    where occurred_at >= (select (last_build.as_of_date + 1)::timestamp at time zone 'UTC' from last_build)
),

activity as (
    select
        news.user_id,
        max({{ utc_date('news.occurred_at') }}) as last_activity_date
    from news
    cross join as_of
    where {{ utc_date('news.occurred_at') }} <= as_of.as_of_date
    group by news.user_id
)

{% if is_incremental() -%}
select
    activity.user_id,
    greatest(activity.last_activity_date, known.last_activity_date) as last_activity_date
from activity
left join {{ this }} as known on activity.user_id = known.user_id
{%- else -%}
select * from activity
{%- endif %}
