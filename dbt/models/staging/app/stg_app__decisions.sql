with source as (
    select * from {{ source('app', 'decisions') }}
)

select
    decision_id,
    account_key,
    decided_at,
    policy_id,
    policy_version,
    rule_id,
    eligible,
    chosen_intervention,
    propensity_chosen,
    arm,
    snapshot_id,
    newest_input_at
from source
