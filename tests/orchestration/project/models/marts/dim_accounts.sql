select
    companies._pk as account_key,
    users.payload ->> 'name' as account_name,
    date '2026-03-01' as as_of_date
from {{ source('raw_crm', 'companies') }} as companies
left join {{ source('raw_desk', 'users') }} as users using (_pk)
left join {{ source('app', 'actions') }} as actions on actions.account_key = companies._pk
