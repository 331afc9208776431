-- A value falls under one rule of its driver at most, and every sum of points up to the table's end has a probability.
with rules as (
    select
        *,
        numrange(lower_bound, upper_bound, '[)') as bounds,
        row_number() over () as rule_number
    from {{ ref('churn_risk_rules') }}
),

probabilities as (
    select * from {{ ref('churn_risk_probabilities') }}
)

select
    rules.model_version,
    rules.driver
from rules
inner join rules as others
    on
        rules.model_version = others.model_version
        and rules.driver = others.driver
        and rules.rule_number < others.rule_number
        and rules.bounds && others.bounds

union all

select
    model_version,
    'gap in the points' as driver
from probabilities
group by model_version
having max(points) - min(points) + 1 <> count(*) or min(churn_probability_90d) <= 0 or max(churn_probability_90d) > 1
