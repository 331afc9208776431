select account_key from {{ ref('dim_accounts') }} left join {{ ref('fct_risk') }} using (account_key)
where {{ ref('fct_risk').identifier }}.account_key is null
