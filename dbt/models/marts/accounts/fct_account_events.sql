{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ clear_touched('occurred_at', from_window=true) }}",
        indexes=[
            {'columns': ['event_key'], 'unique': true},
            {'columns': ['account_key', 'occurred_at']},
            {'columns': ['occurred_at']},
        ],
    )
}}

with as_of as (
    select
        as_of_date,
        (as_of_date + 1)::timestamp at time zone 'UTC' as ends_at
    from {{ ref('int_time__as_of') }}
),

-- From when on each account's events are told anew.
told as (
    select
        windows.account_key,
        case when touched.is_touched then '-infinity' else windows.rebuild_from_date end as from_date
    from {{ ref('int_time__rebuild_windows') }} as windows
    inner join {{ ref('int_time__touched_accounts') }} as touched on windows.account_key = touched.account_key
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

engagements as (
    select * from {{ ref('fct_engagements') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

invoices as (
    select * from {{ ref('fct_invoices') }}
),

payment_failures as (
    select
        invoice_id,
        payment_failed_at
    from {{ ref('int_billing__invoices') }}
    where payment_failed_at is not null
),

responses as (
    select * from {{ ref('fct_nps_responses') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

band_changes as (
    select * from {{ ref('int_health__band_changes') }}
),

mrr_days as (
    select
        account_key,
        change_date,
        sum(change) as change
    from {{ ref('int_accounts__changes') }}
    where quantity = 'mrr'
    group by account_key, change_date
),

mrr_changes as (
    select
        mrr_days.account_key,
        mrr_days.change_date,
        mrr_days.change,
        sum(mrr_days.change) over (partition by mrr_days.account_key order by mrr_days.change_date) as mrr
    from mrr_days
    where mrr_days.change <> 0
),

rates as (
    select * from {{ ref('int_billing__fx_rates') }}
),

weeks as (
    select
        days.account_key,
        days.usage_date,
        days.key_activity_7d,
        days.key_activity_prev_7d,
        days.key_activity_7d::double precision / days.key_activity_prev_7d - 1 as change_ratio
    from {{ ref('fct_usage_daily') }} as days
    inner join told on days.account_key = told.account_key and days.usage_date >= told.from_date
    -- Whole weeks, Monday to Sunday, of accounts with enough activity for a ratio to mean something.
    where extract(isodow from days.usage_date) = 7 and days.key_activity_prev_7d >= 10
),

events as (
    select
        engagement_key as source_key,
        account_key,
        occurred_at,
        engagement_kind as event_kind,
        coalesce(title, initcap(engagement_kind)) as title,
        concat_ws(' · ', replace(outcome, '_', ' '), nullif(array_to_string(contact_names, ', '), ''), body) as detail,
        null::numeric as amount_eur,
        case when is_two_way then 1 else 0 end as importance
    from engagements

    union all

    select
        ticket_id as source_key,
        account_key,
        created_at as occurred_at,
        'ticket_opened' as event_kind,
        coalesce(subject, 'Ticket ' || ticket_id) as title,
        concat_ws(' · ', priority, requester_email) as detail,
        null::numeric as amount_eur,
        case when priority = 'urgent' then 2 when priority = 'high' then 1 else 0 end as importance
    from tickets

    union all

    select
        ticket_id as source_key,
        account_key,
        solved_at as occurred_at,
        'ticket_solved' as event_kind,
        coalesce(subject, 'Ticket ' || ticket_id) as title,
        concat_ws(' · ', priority, case when satisfaction_score is not null then 'rated ' || satisfaction_score end)
            as detail,
        null::numeric as amount_eur,
        case when satisfaction_score = 'bad' then 1 else 0 end as importance
    from tickets
    where solved_at is not null

    union all

    select
        invoice_id as source_key,
        account_key,
        invoiced_at as occurred_at,
        'invoice_issued' as event_kind,
        'Invoice ' || coalesce(invoice_number, invoice_id) as title,
        currency_code || ' ' || to_char(amount_due, 'FM999,999,990.00') || ', due ' || due_date as detail,
        amount_due_eur as amount_eur,
        0 as importance
    from invoices

    union all

    select
        invoice_id as source_key,
        account_key,
        paid_at as occurred_at,
        'invoice_paid' as event_kind,
        'Invoice ' || coalesce(invoice_number, invoice_id) || ' paid' as title,
        currency_code || ' ' || to_char(amount_paid, 'FM999,999,990.00') as detail,
        amount_due_eur as amount_eur,
        0 as importance
    from invoices
    where paid_at is not null

    union all

    select
        invoices.invoice_id as source_key,
        invoices.account_key,
        payment_failures.payment_failed_at as occurred_at,
        'payment_failed' as event_kind,
        'Payment of invoice ' || coalesce(invoices.invoice_number, invoices.invoice_id) || ' failed' as title,
        invoices.currency_code || ' ' || to_char(invoices.amount_due, 'FM999,999,990.00') || ', '
        || greatest(invoices.attempt_count, 1) || ' attempts so far' as detail,
        invoices.amount_due_eur as amount_eur,
        2 as importance
    from invoices
    inner join payment_failures on invoices.invoice_id = payment_failures.invoice_id

    union all

    select
        response_key as source_key,
        account_key,
        responded_at as occurred_at,
        'nps_response' as event_kind,
        'NPS ' || score || ' (' || category || ')' as title,
        concat_ws(' · ', respondent_email, comment) as detail,
        null::numeric as amount_eur,
        case when category = 'detractor' then 2 else 1 end as importance
    from responses

    union all

    select
        band_changes.health_date::text as source_key,
        band_changes.account_key,
        (band_changes.health_date::timestamp + time '23:59:59') at time zone 'UTC' as occurred_at,
        'band_change' as event_kind,
        'Health ' || {{ band_name('band_changes.previous_band') }} || ' to ' || {{ band_name('band_changes.band') }}
            as title,
        round(band_changes.previous_score::numeric) || ' to ' || round(band_changes.score::numeric) || ', mostly '
        || band_changes.measure || ' (' || to_char(round(band_changes.moved::numeric), 'FMSG990') || ')' as detail,
        null::numeric as amount_eur,
        case
            when band_changes.band = 'R' or (band_changes.previous_band = 'G' and band_changes.band = 'Y') then 2
            else 1
        end as importance
    from band_changes

    union all

    select
        contact_key as source_key,
        account_key,
        left_date::timestamp at time zone 'UTC' as occurred_at,
        'champion_left' as event_kind,
        'Champion ' || coalesce(contact_name, email, 'without a name') || ' left' as title,
        job_title as detail,
        null::numeric as amount_eur,
        2 as importance
    from contacts
    where is_champion and left_date is not null

    union all

    select
        mrr_changes.change_date::text as source_key,
        mrr_changes.account_key,
        mrr_changes.change_date::timestamp at time zone 'UTC' as occurred_at,
        'mrr_change' as event_kind,
        case when mrr_changes.change > 0 then 'Recurring value rose to ' else 'Recurring value fell to ' end
        || accounts.currency_code || ' ' || to_char(mrr_changes.mrr, 'FM999,999,990.00') || ' a month' as title,
        'from ' || accounts.currency_code || ' ' || to_char(mrr_changes.mrr - mrr_changes.change, 'FM999,999,990.00')
            as detail,
        round(mrr_changes.change * rates.eur_per_unit, 2) as amount_eur,
        case when mrr_changes.change < 0 then 2 else 1 end as importance
    from mrr_changes
    inner join accounts on mrr_changes.account_key = accounts.account_key
    left join rates
        on
            accounts.currency_code = rates.currency_code
            and date_trunc('month', mrr_changes.change_date::timestamp)::date = rates.month_start_date

    union all

    select
        usage_date::text as source_key,
        account_key,
        (usage_date::timestamp + time '23:59:59') at time zone 'UTC' as occurred_at,
        'usage_step' as event_kind,
        'Key activity ' || case when change_ratio > 0 then 'rose ' else 'fell ' end
        || abs(round(change_ratio::numeric * 100)) || '% in a week' as title,
        key_activity_prev_7d || ' to ' || key_activity_7d as detail,
        null::numeric as amount_eur,
        case when change_ratio < 0 then 1 else 0 end as importance
    from weeks
    where abs(change_ratio) >= {{ var('usage_step_ratio') }}
)

select
    md5(events.event_kind || ':' || events.account_key || ':' || events.source_key) as event_key,
    events.account_key,
    events.occurred_at,
    events.event_kind,
    events.title,
    nullif(events.detail, '') as detail,
    events.amount_eur,
    events.importance
from events
inner join told on events.account_key = told.account_key and events.occurred_at >= told.from_date
cross join as_of
where events.occurred_at < as_of.ends_at
