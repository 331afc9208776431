{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        indexes=[{'columns': ['account_key', 'health_date'], 'unique': true}],
        pre_hook="{{ delete_days('health_date') }}",
    )
}}

-- noqa: disable=LT02
-- (loops and lateral lists are indented for the reader; the linter sees them unrolled)
with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
),

-- Read by index from several places: a CTE that is kept whole would be all of its history.
health as not materialized (
    select * from {{ ref('fct_account_health_daily') }} where band is not null
),

-- The days told anew, and of each account the last day with a band before them.
days as (
    select
        health.account_key,
        health.health_date,
        health.band,
        windows.rebuild_from_date
    from health
    inner join windows
        on health.account_key = windows.account_key and health.health_date >= windows.rebuild_from_date

    union all

    select
        windows.account_key,
        before.health_date,
        before.band,
        windows.rebuild_from_date
    from windows
    cross join lateral (
        select
            health.health_date,
            health.band
        from health
        where health.account_key = windows.account_key and health.health_date < windows.rebuild_from_date
        order by health.health_date desc
        limit 1
    ) as before
    where windows.rebuild_from_date <= windows.last_date
),

band_days as (
    select
        days.*,
        lag(band) over account_days as previous_band,
        lag(health_date) over account_days as previous_date
    from days
    window account_days as (partition by account_key order by health_date)
)

select
    band_days.account_key,
    band_days.health_date,
    band_days.band,
    band_days.previous_band,
    after.score,
    before.score as previous_score,
    mover.measure,
    mover.moved
from band_days
-- A change is rare and the planner does not know it: `limit` has each one's days looked up, not all history read.
cross join lateral (
    select * from health
    where health.account_key = band_days.account_key and health.health_date = band_days.health_date
    limit 1
) as after
cross join lateral (
    select * from health
    where health.account_key = band_days.account_key and health.health_date = band_days.previous_date
    limit 1
) as before
cross join lateral (
    select
        moves.measure,
        moves.moved
    from (
        values
        {% for measure in health_measures() -%}
        (
            '{{ measure | replace("_", " ") }}',
            coalesce(after.{{ measure }}_contribution, 0) - coalesce(before.{{ measure }}_contribution, 0)
        ){{ ',' if not loop.last }}
        {% endfor %}
    ) as moves (measure, moved)
    -- The measure that moved furthest in the direction of the score.
    order by moves.moved * sign(after.score - before.score) desc, moves.measure
    limit 1
) as mover
where band_days.band <> band_days.previous_band and band_days.health_date >= band_days.rebuild_from_date
