{{ association('assoc_meeting_company', from_column='engagement_id', to_column='company_id') }}
