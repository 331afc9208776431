"""marts/columnar_copy: the published build as Parquet, which answers questions over whole marts.

Nothing waits for it: until it is there, and when it fails, PostgreSQL answers. How it is written:
`orchestration/columnar.py`.
"""

import dagster as dg

from orchestration import columnar, pools
from orchestration.defs import publish
from orchestration.failures import sorted_out
from orchestration.resources import RunLease, Transforming

KEY = dg.AssetKey(["marts", "columnar_copy"])
STEP = "columnar copy"


@dg.asset(
    key=KEY,
    deps=[publish.KEY],
    group_name="publications",
    kinds={"python", "parquet"},
    pool=pools.WAREHOUSE,
    description="The newest published build as Parquet files; months that did not change are those of the copy before.",
)
def columnar_copy(
    context: dg.AssetExecutionContext, transforming: Transforming, lease: RunLease
) -> dg.MaterializeResult:
    """Write the copy of the published build. Running it twice writes nothing."""
    with sorted_out(STEP, context):
        copied = columnar.write(transforming.address(), columnar.folder())
    return dg.MaterializeResult(metadata=dict(columnar.as_metadata(copied)) if copied else {})


def definitions() -> dg.Definitions:
    """The columnar copy, behind the publication."""
    return dg.Definitions(assets=[columnar_copy])
