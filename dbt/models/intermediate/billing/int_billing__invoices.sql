with invoices as (
    select * from {{ ref('stg_stripe__invoices') }}
),

links as (
    select * from {{ ref('int_identity__account_links') }} where source = 'stripe' and is_linked
),

failures as (
    select
        object_id as invoice_id,
        min(created) as first_failed_at,
        max(created) as last_failed_at
    from {{ ref('stg_stripe__events') }}
    where type = 'invoice.payment_failed'
    group by object_id
),

dated as (
    select
        invoices.*,
        links.account_key,
        coalesce(invoices.status_transitions_finalized_at, invoices.created) as invoiced_at,
        invoices.status_transitions_paid_at as paid_at,
        -- When the claim ended, however it ended.
        case invoices.status
            when 'paid' then invoices.status_transitions_paid_at
            when 'void' then invoices.status_transitions_voided_at
            when 'uncollectible' then invoices.status_transitions_marked_uncollectible_at
        end as settled_at,
        failures.first_failed_at,
        failures.last_failed_at
    from invoices
    left join links on invoices.customer_id = links.source_id
    left join failures on invoices.id = failures.invoice_id
)

select
    id as invoice_id,
    account_key,
    customer_id,
    subscription_id,
    number as invoice_number,
    status,
    billing_reason,
    upper(currency) as currency_code,
    amount_due,
    amount_paid,
    invoiced_at,
    -- A card is charged when the invoice is made: without terms it is due at once.
    {{ utc_date('coalesce(due_date, invoiced_at)') }} as due_date,
    paid_at,
    settled_at,
    attempt_count,
    -- The vendor keeps events for 30 days: an older failure shows only in the count of attempts.
    case
        when first_failed_at is not null then first_failed_at
        when attempt_count > 1 or (attempt_count = 1 and status in ('open', 'uncollectible')) then invoiced_at
    end as payment_failed_at,
    {{ utc_date('period_start') }} as period_start_date,
    {{ utc_date('period_end') }} as period_end_date,
    first_loaded_at,
    load_id,
    loaded_at
from dated
