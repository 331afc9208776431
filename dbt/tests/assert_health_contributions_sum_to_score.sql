-- The score is explained by its measures, to the last binary digit, on the days just built.
select
    health.account_key,
    health.health_date,
    health.score
from {{ ref('int_time__rebuild_windows') }} as windows
inner join {{ ref('fct_account_health_daily') }} as health
    on windows.account_key = health.account_key and windows.rebuild_from_date <= health.health_date
where
    abs(
        score - (
            {% for measure in health_measures() -%}
            coalesce({{ measure }}_contribution, 0){{ ' + ' if not loop.last }}
            {% endfor %}
        )
    ) > 1e-9
    or score not between -1e-9 and 100 + 1e-9
    or (score is null) <> (coverage_ratio = 0)
    or (band is not null and coverage_ratio < {{ var('health_least_coverage_ratio') }})
