{{
    config(
        indexes=[{'columns': ['source', 'source_id'], 'unique': true}, {'columns': ['account_key']}],
    )
}}

select
    account_key,
    source,
    source_id,
    source_name,
    rule,
    confidence,
    is_linked
from {{ ref('int_identity__account_links') }}
