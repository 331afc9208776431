with months as (
    select * from {{ ref('int_billing__mrr_monthly') }}
)

select
    account_key,
    month_start_date as movement_month,
    case
        when not had_mrr_before then 'new'
        when not is_customer then 'churned'
        when not was_customer_before then 'reactivation'
        when mrr > mrr_before then 'expansion'
        else 'contraction'
    end as movement_type,
    currency_code,
    mrr - mrr_before as amount,
    mrr_eur - mrr_before_eur as amount_eur,
    mrr_before_eur,
    mrr_eur as mrr_after_eur
from months
where mrr <> mrr_before
