{#-
    CTE `best`: one row per record with its link. An explicit id outranks every guess, and a person outranks both; what speaks on
    the highest of these ranks must agree, or the record stays unlinked, rule `conflict`: a wrong link costs more than a missing
    one. A guess (an address, a name) is never believed against another guess, however much surer it seems.
    `candidates` has columns <id_columns>, account_key, rule, confidence; `candidates` of `best` are those that spoke, for the
    person who has to decide.
-#}
{% macro unique_best(candidates, id_columns) -%}
ranked as (
    select
        {{ id_columns }},
        account_key,
        rule,
        confidence,
        {{ link_rank('rule', 'confidence') }} as link_rank,
        max({{ link_rank('rule', 'confidence') }}) over (partition by {{ id_columns }}) as best_rank,
        max(confidence) over (partition by {{ id_columns }}) as best_confidence
    from {{ candidates }}
),

best as (
    select
        {{ id_columns }},
        case when count(distinct account_key) <= 1 then min(account_key) end as account_key,
        case
            when count(distinct account_key) <= 1 then min(rule) filter (where confidence = best_confidence)
            else 'conflict'
        end as rule,
        max(confidence)::double precision as confidence,
        jsonb_agg(
            distinct jsonb_build_object('account_key', account_key, 'rule', rule, 'confidence', confidence)
        ) as candidates
    from ranked
    where link_rank = best_rank
    group by {{ id_columns }}
)
{%- endmacro %}

{% macro link_rank(rule, confidence) -%}
    case when {{ rule }} = 'manual' then 3 when {{ confidence }} = 1 then 2 else 1 end
{%- endmacro %}
