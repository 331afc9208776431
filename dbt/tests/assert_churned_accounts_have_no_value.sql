-- Active or churned, never both; who left pays nothing and is at no risk any more.
with accounts as (
    select * from {{ ref('dim_accounts') }}
)

select account_key
from accounts
where
    is_active = (churned_date is not null)
    or is_active = (churn_kind is not null)
    or (not is_active and (mrr <> 0 or mrr_at_risk_eur <> 0 or health_band is not null))
    or churned_date < customer_since_date
    or mrr < 0
    or churn_probability_90d not between 0 and 1
    or mrr_at_risk_eur > mrr_eur
