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
    or count(*) filter (
        where measure in (
            {% for measure in health_measures() -%}
            '{{ measure }}'{{ ',' if not loop.last }}
            {% endfor %}
        )
    ) <> {{ health_measures() | length }}
    or min(measure_weight) <= 0
    or min(dimension_weight) < 0
    or count(distinct valid_from_date) <> 1
    or bool_or(
        case direction
            when 'higher' then good_threshold < average_threshold
            else good_threshold > average_threshold
        end
    )
