-- Everything that the daily facts are told from, usage aside, by the day from which on it counts. Two builds whose rows
-- agree up to a day tell the same up to that day, whatever was loaded, deleted, moved or linked between them.
with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

last_build as (
    select * from {{ last_build() }} as last_build
),

touched as (
    select * from {{ ref('int_time__touched_accounts') }} where is_touched
),

invoices as (
    select * from {{ ref('int_billing__invoices') }} where status <> 'draft' and amount_due > 0
),

life_hashes as (
    select
        account_key,
        -- What holds for all of a life: a change of it tells every day anew.
        md5(
            row(
                links_hash, first_date, usage_first_date, customer_since_date, onboarding_completed_date, currency_code,
                billing_interval, anchor_date, notice_date
            )::text
        ) as life_hash
    from lives
),

dated as (
    select
        account_key,
        change_date as input_date,
        row(quantity, change)::text as input
    from {{ ref('int_accounts__changes') }}

    union all

    select
        account_key,
        {{ utc_date('occurred_at') }} as input_date,
        'two-way contact' as input
    from {{ ref('int_crm__engagements') }}
    where is_two_way

    union all

    select
        account_key,
        {{ utc_date('responded_at') }} as input_date,
        row(responded_at, response_key, score)::text as input
    from {{ ref('int_survey__responses') }}

    union all

    select
        account_key,
        due_date + 1 as input_date,
        row('due', due_date)::text as input
    from invoices

    union all

    select
        account_key,
        {{ utc_date('settled_at') }} as input_date,
        row('settled', due_date)::text as input
    from invoices
    where settled_at is not null
),

-- A sum does not depend on the order of its rows, and of two equal ones each counts.
daily as (
    select
        dated.account_key,
        dated.input_date,
        sum(hashtextextended(dated.input, 0)) as input_hash
    from dated
    inner join touched on dated.account_key = touched.account_key
    group by dated.account_key, dated.input_date
),

listed as (
    select
        account_key,
        array_agg(input_date order by input_date) as input_dates,
        array_agg(input_hash order by input_date) as input_hashes
    from daily
    group by account_key
)

-- Of an account that was not touched they are what they were.
select
    life_hashes.account_key,
    life_hashes.life_hash,
    coalesce(listed.input_dates, case when touched.account_key is null then last_build.input_dates end, '{}')
        as input_dates,
    coalesce(listed.input_hashes, case when touched.account_key is null then last_build.input_hashes end, '{}')
        as input_hashes
from life_hashes
left join touched on life_hashes.account_key = touched.account_key
left join listed on life_hashes.account_key = listed.account_key
left join last_build on life_hashes.account_key = last_build.account_key
