-- noqa: disable=LT02
-- (loops and lateral lists are indented for the reader; the linter sees them unrolled)
with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
),

rates as (
    select * from {{ ref('int_billing__fx_rates') }}
),

links as (
    select distinct
        account_key,
        source
    from {{ ref('int_identity__account_links') }}
    where is_linked
),

accounts as (
    select
        windows.account_key,
        windows.rebuild_from_date,
        windows.last_date,
        lives.first_date,
        lives.customer_since_date,
        lives.currency_code,
        lives.anchor_date,
        lives.notice_date,
        lives.onboarding_completed_date,
        stripe.account_key is not null as has_billing,
        zendesk.account_key is not null as has_help_desk
    from windows
    inner join lives on windows.account_key = lives.account_key
    left join links as stripe on windows.account_key = stripe.account_key and stripe.source = 'stripe'
    left join links as zendesk on windows.account_key = zendesk.account_key and zendesk.source = 'zendesk'
),

-- What began before the window and still holds in it counts on its first day, what ended before it nowhere: a window of
-- a week needs no history of years.
spans as (
    select
        spans.account_key,
        spans.quantity,
        greatest(spans.from_date, accounts.rebuild_from_date) as from_date,
        spans.to_date,
        spans.amount,
        accounts.last_date
    from {{ ref('int_accounts__spans') }} as spans
    inner join accounts on spans.account_key = accounts.account_key
    where
        spans.from_date <= accounts.last_date
        and (spans.to_date is null or spans.to_date > accounts.rebuild_from_date)
),

changes as (
    select
        account_key,
        from_date as state_date,
        quantity,
        amount as change
    from spans

    union all

    select
        account_key,
        to_date as state_date,
        quantity,
        -amount as change
    from spans
    where to_date <= last_date
),

daily_changes as (
    select
        account_key,
        state_date,
        {% for quantity in [
            'seats_paid', 'mrr', 'failed_payment_count', 'ticket_count_30d', 'urgent_open_count',
            'first_reply_count_30d', 'first_reply_minutes_30d', 'contact_count', 'known_role_count', 'champion_count',
        ] -%}
        sum(change) filter (where quantity = '{{ quantity }}') as {{ quantity }}{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    group by account_key, state_date
),

contact_days as (
    select
        engagements.account_key,
        greatest({{ utc_date('engagements.occurred_at') }}, accounts.rebuild_from_date) as state_date,
        max({{ utc_date('engagements.occurred_at') }}) as two_way_contact_date
    from {{ ref('int_crm__engagements') }} as engagements
    inner join accounts on engagements.account_key = accounts.account_key
    where engagements.is_two_way and {{ utc_date('engagements.occurred_at') }} <= accounts.last_date
    group by engagements.account_key, greatest({{ utc_date('engagements.occurred_at') }}, accounts.rebuild_from_date)
),

answer_days as (
    select distinct on (
        responses.account_key,
        greatest({{ utc_date('responses.responded_at') }}, accounts.rebuild_from_date)
    )
        responses.account_key,
        greatest({{ utc_date('responses.responded_at') }}, accounts.rebuild_from_date) as state_date,
        -- Day and score in one number: the largest is the newest, and a running maximum carries both.
        ({{ utc_date('responses.responded_at') }} - date '2000-01-01') * 100 + responses.score as dated_score
    from {{ ref('int_survey__responses') }} as responses
    inner join accounts on responses.account_key = accounts.account_key
    where {{ utc_date('responses.responded_at') }} <= accounts.last_date
    order by
        responses.account_key,
        greatest({{ utc_date('responses.responded_at') }}, accounts.rebuild_from_date),
        responses.responded_at desc,
        responses.response_key
),

overdue_days as (
    select
        invoices.account_key,
        days.state_date::date as state_date,
        min(invoices.due_date) as oldest_due_date
    from {{ ref('int_billing__invoices') }} as invoices
    inner join accounts on invoices.account_key = accounts.account_key
    cross join lateral generate_series(
        greatest(invoices.due_date + 1, accounts.rebuild_from_date)::timestamp,
        least(
            coalesce({{ utc_date('invoices.settled_at') }} - 1, accounts.last_date), accounts.last_date
        )::timestamp,
        interval '1 day'
    ) as days (state_date)
    where invoices.status <> 'draft' and invoices.amount_due > 0
    group by invoices.account_key, days.state_date
),

days as (
    select
        accounts.*,
        days.state_date::date as state_date
    from accounts
    cross join lateral generate_series(
        accounts.rebuild_from_date::timestamp, accounts.last_date::timestamp, interval '1 day'
    ) as days (state_date)
),

carried as (
    select
        days.*,
        {% for quantity in [
            'seats_paid', 'mrr', 'failed_payment_count', 'ticket_count_30d', 'urgent_open_count',
            'first_reply_count_30d', 'first_reply_minutes_30d', 'contact_count', 'known_role_count', 'champion_count',
        ] -%}
        coalesce(sum(daily_changes.{{ quantity }}) over up_to_day, 0) as {{ quantity }},
        {% endfor -%}
        max(contact_days.two_way_contact_date) over up_to_day as last_two_way_contact_date,
        max(answer_days.dated_score) over up_to_day as dated_score,
        days.state_date - overdue_days.oldest_due_date as oldest_overdue_days
    from days
    left join daily_changes
        on days.account_key = daily_changes.account_key and days.state_date = daily_changes.state_date
    left join contact_days on days.account_key = contact_days.account_key and days.state_date = contact_days.state_date
    left join answer_days on days.account_key = answer_days.account_key and days.state_date = answer_days.state_date
    left join overdue_days on days.account_key = overdue_days.account_key and days.state_date = overdue_days.state_date
    window up_to_day as (partition by days.account_key order by days.state_date)
),

dated as (
    select
        carried.*,
        state_date - customer_since_date as customer_age_days,
        date '2000-01-01' + dated_score / 100 as nps_date,
        dated_score % 100 as newest_score,
        -- Contracts turn over on the anniversary of the billing anchor, monthly payment or not.
        (
            anchor_date + make_interval(
                years => greatest(extract(year from age(state_date, anchor_date))::integer, 0) + 1
            )
        )::date as renewal_date
    from carried
)

select
    dated.account_key,
    dated.state_date,
    case
        when
            dated.state_date < least(
                coalesce(
                    dated.onboarding_completed_date,
                    dated.customer_since_date + {{ var('onboarding_days') }}
                ),
                dated.customer_since_date + {{ var('onboarding_longest_days') }}
            )
            then 'onboarding'
        when dated.renewal_date - dated.state_date <= {{ var('renewal_window_days') }} then 'renewal_window'
        when dated.customer_age_days < {{ var('adoption_days') }} then 'adoption'
        else 'default'
    end as profile,
    dated.customer_age_days,
    dated.renewal_date,
    dated.renewal_date - dated.state_date as days_to_renewal,
    case when dated.state_date >= dated.notice_date then dated.state_date - dated.notice_date end as days_since_notice,
    case when dated.has_billing then dated.seats_paid::integer end as seats_paid,
    dated.currency_code,
    -- nothing left of something reads as nothing ever: to the cent
    round(dated.mrr, 2) as mrr,
    round(dated.mrr * rates.eur_per_unit, 2) as mrr_eur,
    case when dated.has_help_desk then dated.ticket_count_30d::integer end as ticket_count_30d,
    case when dated.has_help_desk then dated.urgent_open_count::integer end as urgent_open_count,
    (dated.first_reply_minutes_30d / nullif(dated.first_reply_count_30d, 0))::double precision
        as mean_first_reply_minutes,
    dated.last_two_way_contact_date,
    dated.state_date - coalesce(dated.last_two_way_contact_date, dated.first_date) as days_since_two_way_contact,
    case when dated.contact_count > 0 then dated.known_role_count::integer end as known_role_count,
    case when dated.contact_count > 0 then dated.champion_count::integer end as champion_count,
    case when dated.state_date - dated.nps_date < {{ var('nps_valid_days') }} then dated.newest_score end as nps_score,
    dated.nps_date,
    case when dated.has_billing then coalesce(dated.oldest_overdue_days, 0) end as oldest_overdue_days,
    case when dated.has_billing then dated.failed_payment_count::integer end as failed_payment_count
from dated
left join rates
    on
        dated.currency_code = rates.currency_code
        and date_trunc('month', dated.state_date::timestamp)::date = rates.month_start_date
