{{ config(materialized='view') }}

with spans as (
    select * from {{ ref('int_accounts__spans') }}
)

select
    account_key,
    quantity,
    from_date as change_date,
    amount as change
from spans

union all

select
    account_key,
    quantity,
    to_date as change_date,
    -amount as change
from spans
where to_date is not null
