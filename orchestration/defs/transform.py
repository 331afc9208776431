"""raw_*, ops and what people did → staging → intermediate → marts: the dbt project as assets, its tests as checks.

Two steps: everything that learning reads, or that has nothing to do with it, and then what stands on what was
learned. More steps would gain nothing: dbt orders its own nodes, and a node takes 26 ms.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import DBT_DEFAULT_EXCLUDE, DBT_DEFAULT_SELECT, get_subset_selection_for_context

from orchestration import manifest as dbt_manifest
from orchestration import pools
from orchestration.dbt_in_process import Event
from orchestration.failures import sorted_out
from orchestration.publishing import MARTS_NEXT
from orchestration.resources import FastDbt, RunLease, Transforming
from orchestration.translators import LEARNING_SCHEMA, NIGHTLY_TAG, Translator, with_every_test_attached

STEP = "dbt"
STEP_AFTER_LEARNING = "dbt_after_learning"
_AFTER_LEARNING = f"source:{LEARNING_SCHEMA}+"


class BuildScope(Enum):
    """Which dbt tests a build runs."""

    USUAL = "usual"
    ALL = "all"


class Build(dg.Config):
    """How the dbt step builds: `tests: all` adds those tagged `nightly`, `full_refresh` rebuilds incremental models."""

    tests: BuildScope = BuildScope.USUAL
    full_refresh: bool = False


def translator() -> Translator:
    """The translator of this project: dbt tests of models and of sources are asset checks."""
    return Translator(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=True))


def dbt_arguments(
    context: dg.AssetExecutionContext,
    config: Build,
    manifest: Mapping[str, Any],
    *,
    select: str | None = None,
    exclude: str | None = None,
) -> list[str]:
    """The dbt command for what this step makes in this run. Unit tests check code, not data: they run in CI only."""
    selection, indirect = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        select=select,
        exclude=exclude,
        selector=None,
        dagster_dbt_translator=translator(),
        current_dbt_indirect_selection_env=None,
    )
    arguments = ["build", "--exclude-resource-type", "unit_test", *selection]
    if indirect:
        arguments += ["--indirect-selection", indirect]
    if config.tests is BuildScope.USUAL:
        arguments += ["--exclude", f"tag:{NIGHTLY_TAG},resource_type:test"]
    if config.full_refresh:
        arguments += ["--full-refresh"]
    return arguments


def build_dbt_assets(
    manifest: Mapping[str, Any], *, step: str, select: str | None = None, exclude: str | None = None
) -> dg.AssetsDefinition:
    """One step over the part of a manifest that `select` and `exclude` leave."""
    complete = with_every_test_attached(manifest)
    translate = translator()

    @dbt_assets(
        manifest=complete,
        select=select or DBT_DEFAULT_SELECT,
        exclude=exclude or DBT_DEFAULT_EXCLUDE,
        dagster_dbt_translator=translate,
        name=step,
        pool=pools.WAREHOUSE,
    )
    def dbt(
        context: dg.AssetExecutionContext,
        config: Build,
        dbt: FastDbt,
        transforming: Transforming,
        lease: RunLease,
    ) -> Iterator[Event]:
        with sorted_out(step, context):
            as_of = transforming.as_of_date()
            yield from dbt.build(
                context,
                manifest=complete,
                translator=translate,
                arguments=dbt_arguments(context, config, complete, select=select, exclude=exclude),
                metadata={"as_of_date": as_of.isoformat()} if as_of else {},
            )

    return dbt


def definitions() -> dg.Definitions:
    """The dbt project as it is on disk."""
    manifest = dbt_manifest.load()
    return dg.Definitions(
        assets=[
            build_dbt_assets(manifest, step=STEP, exclude=_AFTER_LEARNING),
            build_dbt_assets(manifest, step=STEP_AFTER_LEARNING, select=_AFTER_LEARNING),
        ]
    )


def mart_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Keys of the marts, which a publication stands behind."""
    translate = translator()
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return [translate.get_asset_key(node) for node in models if node["schema"] == MARTS_NEXT]


def stopping_checks(built: dg.Definitions) -> list[dg.AssetCheckKey]:
    """Of `definitions()` the dbt tests that stop what stands on them; those of the night do not."""
    assets = (asset for asset in built.assets or () if isinstance(asset, dg.AssetsDefinition))
    return [spec.key for asset in assets for spec in asset.check_specs if spec.blocking]
