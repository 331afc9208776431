-- Column by column: the password hash is not granted to this role, and `*` would ask for it.
with source as (
    select
        user_id,
        email,
        display_name,
        role,
        owner_email,
        is_active,
        created_at
    from {{ source('app', 'users') }}
)

select
    user_id,
    lower(email) as email,
    display_name,
    role,
    lower(owner_email) as owner_email,
    is_active,
    created_at
from source
