with accounts as (
    select
        identities.account_key,
        identities.company_id,
        companies.property_onboarding_completed_date as onboarding_completed_date
    from {{ ref('int_identity__companies') }} as identities
    inner join {{ ref('stg_hubspot__companies') }} as companies on identities.company_id = companies.id
    where identities.is_account
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

links as (
    select * from {{ ref('int_identity__account_links') }} where is_linked
),

link_hashes as (
    select
        account_key,
        md5(string_agg(source || ':' || source_id, ',' order by source, source_id)) as links_hash
    from links
    group by account_key
),

tenants as (
    select
        links.account_key,
        min({{ utc_date('tenants.created_at') }}) as tenant_first_date,
        (array_agg(tenants.id order by tenants.created_at, tenants.id))[1] as tenant_id,
        (array_agg(tenants.plan order by tenants.created_at, tenants.id))[1] as tenant_plan
    from links
    inner join {{ ref('stg_product__tenants') }} as tenants on links.source_id = tenants.id
    where links.source = 'product'
    group by links.account_key
),

subscriptions as (
    select * from {{ ref('int_billing__subscriptions') }} where account_key is not null
),

-- A subscription ended on or before the last known day; an end in the future is only a notice.
ended as (
    select
        subscriptions.*,
        as_of.as_of_date,
        subscriptions.service_end_date <= as_of.as_of_date as has_ended
    from subscriptions
    cross join as_of
),

service as (
    select
        account_key,
        min(start_date) as first_start_date,
        bool_and(coalesce(has_ended, false)) as all_ended,
        max(service_end_date) as last_service_end_date,
        -- Notice counts when it is given for everything.
        case when bool_and(notice_date is not null) then max(notice_date) end as notice_date,
        (array_agg(cancellation_reason order by service_end_date desc nulls last))[1] as last_reason
    from ended
    group by account_key
),

-- The subscription that speaks for the account: running before ended, seat plan before add-on, oldest first.
main_subscription as (
    select distinct on (ended.account_key)
        ended.account_key,
        ended.plan,
        ended.billing_interval,
        ended.currency_code,
        ended.anchor_date
    from ended
    left join {{ ref('seat_plans') }} as seat_plans on ended.plan = seat_plans.product_name
    order by
        ended.account_key,
        coalesce(ended.has_ended, false),
        seat_plans.product_name is null,
        ended.start_date,
        ended.subscription_id
)

select
    accounts.account_key,
    accounts.company_id,
    accounts.onboarding_completed_date,
    tenants.tenant_id,
    case
        when tenants.tenant_first_date is not null
            then greatest(tenants.tenant_first_date, as_of.history_from_date)
    end as usage_first_date,
    coalesce(main_subscription.plan, initcap(tenants.tenant_plan)) as plan,
    main_subscription.billing_interval,
    main_subscription.currency_code,
    main_subscription.anchor_date,
    coalesce(service.first_start_date, tenants.tenant_first_date) as customer_since_date,
    -- The first day that can be told, not the first day there was.
    greatest(least(service.first_start_date, tenants.tenant_first_date), as_of.history_from_date) as first_date,
    case when service.all_ended then service.last_service_end_date else as_of.as_of_date end as last_date,
    not coalesce(service.all_ended, false) as is_active,
    case when service.all_ended then service.last_service_end_date end as churned_date,
    case
        when service.all_ended is not true then null
        when service.last_reason = 'payment_failed' then 'involuntary'
        else 'voluntary'
    end as churn_kind,
    service.notice_date,
    link_hashes.links_hash
from accounts
cross join as_of
left join tenants on accounts.account_key = tenants.account_key
left join service on accounts.account_key = service.account_key
left join main_subscription on accounts.account_key = main_subscription.account_key
left join link_hashes on accounts.account_key = link_hashes.account_key
where least(service.first_start_date, tenants.tenant_first_date) <= as_of.as_of_date
