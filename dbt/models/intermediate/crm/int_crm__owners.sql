select
    md5('hubspot_owner:' || owner_id) as csm_key,
    owner_id,
    coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email) as csm_name,
    email as csm_email,
    is_active
from {{ ref('stg_hubspot__owners') }}
