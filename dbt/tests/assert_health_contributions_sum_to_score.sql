-- The score is explained by its measures, to the last binary digit, on the days just built.
select
    account_key,
    health_date,
    score
from {{ ref('fct_account_health_daily') }}
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
