-- Every version and profile weighs every measure once, with thresholds in order.
with measures as (
    select * from {{ ref('health_measures') }}
)

select
    config_version,
    profile
from measures
group by config_version, profile
having
    count(*) <> {{ health_measures() | length }}
    or count(*) filter (where measure in ('{{ health_measures() | join("', '") }}')) <> {{ health_measures() | length }}
    or min(measure_weight) <= 0
    or min(dimension_weight) < 0
    or count(distinct valid_from_date) <> 1
    or bool_or((direction = 'higher' and good_threshold < average_threshold)
        or (direction = 'lower' and good_threshold > average_threshold))
