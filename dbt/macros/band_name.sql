{% macro band_name(expression) -%}
    case {{ expression }} when 'R' then 'Red' when 'Y' then 'Yellow' else 'Green' end
{%- endmacro %}
