-- depends_on: {{ ref('fct_usage_daily') }}
-- depends_on: {{ ref('fct_account_health_daily') }}
-- depends_on: {{ ref('fct_churn_risk_daily') }}
select
    windows.account_key,
    windows.last_date as built_through_date,
    windows.loaded_until,
    inputs.life_hash,
    inputs.input_dates,
    inputs.input_hashes
from {{ ref('int_time__rebuild_windows') }} as windows
inner join {{ ref('int_time__inputs') }} as inputs on windows.account_key = inputs.account_key
