select
    accounts.account_key,
    (select count(*) from {{ source('learning', 'model_versions') }})::int as version_count,
    (select count(*) from {{ source('learning', 'churn_scores') }})::int as score_count
from {{ ref('dim_accounts') }} as accounts
