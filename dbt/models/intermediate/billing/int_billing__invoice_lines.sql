-- A subscription's draft becomes its invoice within the hour; one that somebody is writing by hand may become anything.
with invoices as (
    select *
    from {{ ref('int_billing__invoices') }}
    where status <> 'void' and (status <> 'draft' or billing_reason <> 'manual') and account_key is not null
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

accounts as (
    select * from {{ ref('int_accounts__lives') }}
),

rates as (
    select * from {{ ref('int_billing__fx_rates') }}
),

recurring as (
    select
        lines.id as invoice_line_id,
        invoices.invoice_id,
        invoices.account_key,
        invoices.subscription_id,
        invoices.currency_code,
        invoices.load_id,
        invoices.loaded_at,
        lines.amount - lines.discount_amount as amount,
        lines.quantity,
        seat_plans.product_name is not null as is_seat_plan,
        lines.is_proration,
        lines.period_start,
        lines.period_end,
        {{ utc_date('lines.period_start') }} as start_date,
        {{ utc_date('lines.period_end') }} as period_end_date,
        subscriptions.service_end_date,
        prices.recurring_interval,
        (coalesce(prices.recurring_interval_count, 1)::text || ' ' || prices.recurring_interval)::interval as term
    from invoices
    inner join lines on invoices.invoice_id = lines.invoice_id
    inner join prices on lines.price_id = prices.id
    left join products on coalesce(lines.product_id, prices.product_id) = products.id
    left join seat_plans on products.product_name = seat_plans.product_name
    left join subscriptions on invoices.subscription_id = subscriptions.subscription_id
    where prices.recurring_interval is not null and lines.period_end > lines.period_start
),

-- A whole period counts in months of the calendar; a part of one (a change of seats in mid-term, up to the term's end)
-- as the vendor charges it, by its share of the seconds of the term.
measured as (
    select
        recurring.*,
        -- A period that began after service had ended (nobody paid for it) is billed and worth nothing.
        greatest(start_date, least(period_end_date, coalesce(service_end_date, period_end_date))) as end_date,
        (extract(year from term) * 12 + extract(month from term) + extract(day from term) * 12 / 365.25)
        * case
            -- From 31 January to 28 February is a whole month, and so is the next one to 31 March.
            when not is_proration and abs(extract(epoch from period_end - (period_start + term))) <= 4 * 86400 then 1
            else extract(epoch from period_end - period_start) / extract(epoch from period_end - (period_end - term))
        end as month_count,
        greatest(date_trunc('month', start_date::timestamp)::date, (select min(rates.month_start_date) from rates))
            as rate_month
    from recurring
),

-- An account that is billed in two currencies (a subsidiary's customer) counts in that of its main subscription, at the
-- rates of the month in which the line begins: what a line is worth never changes afterwards.
converted as (
    select
        measured.*,
        case
            when measured.currency_code = accounts.currency_code then 1
            else line_rates.eur_per_unit / account_rates.eur_per_unit
        end as account_units
    from measured
    left join accounts on measured.account_key = accounts.account_key
    left join rates as line_rates
        on measured.currency_code = line_rates.currency_code and measured.rate_month = line_rates.month_start_date
    left join rates as account_rates
        on accounts.currency_code = account_rates.currency_code and measured.rate_month = account_rates.month_start_date
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
    round(amount / month_count::numeric * account_units, 2) as monthly_amount,
    -- A credit for unused time takes its seats away again.
    case when is_seat_plan then sign(amount)::integer * coalesce(quantity, 0) else 0 end as seat_count,
    load_id,
    loaded_at
from converted
