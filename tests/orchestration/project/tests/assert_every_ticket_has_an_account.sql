select ticket_id from {{ ref('fct_tickets') }} left join {{ ref('dim_accounts') }} using (account_key)
where {{ ref('dim_accounts').identifier }}.account_key is null
