-- Opening value plus all movements is the closing value, for each account in both currencies, and the closing value of
-- an active account is the one its dimension shows.
with months as (
    select * from {{ ref('int_billing__mrr_monthly') }}
),

bounds as (
    select
        account_key,
        (array_agg(mrr_before order by month_start_date))[1] as opening_mrr,
        (array_agg(mrr_before_eur order by month_start_date))[1] as opening_mrr_eur,
        (array_agg(mrr order by month_start_date desc))[1] as closing_mrr,
        (array_agg(mrr_eur order by month_start_date desc))[1] as closing_mrr_eur
    from months
    group by account_key
),

movements as (
    select
        account_key,
        sum(amount) as amount,
        sum(amount_eur) as amount_eur
    from {{ ref('fct_mrr_movements') }}
    group by account_key
),

accounts as (
    select * from {{ ref('dim_accounts') }}
)

select bounds.account_key
from bounds
left join movements on bounds.account_key = movements.account_key
left join accounts on bounds.account_key = accounts.account_key
where
    bounds.opening_mrr + coalesce(movements.amount, 0) <> bounds.closing_mrr
    or bounds.opening_mrr_eur + coalesce(movements.amount_eur, 0) <> bounds.closing_mrr_eur
    or (accounts.is_active and accounts.mrr <> bounds.closing_mrr)
    or (accounts.is_active and accounts.mrr_eur <> bounds.closing_mrr_eur)
