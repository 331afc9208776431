{#-
    Raw keeps every value as it came; these turn text into types and give null for what does not fit, so that one odd
    value never stops a build. `expression` is SQL of type text.
-#}

{% macro present(expression) -%}
    nullif(btrim({{ expression }}), '')
{%- endmacro %}

{% macro hubspot_property(name) -%}
    {{ present("payload -> 'properties' ->> '" ~ name ~ "'") }}
{%- endmacro %}

{% macro to_number(expression) -%}
    case when {{ expression }} ~ '^\s*-?[0-9]+(\.[0-9]+)?\s*$' then ({{ expression }})::numeric end
{%- endmacro %}

{% macro to_bigint(expression) -%}
    case when {{ expression }} ~ '^\s*[0-9]{1,18}\s*$' then ({{ expression }})::bigint end
{%- endmacro %}

{#- ISO 8601 with or without a time; a value without a zone is UTC, as the session's time zone is. -#}
{% macro to_timestamp_utc(expression) -%}
    case when {{ expression }} ~ '^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}' then ({{ expression }})::timestamptz end
{%- endmacro %}

{% macro to_date_utc(expression) -%}
    case when {{ expression }} ~ '^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}' then left(btrim({{ expression }}), 10)::date end
{%- endmacro %}

{#- Stripe: whole seconds since 1970, UTC. -#}
{% macro from_epoch(expression) -%}
    to_timestamp(({{ expression }})::double precision)
{%- endmacro %}

{% macro utc_date(expression) -%}
    (({{ expression }}) at time zone 'UTC')::date
{%- endmacro %}

{#- Stripe: whole numbers in the smallest unit of the currency; some currencies have none. -#}
{% macro major_units(amount, currency) -%}
    case
        when lower({{ currency }}) in (
            'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'ugx', 'vnd', 'vuv', 'xaf', 'xof', 'xpf'
        ) then ({{ amount }})::numeric
        else round(({{ amount }})::numeric / 100, 6)
    end
{%- endmacro %}
