{{ config(materialized='view') }}
select account_key, max(age_days) as oldest_age_days from {{ ref('fct_tickets') }} group by account_key
