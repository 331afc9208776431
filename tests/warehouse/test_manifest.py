"""What the manifest promises: no loop through the graph, contracts, grants, grains, and no clock but the sources'."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration import model_versions
from recount.figures import FIGURES
from tests.exposures import declared
from tests.warehouse.project import PROJECT, Project

# Where actions come from may never depend on what came of actions: the loop runs through time, not through the graph.
FEEDS_SUGGESTIONS = (
    "dim_accounts",
    "dim_contacts",
    "dim_csms",
    "bridge_account_sources",
    "fct_account_events",
    "fct_account_health_daily",
    "fct_churn_risk_daily",
    "fct_engagements",
    "fct_figure_inputs",
    "fct_identity_issues",
    "fct_invoices",
    "fct_mrr_movements",
    "fct_nps_responses",
    "fct_renewals",
    "fct_revenue_retention_monthly",
    "fct_tickets",
    "fct_usage_daily",
)
RECORDS_OF_QUANTITIES = (
    "models/intermediate/accounts/int_accounts__spans.sql",
    "models/marts/proof/fct_figure_inputs.sql",
)
KEYS = {"text", "date"}
NUMBERS = {"integer", "bigint", "numeric", "double precision"}
NOT_RECOUNTED_YET = Path(__file__).with_name("not_recounted_yet.toml")
OF_THE_LOOP = {
    "actions", "action_events", "action_notes", "action_outcomes", "suggestions", "suggestion_events", "decisions",
    "context_snapshots",
}  # fmt: skip


@pytest.fixture(scope="module")
def manifest(project: Project) -> dict[str, Any]:
    project.run("parse")
    return json.loads((project.folder / "target" / "manifest.json").read_text())


def _ancestors(manifest: dict[str, Any], node: str) -> Iterator[str]:
    for parent in manifest["parent_map"].get(node, []):
        yield parent
        yield from _ancestors(manifest, parent)


def _models(manifest: dict[str, Any], schema: str) -> dict[str, dict[str, Any]]:
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == schema
    }


@pytest.mark.parametrize("mart", FEEDS_SUGGESTIONS)
def test_no_mart_that_feeds_suggestions_has_a_path_from_what_became_of_them(
    manifest: dict[str, Any], mart: str
) -> None:
    sources = manifest["sources"]

    above = {node for node in _ancestors(manifest, f"model.account_intelligence.{mart}") if node in sources}

    loops = {sources[node]["name"] for node in above if sources[node]["source_name"] == "app"} & OF_THE_LOOP
    assert above, f"{mart} reads no source at all"
    assert not loops, f"{mart} depends on app.{', app.'.join(sorted(loops))}"


def test_every_mart_is_either_part_of_the_loop_or_checked_above(manifest: dict[str, Any]) -> None:
    assert set(_models(manifest, "marts_next")) == {*FEEDS_SUGGESTIONS, "fct_actions", "fct_action_outcomes"}


def test_an_analyst_may_ask_of_every_mart(manifest: dict[str, Any]) -> None:
    assert (
        declared()["page_explore"]
        == declared()["page_sql"]
        == declared()["page_proof"]
        == _models(manifest, "marts_next").keys()
    )


def test_every_mart_enforces_a_contract_and_says_its_grain_and_its_columns(manifest: dict[str, Any]) -> None:
    faults = []
    for name, model in _models(manifest, "marts_next").items():
        if not model["contract"]["enforced"]:
            faults.append(f"{name}: no contract")
        if not model["description"].startswith("One row per "):
            faults.append(f"{name}: the description does not begin with the grain")
        faults += [
            f"{name}.{column['name']}: not described"
            for column in model["columns"].values()
            if not column["description"]
        ]

    assert not faults


def test_no_figure_is_without_a_proof(manifest: dict[str, Any]) -> None:
    """Every column rests on something that is declared, and all that is declared exists."""
    marts = {one.mart: one for one in model_versions.of(manifest, built_in="marts_next", settings="")}
    written = "".join((PROJECT / path).read_text() for path in RECORDS_OF_QUANTITIES)
    quantities = set(re.findall(r"'(\w+)' as quantity", written))
    faults = []
    for name, mart in marts.items():
        columns = set(mart.columns)
        declared = _models(manifest, "marts_next")[name]["config"]["meta"]["proof"]
        faults += [f"{name}.{column} is no column" for column in set(declared.get("columns", ())) - columns]
        faults += [f"{name} has a key of another type" for one in mart.key if mart.columns[one]["type"] not in KEYS]
        for column, rests in mart.columns.items():
            inputs, usage, own = rests.get("inputs", ()), rests.get("usage"), rests.get("from", ())
            wanted = [*own, *(one["at"] for one in (*inputs, *([usage] if usage else ())) if "at" in one)]
            wanted += ["account_key"] if any("where" not in one for one in inputs) or usage else []
            wanted += [mine for one in (*inputs, *rests.get("figures", ())) for mine in one.get("where", {}).values()]
            faults += [f"{name}.{column} rests on {one}, which is no column" for one in set(wanted) - columns]
            unknown = {one["quantity"] for one in inputs} - quantities - {"quantity"}
            faults += [f"{name}.{column} rests on {one}, which is no quantity" for one in unknown]
            for one in rests.get("figures", ()):
                if not {one["column"], *one["where"]} <= set(marts[one["mart"]].columns):
                    faults.append(f"{name}.{column} rests on {one}, which is no figure")
            if not (inputs or usage or own or rests.get("figures") or rests.get("application")):
                faults.append(f"{name}.{column} rests on nothing")

    assert len(quantities) > 20
    assert not faults


def test_each_step_above_a_mart_says_what_it_reads_its_tests_and_who_reads_it(manifest: dict[str, Any]) -> None:
    marts = {one.mart: one for one in model_versions.of(manifest, built_in="marts_next", settings="")}
    steps = {step["name"]: step for step in marts["dim_accounts"].chain}

    assert all(set(step["reads"]) <= set(steps) for step in steps.values())
    assert {name for name, step in steps.items() if not step["reads"] and step["layer"] != "seeds"} >= {
        name for name, step in steps.items() if step["layer"] == "raw"
    }
    assert steps["dim_accounts"]["tests"] > 5
    assert {"Page Accounts", "Page Account"} <= set(steps["dim_accounts"]["read_by"])


def test_what_has_no_second_count_yet_is_listed_by_name(manifest: dict[str, Any]) -> None:
    recounted, listed = {(one.mart, one.column) for one in FIGURES}, tomllib.loads(NOT_RECOUNTED_YET.read_text())
    without: dict[str, list[str]] = {}
    for one in model_versions.of(manifest, built_in="marts_next", settings=""):
        for name, column in one.columns.items():
            if column["type"] in NUMBERS and (one.mart, name) not in recounted:
                without.setdefault(one.mart, []).append(name)

    assert without == listed


def test_a_version_is_another_when_anything_above_a_mart_is(manifest: dict[str, Any]) -> None:
    def versions(changed: dict[str, Any], settings: str = "") -> dict[str, str]:
        return {one.mart: one.version for one in model_versions.of(changed, built_in="marts_next", settings=settings)}

    staged = "model.account_intelligence.stg_zendesk__tickets"
    node = manifest["nodes"][staged]
    other = {**manifest["nodes"], staged: {**node, "checksum": {"name": "sha256", "checksum": "another"}}}
    macro = "macro.account_intelligence.major_units"
    cents = {**manifest["macros"], macro: {**manifest["macros"][macro], "macro_sql": "another"}}
    before = versions(manifest)

    def moved(after: dict[str, str]) -> set[str]:
        return {mart for mart, version in after.items() if version != before[mart]}

    assert {"fct_tickets", "dim_accounts"} <= moved(versions({**manifest, "nodes": other}))
    assert "fct_invoices" not in moved(versions({**manifest, "nodes": other}))
    assert "fct_invoices" in moved(versions({**manifest, "macros": cents}))
    assert moved(versions(manifest, "nps_valid_days: 90")) == set(before)


def test_nothing_that_dbt_builds_is_granted_but_what_the_learner_reads(manifest: dict[str, Any]) -> None:
    granted = {
        node["name"]: node["config"]["grants"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }

    assert {name: grants for name, grants in granted.items() if grants} == {
        "int_risk__training_days": {"select": ["learner"]},
        "int_risk__scoring_days": {"select": ["learner"]},
    }


def test_every_source_table_has_one_staging_model_and_nothing_else_reads_it(manifest: dict[str, Any]) -> None:
    readers: dict[str, set[str]] = {}
    for node in manifest["nodes"].values():
        for parent in node["depends_on"].get("nodes", []):
            if parent.startswith("source.") and node["resource_type"] == "model":
                readers.setdefault(parent, set()).add(node["name"])

    # An invoice and a subscription carry a second grain inside their payload: lines and items.
    nested = {"stg_stripe__invoice_line_items", "stg_stripe__subscription_items"}
    assert set(readers) == set(manifest["sources"])
    assert all(len(names - nested) == 1 for names in readers.values())
    assert all(name.startswith("stg_") for names in readers.values() for name in names)


def test_raw_sources_declare_freshness(manifest: dict[str, Any]) -> None:
    without = {
        source["name"]
        for source in manifest["sources"].values()
        if not source["freshness"] and source["schema"] not in ("app", "learning")
    }

    assert not without


def test_today_is_what_the_sources_say_it_is() -> None:
    clocks = re.compile(r"\b(current_date|current_timestamp|now\(\)|localtimestamp|clock_timestamp\(\))", re.IGNORECASE)

    found = [
        str(path.relative_to(PROJECT))
        for path in PROJECT.rglob("*.sql")
        if clocks.search(path.read_text(encoding="utf-8"))
    ]

    assert not found


def test_the_project_needs_no_package_and_holds_no_python() -> None:
    assert not (PROJECT / "packages.yml").exists()
    assert not list(PROJECT.rglob("*.py"))
