-- A measured outcome lies after its decision and not in the future; what is not measured carries no value.
with outcomes as (
    select * from {{ ref('fct_action_outcomes') }}
),

as_of as (
    select * from {{ ref('int_time__as_of') }}
)

{% for days in [30, 60, 90] -%}
select
    outcomes.decision_id,
    '{{ days }}d' as horizon
from outcomes
cross join as_of
where
    outcomes.measured_{{ days }}d_date <> outcomes.decided_date + {{ days }}
    or outcomes.measured_{{ days }}d_date > as_of.as_of_date
    or (outcomes.measured_{{ days }}d_status = 'measured') <> (outcomes.measured_{{ days }}d_date is not null)
    or (
        outcomes.measured_{{ days }}d_status <> 'measured'
        and num_nonnulls(
            outcomes.health_change_{{ days }}d,
            outcomes.usage_change_ratio_{{ days }}d,
            outcomes.ticket_change_{{ days }}d,
            outcomes.nps_change_{{ days }}d,
            outcomes.mrr_change_eur_{{ days }}d,
            outcomes.retention_{{ days }}d,
            outcomes.trigger_cleared_{{ days }}d
        ) > 0
    )
{{ 'union all' if not loop.last }}
{% endfor %}
