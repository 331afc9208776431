{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        indexes=[{'columns': ['account_key', 'health_date'], 'unique': true}, {'columns': ['health_date']}],
        pre_hook="{{ clear_days('health_date') }}",
    )
}}

-- noqa: disable=LT02
-- (loops and lateral lists are indented for the reader; the linter sees them unrolled)
with measured as (
    select * from {{ ref('int_health__measure_values') }}
),

config as (
    select * from {{ ref('int_health__config') }}
),

-- `offset 0` keeps each step a step: merged into one, the planner would evaluate every case many times over.
pointed as (
    select
        measured.*,
        config.config_version,
        {% for dimension in health_dimensions() -%}
        config.{{ dimension }}_weight,
        {% endfor -%}
        {% for measure in health_measures() -%}
        case
            when measured.{{ measure }}_value is null then null
            when
                measured.{{ measure }}_value * config.{{ measure }}_sign
                >= config.{{ measure }}_good * config.{{ measure }}_sign
                then 100
            when
                measured.{{ measure }}_value * config.{{ measure }}_sign
                >= config.{{ measure }}_average * config.{{ measure }}_sign
                then 60
            else 0
        end as {{ measure }}_points,
        case when measured.{{ measure }}_value is not null then config.{{ measure }}_share else 0 end
            as {{ measure }}_share{{ ',' if not loop.last }}
        {% endfor %}
    from measured
    inner join config
        on
            measured.profile = config.profile
            and measured.health_date >= config.valid_from_date
            and measured.health_date < config.valid_to_date
    offset 0
),

dimensioned as (
    select
        pointed.*,
        {% for dimension, in_dimension in health_dimensions().items() -%}
        nullif(
            {% for measure in in_dimension -%}
            {{ measure }}_share{{ ' + ' if not loop.last }}
            {% endfor -%}
            , 0
        ) as {{ dimension }}_known{{ ',' if not loop.last }}
        {% endfor %}
    from pointed
    offset 0
),

weighed as (
    select
        dimensioned.*,
        {% for dimension in health_dimensions() -%}
        coalesce({{ dimension }}_weight * {{ dimension }}_known, 0){{ ' + ' if not loop.last }}
        {% endfor -%}
        as known_weight,
        {% for dimension in health_dimensions() -%}
        {{ dimension }}_weight{{ ' + ' if not loop.last }}
        {% endfor -%}
        as full_weight,
        nullif(
            {% for dimension in health_dimensions() -%}
            case when {{ dimension }}_known is null then 0 else {{ dimension }}_weight end{{ ' + ' if not loop.last }}
            {% endfor -%}
            , 0
        ) as present_weight
    from dimensioned
    offset 0
),

contributed as (
    select
        weighed.*,
        known_weight / full_weight as coverage_ratio,
        {% for dimension, in_dimension in health_dimensions().items() -%}
        (
            {% for measure in in_dimension -%}
            coalesce({{ measure }}_points * {{ measure }}_share, 0){{ ' + ' if not loop.last }}
            {% endfor -%}
        ) / {{ dimension }}_known as {{ dimension }}_score,
        {% for measure in in_dimension -%}
        {{ measure }}_points * {{ measure }}_share / {{ dimension }}_known * {{ dimension }}_weight / present_weight
            as {{ measure }}_contribution{{ ',' }}
        {% endfor -%}
        {% endfor -%}
        present_weight is not null as has_score
    from weighed
    offset 0
),

scored as (
    select
        contributed.*,
        case
            when has_score
                then
                    {% for measure in health_measures() -%}
                    coalesce({{ measure }}_contribution, 0){{ ' + ' if not loop.last }}
                    {% endfor %}
        end as score
    from contributed
    offset 0
)

select
    account_key,
    health_date,
    profile,
    config_version,
    score,
    case
        when score is null or coverage_ratio < {{ var('health_least_coverage_ratio') }} then null
        when round(score::numeric) <= {{ var('health_red_up_to') }} then 'R'
        when round(score::numeric) <= {{ var('health_yellow_up_to') }} then 'Y'
        else 'G'
    end as band,
    coverage_ratio,
    {% for dimension in health_dimensions() -%}
    {{ dimension }}_score,
    {% endfor -%}
    {% for measure in health_measures() -%}
    {{ measure }}_value,
    {{ measure }}_points,
    {{ measure }}_contribution,
    {% endfor -%}
    mrr_eur,
    renewal_date,
    last_contact_date
from scored
