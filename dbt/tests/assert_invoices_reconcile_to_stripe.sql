-- What the mart bills and what the billing system billed is the same money, counted from the raw payloads.
with raw_invoices as (
    select
        upper(payload ->> 'currency') as currency_code,
        count(*) as invoice_count,
        sum({{ major_units("payload ->> 'amount_due'", "payload ->> 'currency'") }}) as amount_due,
        sum({{ major_units("payload ->> 'amount_paid'", "payload ->> 'currency'") }}) as amount_paid
    from {{ source('raw_stripe', 'invoices') }}
    where
        _deleted_at is null
        and payload ->> 'status' <> 'draft'
        and coalesce(payload ->> 'livemode', 'true') = 'true'
        and payload ->> 'test_clock' is null
    group by upper(payload ->> 'currency')
),

marts_invoices as (
    select
        currency_code,
        count(*) as invoice_count,
        sum(amount_due) as amount_due,
        sum(amount_paid) as amount_paid
    from {{ ref('fct_invoices') }}
    group by currency_code
)

select
    coalesce(raw_invoices.currency_code, marts_invoices.currency_code) as currency_code,
    raw_invoices.amount_due as raw_amount_due,
    marts_invoices.amount_due
from raw_invoices
full join marts_invoices on raw_invoices.currency_code = marts_invoices.currency_code
where
    raw_invoices.invoice_count is distinct from marts_invoices.invoice_count
    or raw_invoices.amount_due is distinct from marts_invoices.amount_due
    or raw_invoices.amount_paid is distinct from marts_invoices.amount_paid
