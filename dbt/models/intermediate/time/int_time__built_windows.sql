-- depends_on: {{ ref('fct_usage_daily') }}
-- depends_on: {{ ref('fct_account_health_daily') }}
-- depends_on: {{ ref('fct_churn_risk_daily') }}
-- depends_on: {{ ref('int_usage__user_activity') }}
-- depends_on: {{ ref('int_health__band_changes') }}
-- depends_on: {{ ref('fct_account_events') }}
-- depends_on: {{ ref('fct_figure_inputs') }}
select
    windows.account_key,
    windows.last_date as built_through_date,
    as_of.loaded_until,
    as_of.as_of_date,
    as_of.history_from_date,
    inputs.life_hash,
    inputs.input_dates,
    inputs.input_hashes,
    touched.fingerprint
from {{ ref('int_time__rebuild_windows') }} as windows
inner join {{ ref('int_time__inputs') }} as inputs on windows.account_key = inputs.account_key
inner join {{ ref('int_time__touched_accounts') }} as touched on windows.account_key = touched.account_key
cross join {{ ref('int_time__as_of') }} as as_of
