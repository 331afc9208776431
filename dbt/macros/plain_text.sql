{#- Notes of the CRM are HTML; a screen wants the words. -#}
{% macro plain_text(expression) -%}
    nullif(
        btrim(
            regexp_replace(
                replace(replace(replace(replace(
                    regexp_replace(
                        regexp_replace({{ expression }}, '<\s*(br|/p|/div|/li)[^>]*>', E'\n', 'gi'),
                        '<[^>]+>', '', 'g'
                    ),
                    '&nbsp;', ' '), '&lt;', '<'), '&gt;', '>'), '&amp;', '&'),
                '[ \t]+', ' ', 'g'
            ),
            E' \n'
        ),
        ''
    )
{%- endmacro %}
