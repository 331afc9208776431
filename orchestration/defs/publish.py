"""marts/publications: what was built and tested aside becomes what readers have, under the number of every cache key.

It stands below every mart and its tests: readers go on with the build they have until the last test has passed. How
the rows get there: `orchestration/publishing.py`.
"""

from collections.abc import Iterable, Sequence

import dagster as dg

from orchestration import manifest as dbt_manifest
from orchestration import model_versions, pools
from orchestration.failures import failure, sorted_out
from orchestration.publishing import MARTS_NEXT, NothingToPublish, PublicationHeld, publish
from orchestration.resources import RunLease, Transforming

KEY = dg.AssetKey(["marts", "publications"])
STEP = "publications"
OP = "__".join(KEY.path)  # what Dagster calls the step of an asset
_EVALUATED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
ACCOUNTS = dg.AssetKey(["marts", "dim_accounts"])


class Comparison(dg.Config):
    """`every_row` compares whole marts; else of the daily facts only the days that were written since the last time."""

    every_row: bool = False


def _invocation_id(context: dg.AssetExecutionContext) -> str | None:
    """dbt's id of the build that made `marts.dim_accounts`, as its newest materialisation says."""
    event = context.instance.get_latest_materialization_event(ACCOUNTS)
    made = event.asset_materialization if event else None
    value = made.metadata.get("invocation_id") if made else None
    return str(value.value) if value else None


def _failed(context: dg.AssetExecutionContext, checks: Sequence[dg.AssetCheckKey]) -> list[str]:
    """Names of the checks that did not pass when they last ran, by name; a warning has passed."""
    newest = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    events = (record.event.dagster_event for record in newest.values() if record.event)
    evaluations = [event.asset_check_evaluation_data for event in events if event and event.event_type is _EVALUATED]
    return sorted(
        one.check_name for one in evaluations if not one.passed and one.severity is dg.AssetCheckSeverity.ERROR
    )


def publications_asset(mart_keys: Iterable[dg.AssetKey], checks: Sequence[dg.AssetCheckKey]) -> dg.AssetsDefinition:
    """The asset, downstream of every mart.

    A run that failed half-way leaves its rows aside; `checks` keep whoever starts this step alone from publishing them.
    """

    @dg.asset(
        key=KEY,
        deps=sorted(mart_keys),
        group_name="publication",
        kinds={"postgres"},
        pool=pools.WAREHOUSE,
        description="One row per published build of the marts. Append-only; readers use the newest.",
    )
    def publications(
        context: dg.AssetExecutionContext, config: Comparison, transforming: Transforming, lease: RunLease
    ) -> dg.MaterializeResult:
        failed = _failed(context, checks)
        if failed:
            raise failure(STEP, f"what was built did not pass when it was last tested: {', '.join(failed)}")
        models = model_versions.of(dbt_manifest.load(), built_in=MARTS_NEXT, settings=dbt_manifest.settings())
        with sorted_out(STEP, context), transforming.connection() as db:
            try:
                made = publish(
                    db,
                    models=models,
                    dbt_invocation_id=_invocation_id(context),
                    dagster_run_id=context.run.run_id,
                    is_whole=config.every_row,
                )
            except NothingToPublish as nothing:
                raise failure(STEP, str(nothing)) from nothing
            except PublicationHeld as held:  # somebody's decision, and the rules go on with what readers have
                context.log.warning(str(held))
                return dg.MaterializeResult(metadata={"held": str(held)})
        return dg.MaterializeResult(
            metadata={
                "build_id": made.build_id,
                "published_at": made.published_at.isoformat(),
                "as_of_date": made.as_of_date.isoformat(),
                "account_count": made.account_count,
                "rows_removed": made.removed_count,
                "rows_added": made.added_count,
                "replaced_marts": list(made.replaced),
            }
        )

    return publications


def definitions(mart_keys: Iterable[dg.AssetKey], checks: Sequence[dg.AssetCheckKey]) -> dg.Definitions:
    """The publication step, behind all marts and the checks that must not have failed."""
    return dg.Definitions(assets=[publications_asset(mart_keys, checks)])
