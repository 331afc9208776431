{{
    config(
        indexes=[{'columns': ['response_key'], 'unique': true}, {'columns': ['account_key', 'responded_at']}],
    )
}}

with responses as (
    select * from {{ ref('int_survey__responses') }}
),

lives as (
    select * from {{ ref('int_accounts__lives') }}
)

select
    responses.response_key,
    lives.account_key,
    responses.response_id,
    responses.survey_id,
    responses.respondent_email,
    responses.score,
    responses.category,
    responses.comment,
    responses.responded_at,
    responses.channel
from responses
left join lives on responses.account_key = lives.account_key
