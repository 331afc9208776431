{{ association('assoc_call_contact', from_column='engagement_id', to_column='contact_id') }}
