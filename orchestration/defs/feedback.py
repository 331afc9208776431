"""Tables that dbt reads and no step of ours writes: what people did in the application, and the loads' own books.

They stand in the graph so that no dbt source lacks a producer. Rows of `app` are written by the application at any
time; a build reads what is there when it comes by, hence keys of their own (see `translators`). The tables of `ops`
are written by every load in the transaction of its rows, so all raw tables stand before them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from orchestration import manifest as dbt_manifest
from orchestration.translators import APPLICATION_SCHEMA, feedback_key, raw_key

OPS_SCHEMA = "ops"


def _tables(manifest: Mapping[str, Any], schema: str) -> Iterable[tuple[str, str]]:
    for source in manifest["sources"].values():
        if source["schema"] == schema:
            yield source.get("identifier") or source["name"], source.get("description") or ""


def application_specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """One spec per application table that dbt reads."""
    return [
        dg.AssetSpec(
            feedback_key(table),
            group_name="feedback",
            description=f"{description}\n\nWritten by the application; read as it is when a build starts.".strip(),
            kinds={"postgres"},
        )
        for table, description in sorted(_tables(manifest, APPLICATION_SCHEMA))
    ]


def ops_specs(manifest: Mapping[str, Any], raw_keys: Iterable[dg.AssetKey]) -> list[dg.AssetSpec]:
    """One spec per table of the loads' books that dbt reads, downstream of all raw tables."""
    upstream = sorted(raw_keys)
    return [
        dg.AssetSpec(
            raw_key(OPS_SCHEMA, table),
            deps=upstream,
            group_name=OPS_SCHEMA,
            description=f"{description}\n\nWritten by every load together with its rows.".strip(),
            kinds={"postgres"},
        )
        for table, description in sorted(_tables(manifest, OPS_SCHEMA))
    ]


def definitions(raw_keys: Iterable[dg.AssetKey]) -> dg.Definitions:
    """External assets for the sources `app` and `ops` of the manifest."""
    manifest = dbt_manifest.load()
    return dg.Definitions(assets=[*application_specs(manifest), *ops_specs(manifest, raw_keys)])
