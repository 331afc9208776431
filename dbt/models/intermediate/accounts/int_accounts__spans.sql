{{ config(materialized='view') }}

with lines as (
    select * from {{ ref('int_billing__invoice_lines') }}
),

invoices as (
    select * from {{ ref('int_billing__invoices') }}
),

tickets as (
    select
        ticket_id,
        account_key,
        priority,
        first_reply_minutes,
        load_id,
        loaded_at,
        {{ utc_date('created_at') }} as created_date,
        {{ utc_date('solved_at') }} as solved_date,
        {{ utc_date('(created_at + make_interval(mins => first_reply_minutes))') }} as first_reply_date
    from {{ ref('int_support__tickets') }}
),

contacts as (
    select * from {{ ref('int_crm__contacts') }} where left_date is null or left_date > created_date
),

-- What holds for a span of days: from_date inclusive, to_date exclusive, null when it still holds.
spans as (
    select
        account_key,
        'seats_paid' as quantity,
        'stripe' as source,
        'invoices' as stream,
        invoice_id as source_id,
        invoice_line_id as part,
        start_date as from_date,
        end_date as to_date,
        seat_count::numeric as amount,
        load_id,
        loaded_at
    from lines
    where seat_count <> 0

    union all

    select
        account_key,
        'mrr' as quantity,
        'stripe' as source,
        'invoices' as stream,
        invoice_id as source_id,
        invoice_line_id as part,
        start_date as from_date,
        end_date as to_date,
        monthly_amount as amount,
        load_id,
        loaded_at
    from lines

    union all

    select
        account_key,
        'failed_payment_count' as quantity,
        'stripe' as source,
        'invoices' as stream,
        invoice_id as source_id,
        invoice_id as part,
        {{ utc_date('payment_failed_at') }} as from_date,
        {{ utc_date('settled_at') }} as to_date,
        1 as amount,
        load_id,
        loaded_at
    from invoices
    where payment_failed_at is not null

    union all

    select
        account_key,
        'ticket_count_30d' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        created_date as from_date,
        created_date + 30 as to_date,
        1 as amount,
        load_id,
        loaded_at
    from tickets

    union all

    select
        account_key,
        'urgent_open_count' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        created_date as from_date,
        solved_date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from tickets
    where priority = 'urgent'

    union all

    select
        account_key,
        'first_reply_count_30d' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        first_reply_date as from_date,
        first_reply_date + 30 as to_date,
        1 as amount,
        load_id,
        loaded_at
    from tickets
    where first_reply_date is not null

    union all

    select
        account_key,
        'first_reply_minutes_30d' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        first_reply_date as from_date,
        first_reply_date + 30 as to_date,
        first_reply_minutes as amount,
        load_id,
        loaded_at
    from tickets
    where first_reply_date is not null

    union all

    select
        account_key,
        'contact_count' as quantity,
        'hubspot' as source,
        'contacts' as stream,
        contact_id as source_id,
        contact_key as part,
        created_date as from_date,
        left_date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from contacts

    union all

    select
        account_key,
        'known_role_count' as quantity,
        'hubspot' as source,
        'contacts' as stream,
        contact_id as source_id,
        contact_key as part,
        created_date as from_date,
        left_date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from contacts
    where stakeholder_role <> 'unknown'

    union all

    select
        account_key,
        'champion_count' as quantity,
        'hubspot' as source,
        'contacts' as stream,
        contact_id as source_id,
        contact_key as part,
        created_date as from_date,
        left_date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from contacts
    where stakeholder_role = 'champion'
)

-- What ends on the day on which it begins, or before, never held.
select * from spans
where account_key is not null and (to_date is null or to_date > from_date)
