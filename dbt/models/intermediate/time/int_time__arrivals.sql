{%- set since_last_build = '> (select last_build.loaded_until from last_build)' -%}
{%- set is_new = 'first_loaded_at ' ~ since_last_build -%}
{#- A change in mid-term is billed later: its lines reach back into the period before the invoice. -#}
{%- set invoiced_from = 'least(' ~ utc_date('invoiced_at') ~ ', period_start_date)' -%}
{#- A subscription known before moves only its end. -#}
{%- set subscribed_from = 'case when ' ~ is_new ~ ' then start_date else service_end_date end' -%}
{#- A role or an address changed on a known contact has no date of its own: it counts from the lookback on. -#}
{%- set contact_from = 'case when ' ~ is_new ~ ' then created_date else left_date end' -%}
{%- set first_days = {
    'int_support__tickets': utc_date('created_at'),
    'int_billing__invoices': invoiced_from,
    'int_billing__subscriptions': subscribed_from,
    'int_survey__responses': utc_date('responded_at'),
    'int_crm__engagements': utc_date('occurred_at'),
    'int_crm__contacts': contact_from,
} -%}

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
    where events.loaded_at {{ since_last_build }}
    group by tenants.account_key
    {%- for model, first_day in first_days.items() %}

    union all

    select
        account_key,
        min({{ first_day }}) as affected_from_date
    from {{ ref(model) }}
    where loaded_at {{ since_last_build }}
    group by account_key
    {%- endfor %}
)

select
    account_key,
    min(affected_from_date) as affected_from_date
from arrivals
where account_key is not null
group by account_key
