"""One key per table, whoever names it: the extractor, dbt or the application.

Dagster would call the raw table and the dbt source that reads it two different assets and leave them unconnected.
Every key is (schema, table), e.g. `raw_stripe/invoices`, with two exceptions. A mart is `marts/fct_invoices` although
dbt builds it in `marts_next`: it is one thing, which a publication brings to its readers. And the dbt sources of schema
`app` are called `feedback/<table>`, because what people did up to now flows *into* a build while `app/suggestions` is
made *from* it; one key for both would close the loop inside a single run.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from orchestration.publishing import MARTS, MARTS_NEXT

FEEDBACK = "feedback"
APPLICATION_SCHEMA = "app"
LEARNING_SCHEMA = "learning"
# Tests that read whole histories; the nightly job runs them, an hourly one does not wait for them.
NIGHTLY_TAG = "nightly"


def raw_key(schema: str, table: str) -> dg.AssetKey:
    """Key of a table that an extractor writes, e.g. ("raw_hubspot", "companies")."""
    return dg.AssetKey([schema, table])


def feedback_key(table: str) -> dg.AssetKey:
    """Key of an application table as a dbt build finds it."""
    return dg.AssetKey([FEEDBACK, table])


class Translator(DagsterDbtTranslator):
    """dbt nodes as assets: keys by schema and table, groups by folder."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """(schema, table); marts by the name of their readers, sources of schema `app` are feedback."""
        schema = dbt_resource_props["schema"]
        if dbt_resource_props["resource_type"] != "source":
            return dg.AssetKey([MARTS if schema == MARTS_NEXT else schema, dbt_resource_props["alias"]])
        table = dbt_resource_props.get("identifier") or dbt_resource_props["name"]
        return feedback_key(table) if schema == APPLICATION_SCHEMA else raw_key(schema, table)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Layer and domain: models/marts/money/fct_invoices.sql is in group `marts_money`."""
        folders = dbt_resource_props.get("fqn", [])[1:-1]
        return "_".join(folders) or dbt_resource_props["schema"]

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """The check of a dbt test. One that runs at night only must not make the steps of the day wait for it."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is not None and NIGHTLY_TAG in manifest["nodes"][unique_id].get("tags", ()):
            return spec._replace(blocking=False)
        return spec


def after_learning(manifest: Mapping[str, Any]) -> set[str]:
    """Ids of the nodes that stand on what was learned: dbt's `source:learning+` without the sources themselves."""
    waiting = [unique_id for unique_id, source in manifest["sources"].items() if source["schema"] == LEARNING_SCHEMA]
    seen: set[str] = set()
    while waiting:
        below = set(manifest["child_map"].get(waiting.pop(), ())) - seen
        seen |= below
        waiting.extend(below)
    return seen


def with_every_test_attached(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """A copy of the manifest in which each test belongs to one asset of the step that runs it: an asset check.

    A singular test that reads several models would be logged as an observation and vanish from the asset's page; it
    is attached to the node it reads first, unless the project says `meta.dagster.ref`. A test that reads nodes of both
    steps runs in the second, so it is attached to one made there.
    """
    nodes, late = dict(manifest["nodes"]), after_learning(manifest)
    for unique_id, node in nodes.items():
        if node["resource_type"] != "test":
            continue
        read = [parent for parent in node["depends_on"]["nodes"] if parent in nodes]
        read_late = [parent for parent in read if parent in late]
        if read_late and (node.get("attached_node") or read[0]) not in late:
            nodes[unique_id] = {**node, "attached_node": read_late[0]}
            continue
        meta = node.get("config", {}).get("meta", {}) or node.get("meta", {})
        is_loose = not node.get("attached_node") and len(node["depends_on"]["nodes"]) > 1
        if is_loose and read and not meta.get("dagster", {}).get("ref"):
            nodes[unique_id] = {**node, "attached_node": read[0]}
    return {**manifest, "nodes": nodes}
