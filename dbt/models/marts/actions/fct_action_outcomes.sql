{{
    config(
        indexes=[{'columns': ['decision_id'], 'unique': true}, {'columns': ['account_key']}, {'columns': ['action_id']}],
    )
}}

{%- set horizons = [30, 60, 90] %}

with as_of as (
    select * from {{ ref('int_time__as_of') }}
),

companies as (
    select * from {{ ref('int_identity__companies') }}
),

actions as (
    select * from {{ ref('fct_actions') }}
),

suggestions as (
    select * from {{ ref('stg_app__suggestions') }}
),

snapshots as (
    select * from {{ ref('stg_app__context_snapshots') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
),

-- Read by index from several places: a CTE that is kept whole would be all of its history.
health as not materialized (
    select * from {{ ref('fct_account_health_daily') }}
),

usage as not materialized (
    select * from {{ ref('fct_usage_daily') }}
),

risk as (
    select * from {{ ref('fct_churn_risk_daily') }}
),

responses as (
    select * from {{ ref('fct_nps_responses') }}
),

lines as (
    select * from {{ ref('int_billing__invoice_lines') }}
),

rates as (
    select * from {{ ref('int_billing__fx_rates') }} where is_current
),

decisions as (
    select
        decisions.decision_id,
        coalesce(companies.account_key, decisions.account_key) as account_key,
        decisions.rule_id,
        decisions.policy_id,
        decisions.policy_version,
        decisions.arm,
        decisions.decided_at,
        {{ utc_date('decisions.decided_at') }} as decided_date,
        decisions.chosen_intervention,
        decisions.propensity_chosen,
        decisions.snapshot_id,
        -- The contract's next anniversary after the decision.
        (
            lives.anchor_date + make_interval(
                years => greatest(
                    extract(year from age({{ utc_date('decisions.decided_at') }}, lives.anchor_date))::integer, 0
                ) + 1
            )
        )::date as renewal_date,
        lives.account_key is not null as is_known,
        lives.churned_date,
        lives.currency_code
    from {{ ref('stg_app__decisions') }} as decisions
    left join companies on decisions.account_key = companies.company_account_key
    left join lives on coalesce(companies.account_key, decisions.account_key) = lives.account_key
),

-- One row per decision and horizon. The base of every change is the row of the day of the decision, never an older one.
horizons as (
    select
        decisions.*,
        horizons.horizon,
        horizons.horizon_date,
        case
            when horizons.horizon_date is null or not decisions.is_known then 'censored'
            -- Nothing can follow for an account that had left already.
            when decisions.churned_date <= decisions.decided_date then 'censored'
            when horizons.horizon_date > as_of.as_of_date then 'pending'
            else 'measured'
        end as status,
        coalesce(
            decisions.churned_date > decisions.decided_date and decisions.churned_date <= horizons.horizon_date, false
        ) as has_churned,
        coalesce(
            decisions.renewal_date > decisions.decided_date and decisions.renewal_date <= horizons.horizon_date, false
        ) as has_renewed
    from decisions
    cross join as_of
    cross join lateral (
        values
        {% for days in horizons -%}
        ('{{ days }}d', decisions.decided_date + {{ days }}),
        {% endfor -%}
        ('renewal', decisions.renewal_date)
    ) as horizons (horizon, horizon_date)
),

mrr as (
    select
        horizons.decision_id,
        horizons.horizon,
        coalesce(sum(lines.monthly_amount) filter (
            where horizons.horizon_date >= lines.start_date and horizons.horizon_date < lines.end_date
        ), 0) as mrr_after,
        coalesce(sum(lines.monthly_amount) filter (
            where horizons.decided_date >= lines.start_date and horizons.decided_date < lines.end_date
        ), 0) as mrr_before
    from horizons
    inner join lines on horizons.account_key = lines.account_key
    where horizons.status = 'measured'
    group by horizons.decision_id, horizons.horizon
),

answers as (
    select distinct on (horizons.decision_id, horizons.horizon)
        horizons.decision_id,
        horizons.horizon,
        responses.score
    from horizons
    inner join responses
        on
            horizons.account_key = responses.account_key
            and horizons.decided_at < responses.responded_at
            and horizons.horizon_date >= {{ utc_date('responses.responded_at') }}
    where horizons.status = 'measured'
    order by horizons.decision_id, horizons.horizon, responses.responded_at desc, responses.response_key
),

measured as (
    select
        horizons.decision_id,
        horizons.horizon,
        horizons.horizon_date,
        horizons.status,
        health.score - base_health.score as health_change,
        usage.key_activity_30d::double precision / nullif(base_usage.key_activity_30d, 0) - 1 as usage_change_ratio,
        (health.ticket_volume_value - base_health.ticket_volume_value)::integer as ticket_change,
        (answers.score - base_health.nps_value)::integer as nps_change,
        case
            when horizons.status = 'measured'
                then round((coalesce(mrr.mrr_after, 0) - coalesce(mrr.mrr_before, 0)) * rates.eur_per_unit, 2)
        end as mrr_change_eur,
        case
            when horizons.status <> 'measured' then null
            when horizons.has_churned then 'churned'
            when mrr.mrr_after < mrr.mrr_before then 'contracted'
            when mrr.mrr_after > mrr.mrr_before then 'expanded'
            when horizons.has_renewed then 'renewed'
            else 'retained'
        end as retention,
        case
            when horizons.status <> 'measured' then null
            when horizons.rule_id = 'R1' then health.score - base_health.score >= 10
            when horizons.rule_id = 'R2' then usage.key_activity_30d >= 0.9 * base_usage.key_activity_prev_30d
            when horizons.rule_id = 'R3' then usage.days_since_key_activity < 7
            when horizons.rule_id = 'R4' then health.champion_value >= 1
            when horizons.rule_id = 'R5' then health.urgent_unresolved_value = 0 and health.ticket_volume_value <= 10
            when horizons.rule_id = 'R6' then answers.score >= 7
            when horizons.rule_id = 'R7' then health.overdue_invoice_value = 0 and health.failed_payment_value = 0
            when horizons.rule_id = 'R8' then health.seat_use_value >= 0.6
            when horizons.rule_id = 'R9' then health.profile <> 'onboarding'
            when horizons.rule_id = 'R11' then health.last_contact_value < horizons.horizon_date - horizons.decided_date
            when horizons.rule_id = 'R13' then risk.churn_risk_band in ('Low', 'Medium')
        end as trigger_cleared
    from horizons
    left join health
        on
            horizons.account_key = health.account_key
            and horizons.horizon_date = health.health_date
            and horizons.status = 'measured'
    left join health as base_health
        on horizons.account_key = base_health.account_key and horizons.decided_date = base_health.health_date
    left join usage
        on
            horizons.account_key = usage.account_key
            and horizons.horizon_date = usage.usage_date
            and horizons.status = 'measured'
    left join usage as base_usage
        on horizons.account_key = base_usage.account_key and horizons.decided_date = base_usage.usage_date
    left join risk
        on
            horizons.account_key = risk.account_key
            and horizons.horizon_date = risk.risk_date
            and horizons.status = 'measured'
    left join mrr on horizons.decision_id = mrr.decision_id and horizons.horizon = mrr.horizon
    left join answers on horizons.decision_id = answers.decision_id and horizons.horizon = answers.horizon
    left join rates on horizons.currency_code = rates.currency_code
)

select
    decisions.decision_id::text as decision_id,
    decisions.account_key,
    actions.action_id,
    suggestions.suggestion_id::text as suggestion_id,
    decisions.rule_id,
    decisions.policy_id,
    decisions.policy_version,
    decisions.arm,
    decisions.decided_at,
    decisions.decided_date,
    decisions.chosen_intervention,
    decisions.propensity_chosen,
    coalesce(actions.execution in ('done_as_planned', 'done_differently'), false) as treatment_done,
    actions.done_intervention,
    actions.done_date,
    actions.execution,
    actions.customer_response,
    actions.result,
    suggestions.status as answer,
    suggestions.dismissal_reason,
    (snapshots.features -> 'account' ->> 'health_score')::double precision as context_health_score,
    snapshots.features -> 'account' ->> 'health_band' as context_health_band,
    (snapshots.features -> 'account' ->> 'churn_probability_90d')::double precision as context_churn_probability_90d,
    (snapshots.features -> 'account' ->> 'mrr_eur')::numeric as context_mrr_eur,
    {% for days in horizons -%}
    measured_{{ days }}.status as measured_{{ days }}d_status,
    case when measured_{{ days }}.status = 'measured' then measured_{{ days }}.horizon_date end
        as measured_{{ days }}d_date,
    measured_{{ days }}.health_change as health_change_{{ days }}d,
    measured_{{ days }}.usage_change_ratio as usage_change_ratio_{{ days }}d,
    measured_{{ days }}.ticket_change as ticket_change_{{ days }}d,
    measured_{{ days }}.nps_change as nps_change_{{ days }}d,
    measured_{{ days }}.mrr_change_eur as mrr_change_eur_{{ days }}d,
    measured_{{ days }}.retention as retention_{{ days }}d,
    measured_{{ days }}.trigger_cleared as trigger_cleared_{{ days }}d,
    {% endfor -%}
    measured_renewal.status as measured_renewal_status,
    measured_renewal.retention as retention_renewal,
    measured_renewal.mrr_change_eur as mrr_change_eur_renewal
from decisions
left join suggestions on decisions.decision_id = suggestions.decision_id
left join actions on decisions.decision_id::text = actions.decision_id
left join snapshots on decisions.snapshot_id = snapshots.snapshot_id
{% for days in horizons -%}
left join measured as measured_{{ days }}
    on decisions.decision_id = measured_{{ days }}.decision_id and measured_{{ days }}.horizon = '{{ days }}d'
{% endfor -%}
left join measured as measured_renewal
    on decisions.decision_id = measured_renewal.decision_id and measured_renewal.horizon = 'renewal'
