with source as (
    select * from {{ source('raw_stripe', 'products') }}
)

select
    _pk as id,
    {{ present("payload ->> 'name'") }} as product_name,
    coalesce((payload ->> 'active')::boolean, true) as is_active,
    _loaded_at as loaded_at
from source
