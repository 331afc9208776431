with last_build as (
    select * from {{ last_build() }} as last_build
),

inputs as (
    select * from {{ ref('int_time__inputs') }}
),

tenants as (
    select
        source_id::bigint as tenant_id,
        account_key
    from {{ ref('int_identity__account_links') }}
    where source = 'product' and is_linked and source_id ~ '^[0-9]{1,18}$'
),

changed as (
    select
        inputs.account_key,
        inputs.input_dates,
        inputs.input_hashes,
        last_build.input_dates as built_dates,
        last_build.input_hashes as built_hashes
    from inputs
    inner join last_build on inputs.account_key = last_build.account_key
    where
        inputs.input_dates <> last_build.input_dates
        or inputs.input_hashes <> last_build.input_hashes
),

differing as (
    select
        sides.account_key,
        sides.input_date
    from (
        select
            changed.account_key,
            now_known.input_date,
            now_known.input_hash
        from changed
        cross join lateral unnest(changed.input_dates, changed.input_hashes) as now_known (input_date, input_hash)

        union all

        select
            changed.account_key,
            built.input_date,
            -built.input_hash as input_hash
        from changed
        cross join lateral unnest(changed.built_dates, changed.built_hashes) as built (input_date, input_hash)
    ) as sides
    group by sides.account_key, sides.input_date
    having sum(sides.input_hash) <> 0
),

-- Usage only grows, and has too many rows to be compared: what was loaded since tells where.
used as (
    select
        tenants.account_key,
        {{ utc_date('events.occurred_at') }} as input_date
    from {{ ref('stg_product__usage_events') }} as events
    inner join tenants on events.tenant_id = tenants.tenant_id
    where events.loaded_at > (select max(last_build.loaded_until) from last_build)
),

arrivals as (
    select * from differing
    union all
    select * from used
)

select
    account_key,
    min(input_date) as affected_from_date
from arrivals
group by account_key
