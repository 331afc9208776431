{#-
    Where the last complete build of the tables that grow ended, and what it was told from; nothing, when one of them is
    gone. int_time__built_windows is written after those tables and read before them, so it can not be a ref (the graph
    would close into a circle); a build that failed half-way never wrote it, and the next one covers the same ground
    again.
-#}
{% macro grown_tables() -%}
    {{ return({
        'int_usage__account_days': 'intermediate',
        'fct_usage_daily': 'marts_next',
        'fct_account_health_daily': 'marts_next',
        'int_risk__rule_scores': 'intermediate',
        'fct_churn_risk_daily': 'marts_next',
        'int_usage__user_activity': 'intermediate',
        'int_health__band_changes': 'intermediate',
        'fct_account_events': 'marts_next',
        'fct_figure_inputs': 'marts_next',
    }) }}
{%- endmacro %}

{% macro last_build() -%}
    {%- set nothing -%}
        (
            select
                null::text as account_key,
                null::date as built_through_date,
                null::timestamptz as loaded_until,
                null::date as as_of_date,
                null::date as history_from_date,
                null::text as life_hash,
                null::date[] as input_dates,
                null::numeric[] as input_hashes,
                null::numeric as fingerprint
            where false
        )
    {%- endset -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        {{ return(nothing) }}
    {%- endif -%}
    {%- for fact, schema in grown_tables().items() -%}
        {%- if adapter.get_relation(database=target.database, schema=schema, identifier=fact) is none -%}
            {{ return(nothing) }}
        {%- endif -%}
    {%- endfor -%}
    {%- set relation = adapter.get_relation(
        database=target.database, schema='intermediate', identifier='int_time__built_windows'
    ) -%}
    {#- Days of an earlier version of this project do not say what is told of them since. -#}
    {%- set health = adapter.get_relation(
        database=target.database, schema='marts_next', identifier='fct_account_health_daily'
    ) -%}
    {%- if 'last_contact_date' not in adapter.get_columns_in_relation(health) | map(attribute='name') -%}
        {{ return(nothing) }}
    {%- endif -%}
    {#- Written by an earlier version of this project, it does not say what its build was told from. -#}
    {%- set known = adapter.get_columns_in_relation(relation) | map(attribute='name') if relation is not none else [] -%}
    {{ return(relation if 'fingerprint' in known else nothing) }}
{%- endmacro %}

{#-
    Before an incremental insert: the days that are told anew leave the fact, and those outside an account's life (churn
    dated back, companies merged). By the index, account for account, so that the time does not follow the history.
    `kept_days`: days older than so many are history, which no build tells again.
-#}
{% macro delete_days(date_column, kept_days=none) -%}
    {%- set windows = ref('int_time__rebuild_windows') -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as days
        using (
            select
                account_key,
                '-infinity'::date as from_date,
                first_date - 1 as to_date
            from {{ windows }}

            union all

            select
                account_key,
                least(
                    {% if kept_days is not none -%}
                    greatest(
                        rebuild_from_date,
                        (select as_of_date + 1 - {{ kept_days }} from {{ ref('int_time__as_of') }})
                    ),
                    {%- else -%}
                    rebuild_from_date,
                    {%- endif %}
                    last_date + 1
                ) as from_date,
                'infinity'::date as to_date
            from {{ windows }}

            union all

            select
                account_key,
                '-infinity'::date as from_date,
                'infinity'::date as to_date
            from (
                -- From account to account along the index, over all days between.
                with recursive known as (
                    select min(account_key) as account_key from {{ this }}
                    union all
                    select
                        (
                            select min(later.account_key)
                            from {{ this }} as later
                            where later.account_key > known.account_key
                        ) as account_key
                    from known
                    where known.account_key is not null
                )

                select account_key from known
                except
                select account_key from {{ windows }}
            ) as gone
        ) as spans
        where days.account_key = spans.account_key and days.{{ date_column }} between spans.from_date and spans.to_date
    {%- endif -%}
{%- endmacro %}

{#- Keeps for the publication from which day on rows of accounts, as the caller selects them, are written anew. -#}
{% macro noted(date_column) -%}
    insert into publishing.written_days as noted (mart, date_column, account_key, first_date)
    select '{{ this.identifier }}', '{{ date_column }}', account_key, min(first_date)
    from (
        {{ caller() }}
    ) as days
    where account_key is not null and first_date < 'infinity'
    group by account_key
    on conflict (mart, account_key) do update set first_date = least(noted.first_date, excluded.first_date)
{%- endmacro %}

{#-
    The same for a mart, and what this build writes is noted in its transaction: a publication compares the noted days
    only, so its time follows the changes and not the history.
-#}
{% macro clear_days(date_column, kept_days=none) -%}
    with written as (
        select
            account_key,
            rebuild_from_date as first_date
        from {{ ref('int_time__rebuild_windows') }}
        where rebuild_from_date <= last_date
    )

    {%- if is_incremental() %},

    deleted as (
        {{ delete_days(date_column, kept_days) }}
        returning days.account_key, days.{{ date_column }} as first_date
    )
    {%- endif %}

    {% call noted(date_column) -%}
        select * from written
        {%- if is_incremental() %}
        union all
        select * from deleted
        {%- endif %}
    {%- endcall %}
{%- endmacro %}

{#-
    Of an account whose records are those of the last build, what was told of them stands; everybody else's is told anew,
    and so is what belongs to nobody. `account_key` is qualified, or it would be that of the subquery.
-#}
{% macro is_touched(account_key) -%}
    not exists (
        select 1
        from {{ ref('int_time__touched_accounts') }} as known
        where known.account_key = {{ account_key }} and not known.is_touched
    )
{%- endmacro %}

{#-
    Before an incremental insert into a mart of such rows: what is told anew leaves it, and is noted for the publication.
    `from_window`: of an account that was not touched, too, what is dated in its rebuild window is told anew.
-#}
{% macro clear_touched(date_column, from_window=false) -%}
    with told as (
        select
            touched.account_key,
            touched.is_touched,
            {{ 'windows.rebuild_from_date' if from_window else "'infinity'::date" }} as rebuild_from_date
        from {{ ref('int_time__touched_accounts') }} as touched
        inner join {{ ref('int_time__rebuild_windows') }} as windows on touched.account_key = windows.account_key
    )

    {%- if is_incremental() %},

    deleted as (
        delete from {{ this }} as held
        where not exists (
            select 1
            from told
            where
                told.account_key = held.account_key
                and not told.is_touched
                and told.rebuild_from_date > held.{{ date_column }}
        )
        returning held.account_key
    )
    {%- endif %}

    {% call noted(date_column) -%}
        select
            account_key,
            case when is_touched then '-infinity'::date else rebuild_from_date end as first_date
        from told
        {%- if is_incremental() %}
        union all
        select
            account_key,
            '-infinity'::date as first_date
        from deleted
        where account_key not in (select account_key from told)
        {%- endif %}
    {%- endcall %}
{%- endmacro %}
