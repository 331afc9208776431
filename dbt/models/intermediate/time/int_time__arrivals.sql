with last_build as (
    select max(loaded_until) as loaded_until from {{ last_build() }} as last_build
),

tenants as (
    select
        source_id::bigint as tenant_id,
        account_key
    from {{ ref('int_identity__account_links') }}
    where source = 'product' and is_linked and source_id ~ '^[0-9]{1,18}$'
),

arrivals as (
    select
        tenants.account_key,
        min({{ utc_date('events.occurred_at') }}) as affected_from_date
    from {{ ref('stg_product__usage_events') }} as events
    inner join tenants on events.tenant_id = tenants.tenant_id
    where events.loaded_at > (select last_build.loaded_until from last_build)
    group by tenants.account_key

    union all

    select
        account_key,
        min({{ utc_date('created_at') }}) as affected_from_date
    from {{ ref('int_support__tickets') }}
    where loaded_at > (select last_build.loaded_until from last_build)
    group by account_key

    union all

    select
        account_key,
        -- A change in mid-term is billed later: its lines reach back into the period before the invoice.
        min(least({{ utc_date('invoiced_at') }}, period_start_date)) as affected_from_date
    from {{ ref('int_billing__invoices') }}
    where loaded_at > (select last_build.loaded_until from last_build)
    group by account_key

    union all

    -- A subscription known before moves only its end.
    select
        account_key,
        min(
            case
                when first_loaded_at > (select last_build.loaded_until from last_build) then start_date
                else service_end_date
            end
        ) as affected_from_date
    from {{ ref('int_billing__subscriptions') }}
    where loaded_at > (select last_build.loaded_until from last_build)
    group by account_key

    union all

    select
        account_key,
        min({{ utc_date('responded_at') }}) as affected_from_date
    from {{ ref('int_survey__responses') }}
    where loaded_at > (select last_build.loaded_until from last_build)
    group by account_key

    union all

    select
        account_key,
        min({{ utc_date('occurred_at') }}) as affected_from_date
    from {{ ref('int_crm__engagements') }}
    where loaded_at > (select last_build.loaded_until from last_build)
    group by account_key

    union all

    -- A role or an address changed on a known contact has no date of its own: it counts from the lookback on.
    select
        account_key,
        min(
            case
                when first_loaded_at > (select last_build.loaded_until from last_build) then created_date
                else left_date
            end
        ) as affected_from_date
    from {{ ref('int_crm__contacts') }}
    where loaded_at > (select last_build.loaded_until from last_build)
    group by account_key
)

select
    account_key,
    min(affected_from_date) as affected_from_date
from arrivals
where account_key is not null
group by account_key
