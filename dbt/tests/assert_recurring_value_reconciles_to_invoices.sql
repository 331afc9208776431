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

once as (
    select
        lines.invoice_id,
        lines.amount - lines.discount_amount as amount
    from {{ ref('stg_stripe__invoice_line_items') }} as lines
    inner join {{ ref('stg_stripe__prices') }} as prices on lines.price_id = prices.id
    where prices.recurring_interval is null or lines.period_end <= lines.period_start
),

-- Grouped, not joined: the planner takes views of JSON for a handful of rows, and would read one for each of the other.
sides as (
    select
        invoice_id,
        currency_code,
        0 as amount
    from invoices
    where customer_id in (select source_id from linked)

    union all

    select
        invoice_id,
        null as currency_code,
        amount
    from once
),

other_of_invoices as (
    select
        invoice_id,
        max(currency_code) as currency_code,
        sum(amount) as amount
    from sides
    group by invoice_id
),

other as (
    select
        currency_code,
        sum(amount) as amount
    from other_of_invoices
    where currency_code is not null
    group by currency_code
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
