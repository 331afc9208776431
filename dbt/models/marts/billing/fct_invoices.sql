{{
    config(
        indexes=[{'columns': ['invoice_id'], 'unique': true}, {'columns': ['account_key', 'invoiced_at']}],
    )
}}

with invoices as (
    select * from {{ ref('int_billing__invoices') }} where status <> 'draft'
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

rates as (
    select * from {{ ref('int_billing__fx_rates') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
),

judged as (
    select
        invoices.*,
        lives.account_key as customer_account_key,
        round(invoices.amount_due * rates.eur_per_unit, 2) as amount_due_eur,
        invoices.status = 'open' and invoices.amount_due > 0 and invoices.due_date < as_of.as_of_date as is_overdue,
        as_of.as_of_date - invoices.due_date as days_past_due
    from invoices
    cross join as_of
    left join lives on invoices.account_key = lives.account_key
    left join rates
        on
            invoices.currency_code = rates.currency_code
            and date_trunc('month', {{ utc_date('invoices.invoiced_at') }}::timestamp)::date = rates.month_start_date
)

select
    invoice_id,
    customer_account_key as account_key,
    invoice_number,
    subscription_id,
    status,
    currency_code,
    amount_due,
    amount_paid,
    amount_due_eur,
    invoiced_at,
    due_date,
    paid_at,
    is_overdue,
    case when is_overdue then days_past_due end as days_overdue,
    payment_failed_at is not null and status in ('open', 'uncollectible') as has_failed_payment,
    attempt_count,
    period_start_date,
    period_end_date
from judged
