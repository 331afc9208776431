select
    tickets._pk as ticket_id,
    accounts.account_key,
    (tickets.payload ->> 'age')::int as age_days
from {{ source('raw_desk', 'tickets') }} as tickets
left join {{ ref('dim_accounts') }} as accounts on accounts.account_key = tickets.payload ->> 'account'
