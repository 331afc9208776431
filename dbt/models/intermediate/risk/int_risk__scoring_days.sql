{{ config(materialized='view', grants={'select': ['learner']}) }}

with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
),

features as (
    select * from {{ ref('int_risk__features') }}
)

select
    features.account_key,
    {% for feature in churn_features() -%}
    features.{{ feature }},
    {% endfor -%}
    features.risk_date
from features
inner join windows
    on features.account_key = windows.account_key and features.risk_date >= windows.rebuild_from_date
