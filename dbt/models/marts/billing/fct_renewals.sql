{{
    config(
        indexes=[{'columns': ['account_key'], 'unique': true}, {'columns': ['renewal_date']}],
    )
}}

with as_of as (
    select * from {{ ref('int_time__as_of') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

running as (
    select subscriptions.*
    from {{ ref('int_billing__subscriptions') }} as subscriptions
    cross join as_of
    where
        subscriptions.start_date <= as_of.as_of_date
        and (subscriptions.service_end_date is null or subscriptions.service_end_date > as_of.as_of_date)
),

-- What each running subscription is worth a month today, in the account's currency.
worth as (
    select
        lines.subscription_id,
        sum(lines.monthly_amount) as mrr
    from {{ ref('int_billing__invoice_lines') }} as lines
    cross join as_of
    where as_of.as_of_date >= lines.start_date and as_of.as_of_date < lines.end_date
    group by lines.subscription_id
),

contracts as (
    select
        running.account_key,
        count(*)::integer as subscription_count,
        count(running.planned_end_date)::integer as ending_subscription_count,
        min(running.notice_date) filter (where running.planned_end_date is not null) as notice_date,
        max(running.planned_end_date) as planned_end_date,
        coalesce(sum(worth.mrr) filter (where running.planned_end_date is not null), 0) as ending_mrr,
        bool_or(running.current_period_end_date < as_of.as_of_date and running.planned_end_date is null)
            as has_period_overdue
    from running
    cross join as_of
    left join worth on running.subscription_id = worth.subscription_id
    where running.account_key is not null
    group by running.account_key
),

deals as (
    select distinct on (account_key)
        account_key,
        deal_id,
        deal_name,
        deal_stage,
        deal_close_date
    from {{ ref('int_crm__renewal_deals') }}
    where is_open
    order by account_key, deal_close_date, deal_id
),

dated as (
    select
        contracts.*,
        accounts.renewal_date,
        accounts.currency_code,
        accounts.mrr,
        accounts.mrr_eur,
        deals.deal_id,
        deals.deal_name,
        deals.deal_stage,
        deals.deal_close_date,
        as_of.as_of_date
    from contracts
    cross join as_of
    inner join accounts on contracts.account_key = accounts.account_key
    left join deals on contracts.account_key = deals.account_key
)

select
    account_key,
    renewal_date,
    renewal_date - as_of_date as days_to_renewal,
    case
        when ending_subscription_count = subscription_count then 'notice_given'
        when has_period_overdue or deal_close_date < as_of_date then 'overdue'
        when deal_id is not null then 'deal_open'
        when renewal_date - as_of_date <= {{ var('renewal_window_days') }} then 'in_window'
        else 'auto_renew'
    end as forecast_state,
    notice_date,
    planned_end_date,
    subscription_count,
    ending_subscription_count,
    currency_code,
    mrr as mrr_due,
    mrr_eur as mrr_due_eur,
    ending_mrr,
    deal_id,
    deal_name,
    deal_stage,
    deal_close_date,
    renewal_date - {{ var('renewal_checkpoint_days')[0] }} as first_checkpoint_date,
    renewal_date - {{ var('renewal_checkpoint_days')[1] }} as second_checkpoint_date,
    as_of_date
from dated
