{{ config(tags=['nightly']) }}
select ticket_id from {{ ref('fct_tickets') }} where age_days > 365
