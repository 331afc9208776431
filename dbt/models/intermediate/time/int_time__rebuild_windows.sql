with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

last_build as (
    select * from {{ last_build() }} as last_build
),

inputs as (
    select * from {{ ref('int_time__inputs') }}
),

arrivals as (
    select * from {{ ref('int_time__arrivals') }}
)

select
    lives.account_key,
    lives.first_date,
    lives.last_date,
    lives.usage_first_date,
    case
        when last_build.account_key is null or last_build.life_hash <> inputs.life_hash then lives.first_date
        else greatest(
            lives.first_date,
            least(
                case
                    -- A life that ended before and still ends there has nothing to work over again.
                    when not lives.is_active and last_build.built_through_date = lives.last_date
                        then lives.last_date + 1
                    else
                        least(last_build.built_through_date, lives.last_date) + 1 - {{ var('lookback_days') }}
                end,
                arrivals.affected_from_date
            )
        )
    end as rebuild_from_date
from lives
inner join inputs on lives.account_key = inputs.account_key
left join last_build on lives.account_key = last_build.account_key
left join arrivals on lives.account_key = arrivals.account_key
