{#-
    Where the last complete build of the daily facts ended. int_time__built_windows is written after those facts and
    read before them, so it can not be a ref (the graph would close into a circle); a build that failed half-way never
    wrote it, and the next one covers the same ground again.
-#}
{% macro daily_facts() -%}
    {{ return({
        'fct_usage_daily': 'marts_next',
        'fct_account_health_daily': 'marts_next',
        'int_risk__rule_scores': 'intermediate',
        'fct_churn_risk_daily': 'marts_next',
    }) }}
{%- endmacro %}

{% macro last_build() -%}
    {%- set nothing -%}
        (
            select
                null::text as account_key,
                null::date as first_date,
                null::date as built_through_date,
                null::text as links_hash,
                null::timestamptz as loaded_until
            where false
        )
    {%- endset -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        {{ return(nothing) }}
    {%- endif -%}
    {%- for fact, schema in daily_facts().items() -%}
        {%- if adapter.get_relation(database=target.database, schema=schema, identifier=fact) is none -%}
            {{ return(nothing) }}
        {%- endif -%}
    {%- endfor -%}
    {%- set relation = adapter.get_relation(
        database=target.database, schema='intermediate', identifier='int_time__built_windows'
    ) -%}
    {{ return(relation if relation is not none else nothing) }}
{%- endmacro %}

{#- After an incremental insert: days outside an account's life (churn dated back, companies merged) leave the fact. -#}
{% macro delete_days_outside_life(date_column) -%}
    delete from {{ this }} as days
    where not exists (
        select 1
        from {{ ref('int_time__rebuild_windows') }} as windows
        where
            windows.account_key = days.account_key
            and days.{{ date_column }} between windows.first_date and windows.last_date
    )
{%- endmacro %}

{#-
    The same for a mart, and what this build wrote is noted in its transaction: a publication compares the noted days
    only, so its time follows the changes and not the history.
-#}
{% macro settle_days(date_column) -%}
    with outside as (
        {{ delete_days_outside_life(date_column) }}
        returning account_key, {{ date_column }} as first_date
    ),

    written as (
        select account_key, first_date from outside
        union all
        select account_key, rebuild_from_date from {{ ref('int_time__rebuild_windows') }}
        where rebuild_from_date <= last_date
    )

    insert into publishing.written_days as noted (mart, date_column, account_key, first_date)
    select '{{ this.identifier }}', '{{ date_column }}', account_key, min(first_date)
    from written
    group by account_key
    on conflict (mart, account_key) do update set first_date = least(noted.first_date, excluded.first_date)
{%- endmacro %}
