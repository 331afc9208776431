"""What happens to a run when something is away, refuses, or breaks: again, or stop and say why; and going on later."""

from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster import DagsterEventType

from extract.errors import SourceRejected, SourceUnavailable, TruncatedExtract
from tests.conftest import Warehouse
from tests.orchestration import small

BUILD = ["dbt", "learning__model_versions", "learning__churn_scores", "dbt_after_learning", "marts__publications"]


def finished_steps(result: dg.JobExecutionResult) -> list[str]:
    """Steps that ended well, in order."""
    return [event.step_key or "" for event in result.all_events if event.is_step_success]


def attempts(world: small.World, stream: str) -> int:
    return sum(1 for _, called, _ in world.calls if called == stream)


def test_a_source_that_comes_back_costs_a_pause_and_nothing_is_read_twice(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance
) -> None:
    world.answers["users"] = [SourceUnavailable("Desk did not answer."), SourceUnavailable("Desk did not answer.")]

    result = small.run(instance)

    assert result.success
    assert attempts(world, "users") == 3
    assert attempts(world, "tickets") == 1
    again = result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_UP_FOR_RETRY)
    assert [event.step_key for event in again] == ["load_desk", "load_desk"]


def test_a_source_that_stays_away_fails_the_run_after_four_attempts_and_keeps_the_rest(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance
) -> None:
    world.answers["users"] = [SourceUnavailable("Desk at desk.example did not answer.")] * 9

    result = small.run(instance)

    assert attempts(world, "users") == 4
    assert small.failures(result) == {
        "load_desk": "load_desk: Desk at desk.example did not answer. (gave up after 4 attempts)"
    }
    assert finished_steps(result) == ["load_crm"]


def test_a_run_that_failed_at_a_source_goes_on_from_there(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance
) -> None:
    world.answers["users"] = [SourceUnavailable("Desk did not answer.")] * 4
    failed = small.run(instance)
    world.calls.clear()

    result = small.run(instance, after=failed.run_id)

    assert not failed.success
    assert result.success
    assert finished_steps(result) == ["load_desk", *BUILD]
    assert {source for source, _, _ in world.calls} == {"desk"}


def test_a_run_that_failed_in_dbt_goes_on_there_and_loads_nothing_again(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, warehouse: Warehouse
) -> None:
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("""insert into raw_desk.tickets values ('3', '{"account": "nobody", "age": 1}')""")
    failed = small.run(instance)
    world.calls.clear()
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("delete from raw_desk.tickets where _pk = '3'")

    result = small.run(instance, after=failed.run_id)

    assert list(small.failures(failed)) == ["dbt"]
    assert finished_steps(result) == BUILD
    assert world.calls == []


@pytest.mark.parametrize(
    "error",
    [
        SourceRejected("Desk refuses the token (401)."),
        TruncatedExtract("users returned 3 of 400 rows."),
        KeyError("id"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_permanent_error_is_tried_once_and_told_in_its_own_words(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, error: Exception
) -> None:
    world.answers["users"] = [error]

    result = small.run(instance)

    assert attempts(world, "users") == 1
    assert attempts(world, "tickets") == 1
    [(step, sentence)] = small.failures(result).items()
    assert step == "load_desk"
    assert str(error).strip("'") in sentence


def test_one_refused_stream_stops_the_step_even_when_another_is_only_away(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance
) -> None:
    world.answers["tickets"] = [SourceUnavailable("Desk did not answer.")]
    world.answers["users"] = [SourceRejected("Desk refuses users (403).")]

    result = small.run(instance)

    assert small.failures(result) == {
        "load_desk": "load_desk: users: Desk refuses users (403). (also not loaded: tickets)"
    }
    assert attempts(world, "tickets") == 1


def test_a_warehouse_that_is_away_while_dbt_starts_is_waited_for(
    small_dbt: Path, world: small.World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_PORT", "1")

    result = small.run(instance)

    [(step, sentence)] = small.failures(result).items()
    assert step == "dbt"
    assert sentence.endswith("(gave up after 4 attempts)")
    again = result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_UP_FOR_RETRY)
    assert len(again) == 3
