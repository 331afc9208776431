{#-
    CTE `best`: one row per record with its most trusted link. Rules that agree are one link; when the most trusted
    ones name different accounts the record stays unlinked, rule `conflict`: a wrong link costs more than a missing one.
    `candidates` has columns <id_columns>, account_key, rule, confidence.
-#}
{% macro unique_best(candidates, id_columns) -%}
ranked as (
    select
        {{ id_columns }},
        account_key,
        rule,
        confidence,
        max(confidence) over (partition by {{ id_columns }}) as best_confidence
    from {{ candidates }}
),

best as (
    select
        {{ id_columns }},
        case when count(distinct account_key) = 1 then min(account_key) end as account_key,
        case when count(distinct account_key) = 1 then min(rule) else 'conflict' end as rule,
        max(confidence)::double precision as confidence
    from ranked
    where confidence = best_confidence
    group by {{ id_columns }}
)
{%- endmacro %}
