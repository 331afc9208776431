{#-
    What a data test reads. `where: told anew by <date column>` are the days that this build told anew: those before were
    tested by the builds that told them. Everything else is dbt's own.
-#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') or '' -%}
    {%- set marker = 'told anew by ' -%}
    {%- if where.startswith(marker) -%}
        {%- set windows = api.Relation.create(
            database=target.database, schema='intermediate', identifier='int_time__rebuild_windows'
        ) -%}
        (
            select held.*
            from {{ windows }} as windows
            inner join {{ relation }} as held
                on
                    windows.account_key = held.account_key
                    and windows.rebuild_from_date <= held.{{ where[marker | length:] }}
        ) as told_anew
    {%- else -%}
        {{ return(default__get_where_subquery(relation)) }}
    {%- endif -%}
{%- endmacro %}
