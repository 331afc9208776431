"""The real graph: every table that is read has a producer, every test is a check, no loop closes inside a run."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
from dagster import AssetsDefinition, AssetSpec

from extract.sources import SOURCES
from orchestration import manifest
from orchestration.definitions import build
from orchestration.defs import load, publish, recount, suggest, transform
from orchestration.pools import TRACKER, WAREHOUSE
from orchestration.translators import feedback_key


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build()


def declared(definitions: dg.Definitions) -> set[dg.AssetKey]:
    """Keys that some definition stands for; Dagster would invent the missing ones without a word."""
    keys: set[dg.AssetKey] = set()
    for asset in definitions.assets or ():
        keys |= (
            {asset.key}
            if isinstance(asset, AssetSpec)
            else set(asset.keys)
            if isinstance(asset, AssetsDefinition)
            else set()
        )
    return keys


def read(definitions: dg.Definitions) -> set[dg.AssetKey]:
    """Keys that some asset depends on."""
    keys: set[dg.AssetKey] = set()
    for asset in definitions.assets or ():
        specs = (
            [asset]
            if isinstance(asset, AssetSpec)
            else list(asset.specs)
            if isinstance(asset, AssetsDefinition)
            else []
        )
        keys |= {dep.asset_key for spec in specs for dep in spec.deps}
    return keys


def upstream_of(definitions: dg.Definitions, key: dg.AssetKey) -> set[str]:
    graph = definitions.get_repository_def().asset_graph
    seen: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        for parent in graph.get(waiting.pop()).parent_keys - seen:
            seen.add(parent)
            waiting.append(parent)
    return {parent.to_user_string() for parent in seen}


def test_every_table_that_is_read_has_a_producer(definitions: dg.Definitions) -> None:
    assert read(definitions) - declared(definitions) == set()


def test_a_dbt_source_without_a_producer_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = manifest.load()
    unique_id, source = next(iter(known["sources"].items()))
    orphan = {**source, "unique_id": "source.x.raw_elsewhere.things", "schema": "raw_elsewhere", "identifier": "things"}
    reader = next(node for node in known["nodes"].values() if unique_id in node.get("depends_on", {}).get("nodes", ()))
    reading = {**reader, "depends_on": {**reader["depends_on"], "nodes": [orphan["unique_id"]]}}
    changed: Mapping[str, Any] = {
        **known,
        "sources": {**known["sources"], orphan["unique_id"]: orphan},
        "nodes": {**known["nodes"], reader["unique_id"]: reading},
    }
    monkeypatch.setattr("orchestration.manifest.load", lambda: changed)

    missing = read(build()) - declared(build())

    assert {key.to_user_string() for key in missing} == {"raw_elsewhere/things"}


def test_every_stream_of_every_source_is_an_asset_of_its_source_step(definitions: dg.Definitions) -> None:
    steps = {
        asset.op.name: {key.to_user_string() for key in asset.keys}
        for asset in definitions.assets or ()
        if isinstance(asset, AssetsDefinition) and asset.is_executable and asset.op.name in load.steps()
    }

    assert steps == {
        load.step_of(source): {f"{stream.table.schema}/{stream.table.name}" for stream in source.streams.values()}
        for source in SOURCES.values()
    }


def test_a_suggestion_can_be_followed_up_to_the_streams_it_came_from(definitions: dg.Definitions) -> None:
    above = upstream_of(definitions, suggest.KEY)

    assert {publish.KEY.to_user_string(), "marts/dim_accounts", "raw_stripe/invoices"} <= above
    assert {key.to_user_string() for key in load.raw_keys()} & above


def test_what_people_did_flows_into_a_build_and_is_not_its_product(definitions: dg.Definitions) -> None:
    # one key for both would close the loop inside one run; Dagster refuses a circle, so loading is half of this test
    graph = definitions.get_repository_def().asset_graph

    assert not graph.get(feedback_key("suggestions")).is_executable
    assert graph.get(suggest.KEY).is_executable
    assert "feedback/actions" in upstream_of(definitions, dg.AssetKey(["marts", "fct_actions"]))


def test_every_dbt_test_is_a_check_of_one_asset(definitions: dg.Definitions) -> None:
    tests = {node["name"] for node in manifest.load()["nodes"].values() if node["resource_type"] == "test"}
    checks = {key.name for key in definitions.get_repository_def().asset_graph.asset_check_keys}

    assert tests - checks == set()


def test_a_publication_waits_for_every_mart(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph

    assert graph.get(publish.KEY).parent_keys == set(transform.mart_keys(manifest.load()))


def test_loading_the_definitions_needs_no_environment_and_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOADER_DSN", "DBT_HOST", "DBT_USER", "DBT_ENV_SECRET_PASSWORD", "APP_DATABASE_URL", "HUBSPOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("definitions must not connect")

    monkeypatch.setattr("psycopg.connect", refuse)
    monkeypatch.setattr("psycopg2.connect", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)

    build()


def test_every_step_takes_turns_in_a_pool(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    pools = {
        node.definition.name: getattr(node.definition, "pool", None)
        for job in repository.get_all_jobs()
        for node in job.nodes
    }

    tracker = {step for step, pool in pools.items() if pool == TRACKER}
    assert tracker == {"keep_up", "deliver_messages"}
    assert {step for step, pool in pools.items() if pool != WAREHOUSE} == tracker
    assert {transform.STEP, *(load.step_of(source) for source in SOURCES.values())} < pools.keys()


def test_figures_are_counted_again_behind_the_publication(definitions: dg.Definitions) -> None:
    assert publish.KEY.to_user_string() in upstream_of(definitions, recount.KEY)
