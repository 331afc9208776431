{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        indexes=[{'columns': ['account_key', 'quantity']}, {'columns': ['part']}],
        pre_hook="{{ clear_touched('loaded_at') }}",
    )
}}

with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

invoices as (
    select * from {{ ref('int_billing__invoices') }} as invoices where {{ is_touched('invoices.account_key') }}
),

tickets as (
    select * from {{ ref('int_support__tickets') }} as tickets where {{ is_touched('tickets.account_key') }}
),

engagements as (
    select
        engagements.*,
        {{ utc_date('occurred_at') }} as occurred_date
    from {{ ref('int_crm__engagements') }} as engagements
    where {{ is_touched('engagements.account_key') }}
),

answers as (
    select
        answers.*,
        {{ utc_date('answers.responded_at') }} as answer_date,
        lead({{ utc_date('answers.responded_at') }}) over (
            partition by answers.account_key order by answers.responded_at, answers.response_key desc
        ) as next_answer_date
    from {{ ref('int_survey__responses') }} as answers
    where {{ is_touched('answers.account_key') }}
),

used as (
    select
        account_key,
        quantity,
        source,
        stream,
        source_id,
        part,
        from_date,
        to_date,
        amount,
        load_id,
        loaded_at
    from {{ ref('int_accounts__spans') }} as spans
    where {{ is_touched('spans.account_key') }}

    union all

    select
        account_key,
        'overdue_invoice' as quantity,
        'stripe' as source,
        'invoices' as stream,
        invoice_id as source_id,
        invoice_id as part,
        due_date + 1 as from_date,
        {{ utc_date('settled_at') }} as to_date,
        amount_due as amount,
        load_id,
        loaded_at
    from invoices
    where status <> 'draft' and amount_due > 0

    union all

    select
        account_key,
        'open_overdue_invoice' as quantity,
        'stripe' as source,
        'invoices' as stream,
        invoice_id as source_id,
        invoice_id as part,
        due_date + 1 as from_date,
        null::date as to_date,
        amount_due as amount,
        load_id,
        loaded_at
    from invoices
    where status = 'open' and amount_due > 0

    union all

    select
        account_key,
        'invoice' as quantity,
        'stripe' as source,
        'invoices' as stream,
        invoice_id as source_id,
        invoice_id as part,
        {{ utc_date('invoiced_at') }} as from_date,
        null::date as to_date,
        amount_due as amount,
        load_id,
        loaded_at
    from invoices
    where status <> 'draft'

    union all

    select
        account_key,
        'subscription' as quantity,
        'stripe' as source,
        'subscriptions' as stream,
        subscription_id as source_id,
        subscription_id as part,
        start_date as from_date,
        service_end_date as to_date,
        null::numeric as amount,
        load_id,
        loaded_at
    from {{ ref('int_billing__subscriptions') }} as subscriptions
    where {{ is_touched('subscriptions.account_key') }}

    union all

    select
        account_key,
        'ticket' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        {{ utc_date('created_at') }} as from_date,
        {{ utc_date('solved_at') }} as to_date,
        1 as amount,
        load_id,
        loaded_at
    from tickets

    union all

    select
        account_key,
        'open_ticket' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        {{ utc_date('created_at') }} as from_date,
        null::date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from tickets
    where is_open

    union all

    select
        account_key,
        'urgent_open_ticket' as quantity,
        'zendesk' as source,
        'tickets' as stream,
        ticket_id as source_id,
        ticket_id as part,
        {{ utc_date('created_at') }} as from_date,
        null::date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from tickets
    where is_open and priority = 'urgent'

    union all

    select
        account_key,
        'contact' as quantity,
        'hubspot' as source,
        'contacts' as stream,
        contact_id as source_id,
        contact_key as part,
        null::date as from_date,
        left_date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from {{ ref('int_crm__contacts') }} as contacts
    where {{ is_touched('contacts.account_key') }}

    union all

    select
        account_key,
        'engagement' as quantity,
        'hubspot' as source,
        engagement_kind || 's' as stream,
        engagement_id as source_id,
        engagement_key as part,
        occurred_date as from_date,
        null::date as to_date,
        1 as amount,
        load_id,
        loaded_at
    from engagements

    union all

    -- Counts from its day until the next one does.
    select
        account_key,
        'last_two_way_contact' as quantity,
        'hubspot' as source,
        engagement_kind || 's' as stream,
        engagement_id as source_id,
        engagement_key as part,
        occurred_date as from_date,
        lead(occurred_date) over (partition by account_key order by occurred_at, engagement_key) as to_date,
        1 as amount,
        load_id,
        loaded_at
    from engagements
    where is_two_way

    union all

    select
        account_key,
        'nps_answer' as quantity,
        'survey' as source,
        'responses' as stream,
        source_id,
        response_key as part,
        answer_date as from_date,
        least(next_answer_date, answer_date + {{ var('nps_valid_days') }}) as to_date,
        score as amount,
        load_id,
        loaded_at
    from answers

    union all

    select
        account_key,
        'newest_nps_answer' as quantity,
        'survey' as source,
        'responses' as stream,
        source_id,
        response_key as part,
        answer_date as from_date,
        null::date as to_date,
        score as amount,
        load_id,
        loaded_at
    from answers
    where next_answer_date is null and account_key is not null

    union all

    select
        account_key,
        'nps_response' as quantity,
        'survey' as source,
        'responses' as stream,
        source_id,
        response_key as part,
        answer_date as from_date,
        null::date as to_date,
        score as amount,
        load_id,
        loaded_at
    from answers

    union all

    -- The records that identity is about: companies, customers, organisations, tenants.
    select
        account_key,
        'link' as quantity,
        source,
        stream,
        source_id,
        source_id as part,
        null::date as from_date,
        null::date as to_date,
        null::numeric as amount,
        load_id,
        loaded_at
    from {{ ref('int_identity__linked_records') }} as records
    where {{ is_touched('records.account_key') }}
)

select
    lives.account_key,
    used.quantity,
    used.source,
    used.stream,
    used.source_id,
    used.part,
    used.from_date,
    used.to_date,
    used.amount::numeric as amount,
    used.load_id,
    used.loaded_at
from used
left join lives on used.account_key = lives.account_key
