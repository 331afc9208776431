{{
    config(
        indexes=[{'columns': ['response_key'], 'unique': true}, {'columns': ['account_key', 'responded_at']}],
    )
}}

select
    response_key,
    account_key,
    response_id,
    survey_id,
    respondent_email,
    score,
    category,
    comment,
    responded_at,
    channel
from {{ ref('int_survey__responses') }}
