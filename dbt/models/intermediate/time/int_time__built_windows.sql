-- depends_on: {{ ref('fct_usage_daily') }}
-- depends_on: {{ ref('fct_account_health_daily') }}
-- depends_on: {{ ref('fct_churn_risk_daily') }}
select
    account_key,
    first_date,
    last_date as built_through_date,
    links_hash,
    loaded_until
from {{ ref('int_time__rebuild_windows') }}
