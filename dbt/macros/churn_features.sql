{#- What a model of churn reads, by the names that `learning/features.py` knows. -#}
{% macro churn_features() -%}
    {{ return([
        'seat_use', 'seat_use_change', 'key_activity_change', 'days_since_use', 'campaigns_ratio', 'feature_families',
        'live_automations', 'ticket_count', 'urgent_unresolved', 'days_since_contact', 'known_roles', 'champions',
        'nps', 'overdue_days', 'failed_payments', 'days_to_renewal', 'has_notice', 'customer_age_days',
    ]) }}
{%- endmacro %}
