{{ association('assoc_call_company', from_column='engagement_id', to_column='company_id') }}
