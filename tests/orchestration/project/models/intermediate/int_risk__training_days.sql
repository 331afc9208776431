{{ config(materialized='view', schema='intermediate') }}
select account_key from {{ ref('dim_accounts') }}
