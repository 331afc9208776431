with runs as (
    select * from {{ ref('stg_ops__load_runs') }}
),

finished as (
    select
        max(source_now) as source_now,
        max(ended_at) as last_ended_at
    from runs
    where status in ('succeeded', 'warned')
),

-- A run that started more than six hours before the newest one and never ended was killed; it holds nothing back.
under_way as (
    select min(started_at) as first_started_at
    from runs
    where
        status = 'running'
        and started_at > (select max(every_run.started_at) from runs as every_run) - interval '6 hours'
),

last_build as (
    select * from {{ last_build() }} as last_build
),

-- Older accounts had a life before our sources reach back; what happened then is unknown, not nothing. Usage only
-- grows: what was loaded since the last build can make it reach back further, and is all that has to be read.
reach as (
    select
        least(
            min({{ utc_date('occurred_at') }}), (select min(last_build.history_from_date) from last_build)
        ) as history_from_date
    from {{ ref('stg_product__usage_events') }}
    where loaded_at > (select coalesce(max(last_build.loaded_until), '-infinity') from last_build)
)

select
    ({{ utc_date('finished.source_now') }} - 1)::date as as_of_date,
    reach.history_from_date,
    finished.source_now,
    least(finished.last_ended_at, under_way.first_started_at) as loaded_until
from finished
cross join under_way
cross join reach
