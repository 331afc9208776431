"""One run over the small graph, from the sources to a publication: what it writes, and what it says about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster import DagsterEventType

from orchestration.defs import load, publish, schedules, transform
from tests.conftest import Warehouse
from tests.orchestration import small

NIGHTLY_TEST = "assert_no_ticket_is_older_than_a_year"


def metadata_of(instance: dg.DagsterInstance, *path: str) -> dict[str, Any]:
    """Metadata of the newest materialisation of an asset."""
    event = instance.get_latest_materialization_event(dg.AssetKey(path))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def checks_of(result: dg.JobExecutionResult) -> dict[str, bool]:
    """Name of each evaluated asset check, with its asset, and whether it passed."""
    evaluations = result.get_asset_check_evaluations()
    return {f"{one.asset_key.to_user_string()}: {one.check_name}": one.passed for one in evaluations}


def publications(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with psycopg.connect(warehouse.admin_dsn) as db:
        return db.execute("select as_of_date, dbt_invocation_id, dagster_run_id from marts.publications").fetchall()


@dataclass(frozen=True)
class Finished:
    """A run in which everything went well, and what it had published when it ended."""

    result: dg.JobExecutionResult
    instance: dg.DagsterInstance
    publications: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def finished(
    warehouse: Warehouse, parsed_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Finished]:
    """One good run for all tests that only look at it."""
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as made,
    ):
        for name, value in small.environment(warehouse, parsed_project).items():
            patch.setenv(name, value)
        patch.setattr("orchestration.defs.load.run_source", small.World().run_source)
        small.make_tables(warehouse)
        yield Finished(small.run(made), made, publications(warehouse))


def test_a_run_publishes_what_it_built(finished: Finished) -> None:
    assert finished.result.success
    invocation = metadata_of(finished.instance, "marts", "dim_accounts")["invocation_id"]
    assert finished.publications == [(date(2026, 3, 1), invocation, finished.result.run_id)]


def test_raw_tables_say_rows_duration_and_how_far_they_reach(finished: Finished) -> None:
    said = metadata_of(finished.instance, "raw_desk", "tickets")

    assert (said["rows_loaded"], said["rows_read"], said["duration_seconds"]) == (2, 3, 0.5)
    assert said["source_now"] == small.SOURCE_NOW.isoformat()


def test_marts_say_rows_duration_and_the_day_they_end(finished: Finished) -> None:
    said = metadata_of(finished.instance, "marts", "fct_tickets")

    assert (said["dagster/row_count"], said["as_of_date"]) == (2, "2026-03-01")
    assert said["duration_seconds"] > 0
    assert "dagster/row_count" not in metadata_of(finished.instance, "marts", "ticket_ages")  # a view holds no rows


def test_every_dbt_test_is_an_asset_check_and_nightly_ones_wait_for_the_night(finished: Finished) -> None:
    assert checks_of(finished.result) == {
        "raw_crm/companies: source_not_null_raw_crm_companies__pk": True,
        "marts/dim_accounts: not_null_dim_accounts_account_key": True,
        "marts/dim_accounts: unique_dim_accounts_account_key": True,
        "marts/fct_tickets: not_null_fct_tickets_age_days": True,
        "marts/fct_tickets: assert_every_ticket_has_an_account": True,
        "marts/fct_risk: not_null_fct_risk_version_count": True,
        "marts/fct_risk: assert_every_account_has_a_risk": True,
        # the small warehouse has nothing that could be learned from
        "learning/model_versions: learner_did_its_work": False,
        "learning/churn_scores: learner_did_its_work": True,
    }


def test_the_nightly_job_reads_everything_and_runs_every_test(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "SOURCES", small.SOURCES)

    result = small.run(instance, config=schedules.full_check_config())

    assert {kind for _, _, kind in world.calls} == {"full_scan"}
    assert checks_of(result)[f"marts/fct_tickets: {NIGHTLY_TEST}"] is False


def readers_have(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of schema marts, and where it lies: a row that was written anew lies elsewhere."""
    with psycopg.connect(warehouse.admin_dsn) as db:
        marts = db.execute("select tablename from pg_tables where schemaname = 'marts' order by 1").fetchall()
        return {
            mart: db.execute(f"select ctid::text, xmin::text, m::text from marts.{mart} as m".encode()).fetchall()
            for (mart,) in marts
        }


def test_a_failing_dbt_test_publishes_nothing_and_says_which_it_was(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, warehouse: Warehouse
) -> None:
    assert small.run(instance).success
    before = readers_have(warehouse)
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("""insert into raw_crm.companies values ('c', '{}')""")
        db.execute("""insert into raw_desk.tickets values ('3', '{"account": "nobody", "age": 1}')""")

    result = small.run(instance)

    assert small.failures(result) == {
        transform.STEP: "dbt: 1 of 10 nodes did not pass: test assert_every_ticket_has_an_account"
    }
    assert not result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_UP_FOR_RETRY)
    kept = {"publications", "model_versions", "figure_checks"}
    assert set(before) == {"dim_accounts", "fct_risk", "fct_tickets", "ticket_ages"} | kept
    assert readers_have(warehouse) == before

    alone = small.run(instance, only=[publish.KEY])

    assert small.failures(alone) == {
        publish.OP: "publications: what was built did not pass when it was last tested: "
        "assert_every_ticket_has_an_account"
    }
    assert readers_have(warehouse) == before


def test_a_test_of_severity_warn_is_shown_and_stops_nothing(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, warehouse: Warehouse
) -> None:
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("""insert into raw_desk.tickets values ('3', '{"account": "a"}')""")

    result = small.run(instance)

    assert result.success
    assert checks_of(result)["marts/fct_tickets: not_null_fct_tickets_age_days"] is False
    assert len(publications(warehouse)) == 1


def test_a_single_stream_can_be_loaded_alone(small_dbt: Path, world: small.World, instance: dg.DagsterInstance) -> None:
    result = dg.materialize(
        [load.load_assets(small.DESK)],
        instance=instance,
        selection=[dg.AssetKey(["raw_desk", "users"])],
        resources=small.resources.from_environment(),
    )

    assert result.success
    assert world.calls == [("desk", "users", "incremental")]


def test_a_single_mart_can_be_built_alone_with_its_tests(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance
) -> None:
    assert small.run(instance).success

    result = small.run(instance, only=[dg.AssetKey(["marts", "dim_accounts"])])

    built = {
        event.asset_key.to_user_string()
        for event in result.filter_events(lambda one: one.is_step_materialization)
        if event.asset_key
    }
    assert built == {"marts/dim_accounts"}
    assert {one.check_name for one in result.get_asset_check_evaluations()} >= {"unique_dim_accounts_account_key"}
