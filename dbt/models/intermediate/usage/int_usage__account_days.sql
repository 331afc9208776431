{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        indexes=[{'columns': ['account_key', 'usage_date'], 'unique': true}],
        pre_hook="{{ delete_days('usage_date') }}",
    )
}}

{#- The longest look back of any column: 30 days of campaigns against the 180 days before them. -#}
{%- set history_days = 210 -%}
{#- A user or a feature counts for so many days: the only history that events are read again for. -#}
{%- set member_days = 28 -%}

with windows as (
    select
        account_key,
        usage_first_date,
        last_date,
        greatest(rebuild_from_date, usage_first_date) as rebuild_from_date,
        greatest(rebuild_from_date - {{ member_days - 1 }}, usage_first_date) as read_from_date,
        row_number() over (order by account_key)::integer as account_number
    from {{ ref('int_time__rebuild_windows') }}
    where usage_first_date <= last_date and rebuild_from_date <= last_date
),

tenants as (
    select
        links.source_id::bigint as tenant_id,
        windows.account_number,
        windows.read_from_date,
        windows.rebuild_from_date,
        windows.last_date
    from {{ ref('int_identity__account_links') }} as links
    inner join windows on links.account_key = windows.account_key
    where links.source = 'product' and links.source_id ~ '^[0-9]{1,18}$'
),

kinds as (
    select * from {{ ref('usage_event_kinds') }}
),

-- An event nobody declared counts as use, not as key activity. Accounts are numbers here: a million rows sort faster.
events as materialized (
    select
        tenants.account_number,
        {{ utc_date('events.occurred_at') }} as usage_date,
        tenants.rebuild_from_date,
        events.user_id,
        events.feature,
        coalesce(kinds.is_use, true) as is_use,
        coalesce(kinds.is_key_activity, false) as is_key_activity,
        coalesce(kinds.is_session, false) as is_session,
        events.event_name = 'campaign_sent' as is_campaign,
        case when events.event_name = 'automation_live' then events.properties ->> 'automation_id' end
            as automation_id
    from {{ ref('stg_product__usage_events') }} as events
    inner join tenants on events.tenant_id = tenants.tenant_id
    left join kinds on events.event_name = kinds.event_name
    where
        events.occurred_at >= (select min(windows.read_from_date) from windows)
        and {{ utc_date('events.occurred_at') }} between tenants.read_from_date and tenants.last_date
),

daily as (
    select
        account_number,
        usage_date,
        count(*) filter (where is_session) as session_count,
        count(*) filter (where is_key_activity) as key_activity_count,
        count(*) filter (where is_campaign) as campaign_sent_count,
        bool_or(is_use) as has_use
    from events
    where usage_date >= rebuild_from_date
    group by account_number, usage_date
),

-- A live automation says so once a day; twice would be a repeated event.
automations as (
    select
        account_number,
        usage_date,
        count(distinct automation_id) as automation_live_count
    from events
    where automation_id is not null and usage_date >= rebuild_from_date
    group by account_number, usage_date
),

-- Who and what was active on a day: users by their id, feature families beyond signing in by a number below zero. Of
-- their days before the window only the last still counts in it.
members as (
    select
        account_number,
        rebuild_from_date,
        user_id as member,
        max(usage_date) as usage_date
    from events
    where is_use and user_id is not null
    group by account_number, rebuild_from_date, user_id, greatest(usage_date, rebuild_from_date - 1)

    union all

    select
        account_number,
        rebuild_from_date,
        hashtext(feature)::bigint - 4294967296 as member,
        max(usage_date) as usage_date
    from events
    where is_use and not is_session and feature is not null
    group by account_number, rebuild_from_date, feature, greatest(usage_date, rebuild_from_date - 1)
),

neighbours as (
    select
        account_number,
        rebuild_from_date,
        usage_date,
        member >= 0 as is_user,
        lag(usage_date) over member_days as previous_date,
        lead(usage_date) over member_days as next_date
    from members
    window member_days as (partition by account_number, member order by usage_date)
),

-- A member counts for 28 days from each active day. Where those spans touch nothing changes; only where one begins
-- or ends does the rolling count move, so a running sum gives the distinct count without a 28-fold join.
member_changes as (
    select
        account_number,
        rebuild_from_date,
        usage_date as change_date,
        is_user,
        case when previous_date is null or usage_date > previous_date + {{ member_days }} then 1 else 0 end as change,
        1 as day_count
    from neighbours

    union all

    select
        account_number,
        rebuild_from_date,
        usage_date + {{ member_days }} as change_date,
        is_user,
        -1 as change,
        0 as day_count
    from neighbours
    where next_date is null or next_date > usage_date + {{ member_days }}
),

-- Who came before the window counts from its first day on.
member_days as (
    select
        account_number,
        greatest(change_date, rebuild_from_date) as change_date,
        sum(day_count) filter (where is_user and change_date >= rebuild_from_date) as active_user_count,
        sum(day_count) filter (where not is_user and change_date >= rebuild_from_date) as feature_family_count,
        sum(change) filter (where is_user) as active_user_change,
        sum(change) filter (where not is_user) as feature_family_change
    from member_changes
    group by account_number, greatest(change_date, rebuild_from_date)
),

days as (
    select
        windows.account_number,
        windows.account_key,
        windows.usage_first_date,
        windows.rebuild_from_date,
        days.usage_date::date as usage_date
    from windows
    cross join lateral generate_series(
        windows.rebuild_from_date::timestamp, windows.last_date::timestamp, interval '1 day'
    ) as days (usage_date)
),

counted as (
    select
        days.*,
        coalesce(member_days.active_user_count, 0)::integer as active_user_count,
        coalesce(daily.session_count, 0)::integer as session_count,
        coalesce(daily.key_activity_count, 0)::integer as key_activity_count,
        coalesce(daily.campaign_sent_count, 0)::integer as campaign_sent_count,
        coalesce(automations.automation_live_count, 0)::integer as automation_live_count,
        coalesce(member_days.feature_family_count, 0)::integer as feature_family_count,
        coalesce(member_days.active_user_change, 0)::integer as active_user_change,
        coalesce(member_days.feature_family_change, 0)::integer as feature_family_change,
        case when daily.key_activity_count > 0 then days.usage_date end as key_activity_date,
        case when daily.has_use then days.usage_date end as use_date
    from days
    left join daily on days.account_number = daily.account_number and days.usage_date = daily.usage_date
    left join automations
        on days.account_number = automations.account_number and days.usage_date = automations.usage_date
    left join member_days
        on days.account_number = member_days.account_number and days.usage_date = member_days.change_date

    {% if is_incremental() -%}
    union all

    -- What the last build told of the days before.
    select
        windows.account_number,
        windows.account_key,
        windows.usage_first_date,
        windows.rebuild_from_date,
        told.usage_date,
        told.active_user_count,
        told.session_count,
        told.key_activity_count,
        told.campaign_sent_count,
        told.automation_live_count,
        told.feature_family_count,
        0 as active_user_change,
        0 as feature_family_change,
        told.usage_date - told.days_since_key_activity as key_activity_date,
        told.usage_date - told.days_since_use as use_date
    from windows
    inner join {{ this }} as told
        on
            windows.account_key = told.account_key
            and windows.rebuild_from_date > told.usage_date
            and windows.rebuild_from_date - {{ history_days }} < told.usage_date
    {%- endif %}
),

totalled as (
    select
        counted.*,
        sum(active_user_change) over up_to_day as active_users_28d,
        sum(feature_family_change) over up_to_day as feature_families_28d,
        max(key_activity_date) over up_to_day as last_key_activity_date,
        max(use_date) over up_to_day as last_use_date,
        sum(key_activity_count) over up_to_day as key_activity_total,
        sum(campaign_sent_count) over up_to_day as campaign_total
    from counted
    window up_to_day as (
        partition by account_number order by usage_date rows between unbounded preceding and current row
    )
),

-- Days follow each other without a gap: what a number of days brought is the difference of two totals.
rolled as (
    select
        totalled.*,
        {% for days in [7, 14, 30, 60] -%}
        coalesce(lag(key_activity_total, {{ days }}) over account_days, 0) as key_activity_total_before_{{ days }}d,
        {% endfor -%}
        {% for days in [30, history_days] -%}
        coalesce(lag(campaign_total, {{ days }}) over account_days, 0) as campaign_total_before_{{ days }}d,
        {% endfor -%}
        greatest(
            automation_live_count
            {%- for days in range(1, 7) %},
            lag(automation_live_count, {{ days }}) over account_days
            {%- endfor %}
        ) as automations_live_7d
    from totalled
    window account_days as (partition by account_number order by usage_date)
)

select
    account_key,
    usage_date,
    usage_date - usage_first_date + 1 as tracked_days,
    active_user_count,
    session_count,
    key_activity_count,
    campaign_sent_count,
    automation_live_count,
    feature_family_count,
    active_users_28d::integer as active_users_28d,
    (key_activity_total - key_activity_total_before_7d)::integer as key_activity_7d,
    (key_activity_total_before_7d - key_activity_total_before_14d)::integer as key_activity_prev_7d,
    (key_activity_total - key_activity_total_before_30d)::integer as key_activity_30d,
    (key_activity_total_before_30d - key_activity_total_before_60d)::integer as key_activity_prev_30d,
    usage_date - coalesce(last_key_activity_date, usage_first_date) as days_since_key_activity,
    usage_date - coalesce(last_use_date, usage_first_date) as days_since_use,
    feature_families_28d::integer as feature_families_28d,
    (campaign_total - campaign_total_before_30d)::integer as campaigns_30d,
    (campaign_total_before_30d - campaign_total_before_{{ history_days }}d)::integer as campaigns_baseline_180d,
    automations_live_7d
from rolled
where usage_date >= rebuild_from_date
