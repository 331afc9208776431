with subscriptions as (
    select * from {{ ref('stg_stripe__subscriptions') }} where status not in ('incomplete', 'incomplete_expired')
),

links as (
    select * from {{ ref('int_identity__account_links') }} where source = 'stripe' and is_linked
),

products as (
    select * from {{ ref('stg_stripe__products') }}
),

seat_plans as (
    select * from {{ ref('seat_plans') }}
),

-- The seat plan of a subscription, the largest one when there are several.
plans as (
    select distinct on (items.subscription_id)
        items.subscription_id,
        products.product_name as plan,
        items.recurring_interval
    from {{ ref('stg_stripe__subscription_items') }} as items
    inner join products on items.product_id = products.id
    left join seat_plans on products.product_name = seat_plans.product_name
    order by items.subscription_id, seat_plans.product_name is null, items.quantity desc, items.id
),

paid_until as (
    select
        invoices.subscription_id,
        max({{ utc_date('lines.period_end') }}) as paid_until_date
    from {{ ref('int_billing__invoices') }} as invoices
    inner join {{ ref('stg_stripe__invoice_line_items') }} as lines on invoices.invoice_id = lines.invoice_id
    where invoices.status = 'paid' and lines.amount > 0
    group by invoices.subscription_id
)

select
    subscriptions.id as subscription_id,
    links.account_key,
    subscriptions.customer_id,
    subscriptions.status,
    upper(subscriptions.currency) as currency_code,
    plans.plan,
    plans.recurring_interval as billing_interval,
    {{ utc_date('subscriptions.start_date') }} as start_date,
    {{ utc_date('coalesce(subscriptions.billing_cycle_anchor, subscriptions.start_date)') }} as anchor_date,
    {{ utc_date('subscriptions.current_period_end') }} as current_period_end_date,
    {{ utc_date('coalesce(subscriptions.canceled_at, subscriptions.ended_at)') }} as notice_date,
    -- A running subscription that was told to end: on the day named, else with the period that is paid for.
    case
        when
            subscriptions.ended_at is null
            and (subscriptions.cancel_at_period_end or subscriptions.cancel_at is not null)
            then {{ utc_date('coalesce(subscriptions.cancel_at, subscriptions.current_period_end)') }}
    end as planned_end_date,
    -- Service that nobody paid for is not paid service: it ends where the last paid period ended.
    case
        when subscriptions.ended_at is not null
            then greatest(
                {{ utc_date('subscriptions.start_date') }},
                least({{ utc_date('subscriptions.ended_at') }}, paid_until.paid_until_date)
            )
    end as service_end_date,
    subscriptions.cancellation_reason,
    subscriptions.first_loaded_at,
    subscriptions.load_id,
    subscriptions.loaded_at
from subscriptions
left join links on subscriptions.customer_id = links.source_id
left join plans on subscriptions.id = plans.subscription_id
left join paid_until on subscriptions.id = paid_until.subscription_id
