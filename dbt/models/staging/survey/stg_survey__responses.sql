with source as (
    select * from {{ source('raw_survey', 'responses') }} where _deleted_at is null
)

select
    _pk as id,
    payload ->> 'response_id' as response_id,
    payload ->> 'survey_id' as survey_id,
    lower({{ present("payload ->> 'respondent_email'") }}) as respondent_email,
    {{ present("payload ->> 'account_external_id'") }} as account_external_id,
    -- As people type and spreadsheets export it: "10 - very likely", "9,0". The leading whole number is the score.
    substring(payload ->> 'score' from '^\s*([0-9]{1,2})(?![0-9])')::integer as score,
    {{ present("payload ->> 'comment'") }} as comment,
    {{ to_timestamp_utc("payload ->> 'responded_at'") }} as responded_at,
    {{ present("payload ->> 'language'") }} as language,
    {{ present("payload ->> 'channel'") }} as channel,
    _first_loaded_at as first_loaded_at,
    _loaded_at as loaded_at,
    _load_id as load_id
from source
