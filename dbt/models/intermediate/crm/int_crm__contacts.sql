with contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
    -- A merged contact lives on in its survivor; an erased one must not come back through a mart.
    where not is_deleted or delete_reason in ('archived', 'deleted', 'missing')
),

companies as (
    select * from {{ ref('int_identity__companies') }} where account_key is not null
),

associated as (
    select distinct on (company_contacts.contact_id)
        company_contacts.contact_id,
        companies.account_key
    from {{ ref('stg_hubspot__company_contacts') }} as company_contacts
    inner join companies on company_contacts.company_id = companies.company_id
    order by company_contacts.contact_id, company_contacts.is_primary desc, company_contacts.company_id
),

roles as (
    select
        contacts.*,
        coalesce(companies.account_key, associated.account_key) as account_key,
        case upper(contacts.property_buying_role)
            when 'CHAMPION' then 'champion'
            when 'DECISION_MAKER' then 'decision_maker'
            when 'BUDGET_HOLDER' then 'budget_holder'
            when 'END_USER' then 'end_user'
            else 'unknown'
        end as stakeholder_role,
        least(contacts.property_left_company_date, {{ utc_date('contacts.deleted_at') }}) as left_date,
        {{ utc_date('contacts.deleted_at') }} as removed_date
    from contacts
    left join companies on contacts.property_associatedcompanyid = companies.company_id
    left join associated on contacts.id = associated.contact_id
)

select
    md5('hubspot_contact:' || id) as contact_key,
    id as contact_id,
    account_key,
    nullif(btrim(concat_ws(' ', property_firstname, property_lastname)), '') as contact_name,
    property_email as email,
    property_jobtitle as job_title,
    stakeholder_role,
    left_date,
    property_hs_email_bounce as has_bounced,
    -- What the CRM shows first: a new job recorded, the record removed, or only mail that comes back.
    case
        when removed_date < coalesce(property_left_company_date, 'infinity') then 'removed'
        when property_left_company_date is not null then 'job_change'
        when property_hs_email_bounce then 'bounced'
    end as departure_kind,
    -- The CRM keeps no day for a bounce: it was noticed no later than the last change of the record.
    coalesce(
        left_date, case when property_hs_email_bounce then {{ utc_date('property_lastmodifieddate') }} end
    ) as departure_date,
    {{ utc_date('property_createdate') }} as created_date,
    first_loaded_at,
    load_id,
    loaded_at
from roles
where account_key is not null
