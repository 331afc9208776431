{#- One row per pair that stands today: a link table of the CRM, with the names analysts know. -#}
{% macro association(table_name, from_column, to_column) -%}
with source as (
    select * from {{ source('raw_hubspot', table_name) }} where _deleted_at is null
)

select
    payload ->> 'from_id' as {{ from_column }},
    payload ->> 'to_id' as {{ to_column }},
    coalesce(payload -> 'labels' @> '["Primary"]'::jsonb, false) as is_primary,
    _loaded_at as loaded_at
from source
{%- endmacro %}
