with measures as (
    select
        *,
        dimension_weight::double precision / sum(measure_weight) over (
            partition by config_version, profile, dimension
        ) as weight_per_unit
    from {{ ref('health_measures') }}
),

versions as (
    select
        config_version,
        valid_from_date,
        lead(valid_from_date) over (order by valid_from_date, config_version) as valid_to_date
    from measures
    group by config_version, valid_from_date
),

wide as (
    select
        config_version,
        profile,
        {% for dimension, in_dimension in health_dimensions().items() -%}
        max(dimension_weight) filter (where dimension = '{{ dimension }}')::double precision as {{ dimension }}_weight,
        {% for measure in in_dimension -%}
        max(weight_per_unit * measure_weight / nullif(dimension_weight, 0)) filter (where measure = '{{ measure }}')
            as {{ measure }}_share,
        max(case direction when 'higher' then 1 else -1 end) filter (where measure = '{{ measure }}')
            as {{ measure }}_sign,
        max(good_threshold) filter (where measure = '{{ measure }}')::double precision as {{ measure }}_good,
        max(average_threshold) filter (where measure = '{{ measure }}')::double precision as {{ measure }}_average,
        {% endfor -%}
        {% endfor -%}
        count(*) as measure_count
    from measures
    group by config_version, profile
)

select
    wide.*,
    versions.valid_from_date,
    coalesce(versions.valid_to_date, 'infinity'::date) as valid_to_date
from wide
inner join versions on wide.config_version = versions.config_version
