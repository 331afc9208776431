{{ config(materialized='view', grants={'select': ['learner']}) }}

with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
)

select features.*
from {{ ref('int_risk__features') }} as features
inner join windows
    on features.account_key = windows.account_key and features.risk_date >= windows.rebuild_from_date
