with invoices as (
    select * from {{ ref('int_billing__invoices') }} where status <> 'void' and account_key is not null
),

lines as (
    select * from {{ ref('stg_stripe__invoice_line_items') }}
),

prices as (
    select * from {{ ref('stg_stripe__prices') }}
),

products as (
    select * from {{ ref('stg_stripe__products') }}
),

seat_plans as (
    select * from {{ ref('seat_plans') }}
),

subscriptions as (
    select * from {{ ref('int_billing__subscriptions') }}
),

recurring as (
    select
        lines.id as invoice_line_id,
        invoices.invoice_id,
        invoices.account_key,
        invoices.subscription_id,
        invoices.currency_code,
        lines.amount - lines.discount_amount as amount,
        lines.quantity,
        seat_plans.product_name is not null as is_seat_plan,
        {{ utc_date('lines.period_start') }} as start_date,
        {{ utc_date('lines.period_end') }} as period_end_date,
        subscriptions.service_end_date,
        prices.recurring_interval
    from invoices
    inner join lines on invoices.invoice_id = lines.invoice_id
    inner join prices on lines.price_id = prices.id
    left join products on coalesce(lines.product_id, prices.product_id) = products.id
    left join seat_plans on products.product_name = seat_plans.product_name
    left join subscriptions on invoices.subscription_id = subscriptions.subscription_id
    where prices.recurring_interval is not null and lines.period_end > lines.period_start
),

-- A whole period counts in months of the calendar, a part of one (a change of seats in mid-term) in days.
measured as (
    select
        recurring.*,
        least(period_end_date, coalesce(service_end_date, period_end_date)) as end_date,
        case
            when period_end_date = (start_date + interval '1 year')::date then 12
            when period_end_date = (start_date + interval '1 month')::date then 1
            when period_end_date - start_date between 28 and 31 then 1
            when period_end_date - start_date between 365 and 366 then 12
            else (period_end_date - start_date) * 12 / 365.25
        end as month_count
    from recurring
)

select
    invoice_line_id,
    invoice_id,
    account_key,
    subscription_id,
    currency_code,
    amount,
    is_seat_plan,
    recurring_interval,
    start_date,
    end_date,
    round(month_count::numeric, 6) as month_count,
    round(amount / month_count::numeric, 2) as monthly_amount,
    -- A credit for unused time takes its seats away again.
    case when is_seat_plan then sign(amount)::integer * coalesce(quantity, 0) else 0 end as seat_count
from measured
where end_date > start_date
