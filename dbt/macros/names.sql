{#- A company name without legal form, case, accents of spelling and punctuation: what two systems may agree on. -#}
{% macro normalised_name(expression) -%}
    nullif(
        btrim(
            regexp_replace(
                regexp_replace(
                    lower({{ expression }}),
                    '\y(ltd|limited|gmbh|ag|inc|incorporated|llc|llp|plc|bv|nv|sa|sas|sarl|srl|spa|ab|oy|aps|as|co|corp|company|kg)\y',
                    ' ', 'g'
                ),
                '[^a-z0-9à-öø-ÿ]+', ' ', 'g'
            )
        ),
        ''
    )
{%- endmacro %}

{% macro email_domain(expression) -%}
    nullif(lower(btrim(split_part({{ expression }}, '@', 2))), '')
{%- endmacro %}

{#- A web address or host name as a bare domain: no scheme, no www, no path. -#}
{% macro bare_domain(expression) -%}
    nullif(regexp_replace(regexp_replace(lower(btrim({{ expression }})), '^(https?://)?(www\.)?', ''), '[/?#].*$', ''), '')
{%- endmacro %}

{% macro account_key(company_id) -%}
    md5('hubspot:' || {{ company_id }})
{%- endmacro %}
