{{ config(materialized='view', grants={'select': ['learner']}) }}

with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

rule_scores as (
    select * from {{ ref('int_risk__rule_scores') }}
),

features as (
    select * from {{ ref('int_risk__features') }}
)

select
    features.account_key,
    features.risk_date,
    {% for feature in churn_features() -%}
    features.{{ feature }},
    {% endfor -%}
    lives.churned_date - features.risk_date as days_to_churn,
    lives.churn_kind,
    as_of.as_of_date,
    rule_scores.churn_probability_90d as rule_probability_90d
from features
inner join lives on features.account_key = lives.account_key
inner join rule_scores
    on features.account_key = rule_scores.account_key and features.risk_date = rule_scores.risk_date
cross join as_of
where features.risk_date = date_trunc('month', features.risk_date)::date
