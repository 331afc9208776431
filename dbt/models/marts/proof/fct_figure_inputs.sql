{{
    config(
        indexes=[{'columns': ['account_key', 'quantity']}, {'columns': ['part']}],
    )
}}

with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

links as (
    select * from {{ ref('int_identity__account_links') }}
),

invoices as (
    select * from {{ ref('int_billing__invoices') }}
),

tickets as (
    select * from {{ ref('int_support__tickets') }}
),

engagements as (
    select
        engagements.*,
        {{ utc_date('occurred_at') }} as occurred_date
    from {{ ref('int_crm__engagements') }} as engagements
),

answers as (
    select
        answers.account_key,
        answers.response_key,
        answers.score,
        responses.id as source_id,
        {{ utc_date('answers.responded_at') }} as answer_date,
        lead({{ utc_date('answers.responded_at') }}) over (
            partition by answers.account_key order by answers.responded_at, answers.response_key desc
        ) as next_answer_date
    from {{ ref('int_survey__responses') }} as answers
    inner join {{ ref('stg_survey__responses') }} as responses on answers.response_key = md5('survey:' || responses.id)
),

records as (
    select
        'hubspot' as source,
        'companies' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__companies') }}

    union all

    select
        'hubspot' as source,
        'contacts' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__contacts') }}

    union all

    select
        'hubspot' as source,
        'meetings' as stream,
        engagement_id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__meetings') }}

    union all

    select
        'hubspot' as source,
        'calls' as stream,
        engagement_id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__calls') }}

    union all

    select
        'hubspot' as source,
        'notes' as stream,
        engagement_id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_hubspot__notes') }}

    union all

    select
        'stripe' as source,
        'customers' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_stripe__customers') }}

    union all

    select
        'stripe' as source,
        'subscriptions' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_stripe__subscriptions') }}

    union all

    select
        'stripe' as source,
        'invoices' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_stripe__invoices') }}

    union all

    select
        'zendesk' as source,
        'organizations' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_zendesk__organizations') }}

    union all

    select
        'zendesk' as source,
        'tickets' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_zendesk__tickets') }}

    union all

    select
        'product' as source,
        'tenants' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_product__tenants') }}

    union all

    select
        'survey' as source,
        'responses' as stream,
        id as source_id,
        load_id,
        loaded_at
    from {{ ref('stg_survey__responses') }}
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
        amount
    from {{ ref('int_accounts__spans') }}

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
        amount_due as amount
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
        amount_due as amount
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
        amount_due as amount
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
        null::numeric as amount
    from {{ ref('int_billing__subscriptions') }}

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
        1 as amount
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
        1 as amount
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
        1 as amount
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
        1 as amount
    from {{ ref('int_crm__contacts') }}

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
        1 as amount
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
        1 as amount
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
        score as amount
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
        score as amount
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
        score as amount
    from answers

    union all

    -- The records that identity is about: companies, customers, organisations, tenants.
    select
        account_key,
        'link' as quantity,
        links.source,
        records.stream,
        links.source_id,
        links.source_id as part,
        null::date as from_date,
        null::date as to_date,
        null::numeric as amount
    from links
    inner join records on links.source = records.source and links.source_id = records.source_id
    where records.stream in ('companies', 'customers', 'organizations', 'tenants')
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
    records.load_id,
    records.loaded_at
from used
inner join records
    on used.source = records.source and used.stream = records.stream and used.source_id = records.source_id
left join lives on used.account_key = lives.account_key
