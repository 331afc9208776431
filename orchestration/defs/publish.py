"""marts/publications: one row per green build, and the number every cache key carries.

The row is written after the last test has passed and never before: readers go on with the build they have until then.
"""

from collections.abc import Iterable

import dagster as dg

from orchestration import pools
from orchestration.failures import failure, sorted_out
from orchestration.resources import RunLease, Transforming

KEY = dg.AssetKey(["marts", "publications"])
STEP = "publications"
ACCOUNTS = dg.AssetKey(["marts", "dim_accounts"])


def _invocation_id(context: dg.AssetExecutionContext) -> str | None:
    """dbt's id of the build that made `marts.dim_accounts`, as its newest materialisation says."""
    event = context.instance.get_latest_materialization_event(ACCOUNTS)
    made = event.asset_materialization if event else None
    value = made.metadata.get("invocation_id") if made else None
    return str(value.value) if value else None


def publications_asset(mart_keys: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset, downstream of every mart."""

    @dg.asset(
        key=KEY,
        deps=sorted(mart_keys),
        group_name="publication",
        kinds={"postgres"},
        pool=pools.WAREHOUSE,
        description="One row per published build of the marts. Append-only; readers use the newest.",
    )
    def publications(
        context: dg.AssetExecutionContext, transforming: Transforming, lease: RunLease
    ) -> dg.MaterializeResult:
        with sorted_out(STEP, context), transforming.connection() as db:
            row = db.execute("select max(as_of_date), count(*) from marts.dim_accounts").fetchone()
            as_of, accounts = row if row else (None, 0)
            if as_of is None:
                raise failure(STEP, "marts.dim_accounts holds no account, there is nothing to publish")
            made = db.execute(
                "insert into marts.publications (published_at, as_of_date, dbt_invocation_id, dagster_run_id)"
                " values (now(), %s, %s, %s) returning build_id, published_at",
                (as_of, _invocation_id(context), context.run.run_id),
            ).fetchone()
        if made is None:
            raise failure(STEP, "the publication row was not written")
        return dg.MaterializeResult(
            metadata={
                "build_id": made[0],
                "published_at": made[1].isoformat(),
                "as_of_date": as_of.isoformat(),
                "account_count": accounts,
            }
        )

    return publications


def definitions(mart_keys: Iterable[dg.AssetKey]) -> dg.Definitions:
    """The publication step."""
    return dg.Definitions(assets=[publications_asset(mart_keys)])
