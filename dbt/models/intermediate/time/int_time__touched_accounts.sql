{{ config(indexes=[{'columns': ['account_key'], 'unique': true}]) }}

-- Every record that an account has, use of the product aside, as one number: where it is that of the last build,
-- nothing came, went, moved or changed, and what was told of these records stands.
with lives as (
    select * from {{ ref('int_accounts__lives') }}
),

last_build as (
    select * from {{ last_build() }} as last_build
),

hashed as (
    {% for records in [
        'int_identity__linked_records', 'int_crm__contacts', 'int_crm__engagements', 'int_billing__subscriptions',
        'int_billing__invoices', 'int_billing__invoice_lines', 'int_support__tickets', 'int_survey__responses',
    ] -%}
    select
        account_key,
        hashtextextended(records::text, {{ loop.index }}) as row_hash
    from {{ ref(records) }} as records

    union all

    {% endfor -%}
    -- what is worth money is told in the currency that the account counts in
    select
        account_key,
        hashtextextended(currency_code, 0) as row_hash
    from lives
),

-- A sum does not depend on the order of its rows, and of two equal ones each counts.
fingerprints as (
    select
        account_key,
        sum(row_hash) as fingerprint
    from hashed
    where account_key is not null
    group by account_key
)

select
    lives.account_key,
    coalesce(fingerprints.fingerprint, 0) as fingerprint,
    coalesce(last_build.fingerprint <> coalesce(fingerprints.fingerprint, 0), true) as is_touched
from lives
left join fingerprints on lives.account_key = fingerprints.account_key
left join last_build on lives.account_key = last_build.account_key
