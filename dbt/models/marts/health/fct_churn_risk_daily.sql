{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        indexes=[{'columns': ['account_key', 'risk_date'], 'unique': true}, {'columns': ['risk_date']}],
        pre_hook="{{ clear_days('risk_date', var('risk_history_days')) }}",
    )
}}

with windows as (
    select * from {{ ref('int_time__rebuild_windows') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

rule_scores as (
    select * from {{ ref('int_risk__rule_scores') }}
),

-- A day keeps the version that was in force on it: what was learned later says nothing about what was known then.
versions as (
    select
        *,
        lead(valid_from_date, 1, 'infinity'::date) over (order by valid_from_date, version_id) as valid_to_date
    from {{ ref('stg_learning__model_versions') }}
),

days as (
    select
        rule_scores.*,
        versions.version_id,
        versions.kind,
        versions.model_version as learned_version,
        versions.basis
    from rule_scores
    inner join windows
        on rule_scores.account_key = windows.account_key and rule_scores.risk_date >= windows.rebuild_from_date
    cross join as_of
    left join versions
        on rule_scores.risk_date >= versions.valid_from_date and rule_scores.risk_date < versions.valid_to_date
    where rule_scores.risk_date > as_of.as_of_date - {{ var('risk_history_days') }}
),

-- A day that came out differently, because late data changed it, was scored again: the newest score counts.
scores as (
    select distinct on (scores.account_key, scores.score_date)
        scores.account_key,
        scores.score_date,
        scores.churn_probability_90d,
        scores.drivers
    from {{ ref('stg_learning__churn_scores') }} as scores
    inner join days
        on
            scores.account_key = days.account_key
            and scores.score_date = days.risk_date
            and scores.version_id = days.version_id
    order by scores.account_key, scores.score_date, scores.score_id desc
),

chosen as (
    select
        days.account_key,
        days.risk_date,
        coalesce(scores.churn_probability_90d, days.churn_probability_90d) as churn_probability_90d,
        days.mrr_eur,
        days.data_coverage_ratio,
        case when scores.account_key is null then 'rules' else 'model' end as risk_kind,
        case when scores.account_key is null then '{{ var("churn_risk_model") }}' else days.learned_version end
            as model_version,
        case
            when scores.account_key is not null or days.kind = 'rules' then days.basis
            when days.version_id is null then 'Rules: nothing was learned yet'
            else 'Rules: the learned model did not score this day'
        end as risk_basis,
        coalesce(scores.drivers, days.drivers) as drivers
    from days
    left join scores on days.account_key = scores.account_key and days.risk_date = scores.score_date
)

select
    account_key,
    risk_date,
    churn_probability_90d,
    case
        when churn_probability_90d < 0.10 then 'Low'
        when churn_probability_90d <= 0.25 then 'Medium'
        when churn_probability_90d <= 0.50 then 'High'
        else 'Critical'
    end as churn_risk_band,
    round(churn_probability_90d::numeric * coalesce(mrr_eur, 0), 2) as mrr_at_risk_eur,
    data_coverage_ratio,
    model_version,
    drivers,
    risk_kind,
    risk_basis
from chosen
