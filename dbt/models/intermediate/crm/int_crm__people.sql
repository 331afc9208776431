with contact_mails as (
    select
        email,
        account_key
    from {{ ref('int_crm__contacts') }}
    where email is not null
),

user_mails as (
    select
        users.email,
        links.account_key
    from {{ ref('stg_product__users') }} as users
    inner join {{ ref('int_identity__account_links') }} as links
        on users.tenant_id = links.source_id and links.source = 'product' and links.is_linked
    where users.email is not null
),

mails as (
    select * from contact_mails
    union all
    select * from user_mails
)

-- An address that two accounts share names neither.
select
    email,
    min(account_key) as account_key
from mails
group by email
having count(distinct account_key) = 1
