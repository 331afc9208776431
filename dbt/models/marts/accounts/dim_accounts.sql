{{
    config(
        indexes=[{'columns': ['account_key'], 'unique': true}, {'columns': ['csm_email']}],
    )
}}

with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
),

companies as (
    select * from {{ ref('stg_hubspot__companies') }}
),

owners as (
    select * from {{ ref('int_crm__owners') }}
),

states as (
    select * from {{ ref('int_accounts__state_daily') }}
),

-- Read by index from several places: a CTE that is kept whole would be all of its history.
health as not materialized (
    select * from {{ ref('fct_account_health_daily') }}
),

risk as (
    select * from {{ ref('fct_churn_risk_daily') }}
),

usage as (
    select * from {{ ref('fct_usage_daily') }}
),

current_rates as (
    select * from {{ ref('int_billing__fx_rates') }} where is_current
),

-- Thirteen weeks and today, oldest first; a week before the account's life is null.
trends as (
    select
        lives.account_key,
        array_agg(health.score order by weeks.weeks_ago desc) as health_trend_90d
    from lives
    cross join as_of
    cross join generate_series(0, 13) as weeks (weeks_ago)
    left join health
        on lives.account_key = health.account_key and as_of.as_of_date - 7 * weeks.weeks_ago = health.health_date
    where lives.is_active
    group by lives.account_key
),

support as (
    select
        account_key,
        count(*) filter (where is_open)::integer as open_ticket_count,
        count(*) filter (where is_urgent_open)::integer as urgent_open_ticket_count
    from {{ ref('fct_tickets') }}
    group by account_key
),

overdue as (
    select
        account_key,
        count(*)::integer as overdue_invoice_count,
        max(days_overdue) as oldest_overdue_days
    from {{ ref('fct_invoices') }}
    where is_overdue
    group by account_key
),

stakeholders as (
    select
        account_key,
        count(*)::integer as stakeholder_count,
        (array_agg(contact_name order by has_bounced, created_date, contact_key) filter (where is_champion))[1]
            as champion_name
    from {{ ref('dim_contacts') }}
    where not has_left
    group by account_key
),

-- A role is held by somebody who is there and whom mail reaches.
held_roles as (
    select
        account_key,
        array_agg(distinct stakeholder_role) as held
    from {{ ref('dim_contacts') }}
    where departure_kind is null
    group by account_key
),

role_gaps as (
    select
        lives.account_key,
        coalesce(
            array_agg(needed.stakeholder_role order by needed.place) filter (
                where not needed.stakeholder_role = any(coalesce(held_roles.held, '{}'))
            ),
            '{}'
        ) as missing_roles
    from lives
    cross join (
        values
        {% for role in var('needed_roles') -%}
        ('{{ role }}', {{ loop.index }}){{ ',' if not loop.last }}
        {% endfor %}
    ) as needed (stakeholder_role, place)
    left join held_roles on lives.account_key = held_roles.account_key
    group by lives.account_key
),

departed_champions as (
    select distinct on (account_key)
        account_key,
        contact_name as departed_champion_name,
        departure_date as champion_departure_date,
        departure_kind as champion_departure_kind
    from {{ ref('dim_contacts') }}
    where is_champion and departure_kind is not null
    order by account_key, departure_date desc nulls last, contact_key
),

contacts as (
    select
        engagements.account_key,
        max({{ utc_date('engagements.occurred_at') }}) as last_contact_date
    from {{ ref('fct_engagements') }} as engagements
    cross join as_of
    where engagements.is_two_way and {{ utc_date('engagements.occurred_at') }} <= as_of.as_of_date
    group by engagements.account_key
),

answers as (
    select distinct on (account_key)
        account_key,
        score as nps_score,
        {{ utc_date('responded_at') }} as nps_date
    from {{ ref('fct_nps_responses') }}
    where account_key is not null
    order by account_key, responded_at desc, response_key
),

linked as (
    select
        account_key,
        array_agg(source_id order by source_id) filter (where source = 'stripe') as stripe_customer_ids,
        min(source_id) filter (where source = 'zendesk') as zendesk_organization_id
    from {{ ref('int_identity__account_links') }}
    where is_linked
    group by account_key
)

select
    lives.account_key,
    lives.company_id as account_id,
    coalesce(companies.property_name, companies.property_domain, lives.company_id) as account_name,
    companies.property_domain as domain,
    companies.property_industry as industry,
    companies.property_country as country_code,
    companies.property_city as city,
    companies.property_customer_segment as segment,
    lives.plan,
    case when lives.is_active then states.profile else 'churned' end as lifecycle_stage,
    owners.csm_key,
    owners.csm_name,
    owners.csm_email,
    lives.customer_since_date,
    case when lives.is_active then states.seats_paid else 0 end as seats_paid,
    case when lives.is_active then usage.active_users_28d end as seats_used_28d,
    case when lives.is_active then usage.active_users_28d::double precision / nullif(states.seats_paid, 0) end
        as seat_use_ratio,
    lives.currency_code,
    case when lives.is_active then coalesce(states.mrr, 0) else 0 end as mrr,
    case when lives.is_active then coalesce(round(states.mrr * current_rates.eur_per_unit, 2), 0) else 0 end as mrr_eur,
    lives.billing_interval,
    case when lives.is_active then states.renewal_date end as renewal_date,
    case when lives.is_active then states.days_to_renewal end as days_to_renewal,
    lives.is_active,
    lives.churned_date,
    lives.churn_kind,
    health.score as health_score,
    health.band as health_band,
    health.coverage_ratio as health_coverage_ratio,
    health_before.score as health_score_30d_ago,
    trends.health_trend_90d,
    risk.churn_probability_90d,
    risk.churn_risk_band,
    risk.model_version as churn_risk_model,
    coalesce(risk.mrr_at_risk_eur, 0) as mrr_at_risk_eur,
    contacts.last_contact_date,
    answers.nps_score,
    answers.nps_date,
    coalesce(support.open_ticket_count, 0) as open_ticket_count,
    coalesce(support.urgent_open_ticket_count, 0) as urgent_open_ticket_count,
    coalesce(overdue.overdue_invoice_count, 0) as overdue_invoice_count,
    coalesce(overdue.oldest_overdue_days, 0) as oldest_overdue_days,
    stakeholders.champion_name,
    coalesce(stakeholders.stakeholder_count, 0) as stakeholder_count,
    role_gaps.missing_roles,
    departed_champions.departed_champion_name,
    departed_champions.champion_departure_date,
    departed_champions.champion_departure_kind,
    lives.tenant_id,
    coalesce(linked.stripe_customer_ids, '{}') as stripe_customer_ids,
    linked.zendesk_organization_id,
    as_of.as_of_date
from lives
cross join as_of
inner join companies on lives.company_id = companies.id
left join owners on companies.owner_id = owners.owner_id
left join states on lives.account_key = states.account_key and lives.last_date = states.state_date
left join health
    on lives.account_key = health.account_key and as_of.as_of_date = health.health_date and lives.is_active
left join health as health_before
    on
        lives.account_key = health_before.account_key
        and as_of.as_of_date - 30 = health_before.health_date
        and lives.is_active
left join risk on lives.account_key = risk.account_key and as_of.as_of_date = risk.risk_date and lives.is_active
left join usage on lives.account_key = usage.account_key and as_of.as_of_date = usage.usage_date
left join current_rates on lives.currency_code = current_rates.currency_code
left join trends on lives.account_key = trends.account_key
left join support on lives.account_key = support.account_key
left join overdue on lives.account_key = overdue.account_key
left join stakeholders on lives.account_key = stakeholders.account_key
left join role_gaps on lives.account_key = role_gaps.account_key
left join departed_champions on lives.account_key = departed_champions.account_key
left join contacts on lives.account_key = contacts.account_key
left join answers on lives.account_key = answers.account_key
left join linked on lives.account_key = linked.account_key
