{{
    config(
        indexes=[{'columns': ['action_id'], 'unique': true}, {'columns': ['account_key']}],
    )
}}

with actions as (
    select * from {{ ref('stg_app__actions') }}
),

users as (
    select * from {{ ref('stg_app__users') }}
),

companies as (
    select * from {{ ref('int_identity__companies') }}
),

-- An action that was reopened and closed again has several outcomes; the newest counts, and while it is closed.
outcomes as (
    select distinct on (action_id) *
    from {{ ref('stg_app__action_outcomes') }}
    order by action_id, recorded_at desc, outcome_id
),

events as (
    select
        action_id,
        count(*)::integer as event_count,
        min(at) filter (
            where field = 'status' and after #>> '{}' in ('in_progress', 'blocked', 'waiting_on_customer')
        ) as started_at
    from {{ ref('stg_app__action_events') }}
    group by action_id
),

notes as (
    select
        action_id,
        count(*)::integer as note_count
    from {{ ref('stg_app__action_notes') }}
    group by action_id
)

select
    actions.action_id::text as action_id,
    -- Merged accounts: what was done for the absorbed company belongs to the survivor.
    coalesce(companies.account_key, actions.account_key) as account_key,
    actions.title,
    actions.action_type,
    actions.reason,
    actions.intervention,
    actions.priority,
    actions.status,
    case
        when actions.status = 'new' then 'not started'
        when actions.status in ('in_progress', 'blocked', 'waiting_on_customer') then 'started'
        when actions.status = 'snoozed' then 'paused'
        else actions.status
    end as status_category,
    actions.source,
    actions.owner_user_id::text as owner_user_id,
    users.display_name as owner_name,
    users.email as owner_email,
    actions.due_date,
    actions.created_at,
    events.started_at,
    actions.closed_at,
    coalesce(outcomes.result, actions.result) as result,
    outcomes.execution,
    outcomes.customer_response,
    outcomes.done_intervention,
    outcomes.done_date,
    outcomes.minutes,
    actions.suggestion_id::text as suggestion_id,
    actions.decision_id::text as decision_id,
    coalesce(notes.note_count, 0) as note_count,
    coalesce(events.event_count, 0) as event_count
from actions
left join companies on actions.account_key = companies.company_account_key
left join users on actions.owner_user_id = users.user_id
left join outcomes on actions.action_id = outcomes.action_id and actions.status = 'closed'
left join events on actions.action_id = events.action_id
left join notes on actions.action_id = notes.action_id
