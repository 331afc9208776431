select
    score_id,
    version_id,
    account_key,
    score_date,
    churn_probability_90d,
    drivers
from {{ source('learning', 'churn_scores') }}
