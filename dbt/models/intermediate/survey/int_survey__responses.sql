with responses as (
    select * from {{ ref('stg_survey__responses') }}
    where score between 0 and 10 and responded_at is not null
),

links as (
    select * from {{ ref('int_identity__account_links') }} where source = 'survey' and is_linked
),

people as (
    select * from {{ ref('int_crm__people') }}
)

select
    md5('survey:' || responses.id) as response_key,
    responses.id as source_id,
    coalesce(links.account_key, people.account_key) as account_key,
    responses.response_id,
    responses.survey_id,
    responses.respondent_email,
    responses.score,
    case
        when responses.score >= 9 then 'promoter'
        when responses.score >= 7 then 'passive'
        else 'detractor'
    end as category,
    responses.comment,
    responses.responded_at,
    responses.channel,
    responses.load_id,
    responses.loaded_at
from responses
left join links on responses.account_external_id = links.source_id
left join people on responses.respondent_email = people.email
