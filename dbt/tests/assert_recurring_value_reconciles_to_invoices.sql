-- To the cent, for every currency: what the invoices of accounts bill before tax, counted from the raw payloads, is the
-- lines that make the recurring value and what is known not to be recurring: bought once, or without a period.
with invoices as (
    select
        _pk as invoice_id,
        payload ->> 'customer' as customer_id,
        upper(payload ->> 'currency') as currency_code,
        {{ major_units("payload ->> 'subtotal'", "payload ->> 'currency'") }}
        - (
            select coalesce(sum({{ major_units("discount.value ->> 'amount'", "payload ->> 'currency'") }}), 0)
            from jsonb_array_elements(
                case
                    when jsonb_typeof(payload -> 'total_discount_amounts') = 'array'
                        then payload -> 'total_discount_amounts'
                    else '[]'
                end
            ) as discount
        ) as billed
    from {{ source('raw_stripe', 'invoices') }}
    where
        _deleted_at is null
        and coalesce(payload ->> 'livemode', 'true') = 'true'
        and payload ->> 'test_clock' is null
        and payload ->> 'status' <> 'void'
        and not (payload ->> 'status' = 'draft' and coalesce(payload ->> 'billing_reason', '') = 'manual')
),

linked as (
    select source_id from {{ ref('bridge_account_sources') }} where source = 'stripe' and is_linked
),

billed as (
    select
        currency_code,
        sum(billed) as amount
    from invoices
    where customer_id in (select source_id from linked)
    group by currency_code
),

recurring as (
    select
        currency_code,
        sum(amount) as amount
    from {{ ref('int_billing__invoice_lines') }}
    group by currency_code
),

-- Read once: the planner takes these views of JSON for a handful of rows and would unfold them again for each invoice.
lines as materialized (
    select
        invoice_id,
        price_id,
        period_start,
        period_end,
        amount - discount_amount as amount
    from {{ ref('stg_stripe__invoice_line_items') }}
),

prices as materialized (
    select
        id,
        recurring_interval
    from {{ ref('stg_stripe__prices') }}
),

other as (
    select
        invoices.currency_code,
        sum(lines.amount) as amount
    from invoices
    inner join lines on invoices.invoice_id = lines.invoice_id
    inner join prices on lines.price_id = prices.id
    where
        invoices.customer_id in (select source_id from linked)
        and (prices.recurring_interval is null or lines.period_end <= lines.period_start)
    group by invoices.currency_code
)

select
    billed.currency_code,
    billed.amount as billed,
    coalesce(recurring.amount, 0) as recurring,
    coalesce(other.amount, 0) as other
from billed
left join recurring on billed.currency_code = recurring.currency_code
left join other on billed.currency_code = other.currency_code
where billed.amount <> coalesce(recurring.amount, 0) + coalesce(other.amount, 0)
