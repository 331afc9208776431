"""raw_*, ops and what people did → staging → intermediate → marts: the dbt project as assets, its tests as checks.

One step for the whole project: dbt orders its own nodes, and 26 ms a node leaves nothing to gain from more steps.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context

from orchestration import manifest as dbt_manifest
from orchestration import pools
from orchestration.dbt_in_process import Event
from orchestration.failures import sorted_out
from orchestration.resources import FastDbt, RunLease, Transforming
from orchestration.translators import NIGHTLY_TAG, Translator, with_every_test_attached

STEP = "dbt"


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


def dbt_arguments(context: dg.AssetExecutionContext, config: Build, manifest: Mapping[str, Any]) -> list[str]:
    """The dbt command for what is selected in this run. Unit tests check code, not data: they run in CI only."""
    selection, indirect = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        select=None,
        exclude=None,
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


def build_dbt_assets(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The assets of a manifest."""
    complete = with_every_test_attached(manifest)
    translate = translator()

    @dbt_assets(manifest=complete, dagster_dbt_translator=translate, name=STEP, pool=pools.WAREHOUSE)
    def dbt(
        context: dg.AssetExecutionContext,
        config: Build,
        dbt: FastDbt,
        transforming: Transforming,
        lease: RunLease,
    ) -> Iterator[Event]:
        with sorted_out(STEP, context):
            as_of = transforming.as_of_date()
            yield from dbt.build(
                context,
                manifest=complete,
                translator=translate,
                arguments=dbt_arguments(context, config, complete),
                metadata={"as_of_date": as_of.isoformat()} if as_of else {},
            )

    return dbt


def definitions() -> dg.Definitions:
    """The dbt project as it is on disk."""
    return dg.Definitions(assets=[build_dbt_assets(dbt_manifest.load())])


def mart_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Keys of the marts, which a publication stands behind."""
    translate = translator()
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return [translate.get_asset_key(node) for node in models if node["schema"] == "marts"]
