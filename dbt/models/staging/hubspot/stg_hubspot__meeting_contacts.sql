{{ association('assoc_meeting_contact', from_column='engagement_id', to_column='contact_id') }}
