{{ association('assoc_deal_company', from_column='deal_id', to_column='company_id') }}
