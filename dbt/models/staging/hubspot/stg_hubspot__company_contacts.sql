{{ association('assoc_company_contact', from_column='company_id', to_column='contact_id') }}
