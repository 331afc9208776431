"""The learner between the two dbt steps: what it writes is in the marts of the same run, and it never stops one."""

from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster import DagsterEventType

from learning import service
from learning.store import Version, add_version
from learning.training import Training
from orchestration import manifest, translators
from orchestration.defs import learn, transform
from tests.conftest import Warehouse
from tests.orchestration import small
from tests.orchestration.test_pipeline import checks_of, publications


def risk(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with psycopg.connect(warehouse.admin_dsn) as db:
        return db.execute("select account_key, version_count from marts.fct_risk order by 1").fetchall()


def rules_stay(db: psycopg.Connection, **_: Any) -> Version:
    """Stands in for a training."""
    return add_version(
        db, Training("rules", None, small.SOURCE_NOW.date(), 2, 0, "Rules: too little history", "The rules stay.")
    )


def test_what_was_learned_in_a_run_is_in_its_marts_and_one_run_does_it_all(
    small_dbt: Path,
    world: small.World,
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with psycopg.connect(warehouse.admin_dsn) as db:
        row = db.execute("select count(*) from learning.model_versions").fetchone()
    assert row is not None
    monkeypatch.setattr(service, "train_when_due", rules_stay)

    result = small.run(instance)

    steps = [event.step_key for event in result.filter_events(lambda e: e.event_type == DagsterEventType.STEP_SUCCESS)]
    order = [transform.STEP, "learning__model_versions", "learning__churn_scores", transform.STEP_AFTER_LEARNING]
    assert result.success
    assert [step for step in steps if step in order] == order
    assert risk(warehouse) == [("a", row[0] + 1), ("b", row[0] + 1)]
    assert checks_of(result)["learning/model_versions: learner_did_its_work"] is True
    assert len(publications(warehouse)) == 1


def test_a_learner_that_breaks_stops_no_publication_and_says_so(
    small_dbt: Path,
    world: small.World,
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a month without days")

    monkeypatch.setattr(service, "train_when_due", broken)
    monkeypatch.setattr(service, "score", broken)

    result = small.run(instance)

    told = {
        one.asset_key.to_user_string(): (one.passed, one.severity, one.description)
        for one in result.get_asset_check_evaluations()
        if one.check_name == learn.CHECK
    }
    assert result.success
    assert len(publications(warehouse)) == 1
    sentence = (False, dg.AssetCheckSeverity.WARN, "ZeroDivisionError: a month without days")
    assert told == {"learning/model_versions": sentence, "learning/churn_scores": sentence}


def test_a_warehouse_that_is_away_for_a_moment_is_asked_again(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Exception] = [psycopg.OperationalError("server closed the connection unexpectedly")]

    def once(db: psycopg.Connection, **_: Any) -> None:
        if answers:
            raise answers.pop()

    monkeypatch.setattr(service, "train_when_due", once)

    result = small.run(instance)

    again = result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_UP_FOR_RETRY)
    assert [event.step_key for event in again] == ["learning__model_versions"]
    assert checks_of(result)["learning/model_versions: learner_did_its_work"] is True


def test_the_two_steps_share_the_project_and_each_test_is_where_its_tables_are() -> None:
    complete = translators.with_every_test_attached(manifest.load())
    late = translators.after_learning(complete)
    tests = {key: node for key, node in complete["nodes"].items() if node["resource_type"] == "test"}

    def asset_of(node: Any) -> str:
        return node.get("attached_node") or node["depends_on"]["nodes"][0]

    astray = [node["name"] for key, node in tests.items() if (asset_of(node) in late) != (key in late)]

    models = {node["name"] for key, node in complete["nodes"].items() if key in late and key not in tests}
    assert {"stg_learning__churn_scores", "fct_churn_risk_daily", "dim_accounts"} <= models
    assert not models & {"int_risk__rule_scores", "int_risk__scoring_days", "fct_account_health_daily"}
    assert astray == []
