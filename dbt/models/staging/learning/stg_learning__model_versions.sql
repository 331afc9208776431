select
    version_id,
    model_version,
    kind,
    valid_from_date,
    basis
from {{ source('learning', 'model_versions') }}
