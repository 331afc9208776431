{#- The shape of the score: which measures make which dimension. Weights and thresholds are in seed health_measures. -#}
{% macro health_dimensions() -%}
    {{ return({
        'product_usage': ['seat_use', 'key_activity', 'recency'],
        'adoption_depth': ['live_automations', 'campaigns', 'feature_breadth'],
        'support': ['ticket_volume', 'urgent_unresolved', 'first_reply'],
        'relationship': ['last_contact', 'known_roles', 'champion'],
        'voice_of_customer': ['nps'],
        'commercial': ['overdue_invoice', 'failed_payment'],
    }) }}
{%- endmacro %}

{% macro health_measures() -%}
    {%- set measures = [] -%}
    {%- for in_dimension in health_dimensions().values() -%}
        {%- do measures.extend(in_dimension) -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}
