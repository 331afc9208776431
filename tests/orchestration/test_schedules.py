"""When runs start: twice nothing, never behind a run that is still going, and through both clock changes."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test
from dagster._utils.schedules import schedule_execution_time_iterator

from orchestration.definitions import build
from orchestration.defs import load, recount, schedules, upkeep

INSTANCE_FILE = Path(schedules.__file__).parents[1] / "dagster.yaml"


def tick(schedule: dg.ScheduleDefinition, at: datetime, instance: dg.DagsterInstance) -> dg.RunRequest | str:
    """What a schedule asks for at a moment: a run, or the reason for none."""
    repository = build().get_repository_def()
    with dg.build_schedule_context(instance, scheduled_execution_time=at, repository_def=repository) as context:
        answer = schedule.evaluate_tick(context)
    return answer.run_requests[0] if answer.run_requests else answer.skip_message or ""


def times(schedule: dg.ScheduleDefinition, start: datetime, end: datetime) -> list[datetime]:
    """The moments a schedule ticks at, in UTC."""
    cron = schedule.cron_schedule
    found = []
    for at in schedule_execution_time_iterator(
        start.timestamp(), str(cron), schedule.execution_timezone, ascending=True
    ):
        if at >= end:
            return found
        found.append(at.astimezone(UTC))
    return found


def test_every_job_is_scheduled_and_switched_on() -> None:
    defined = {one.name: one for one in build().get_repository_def().schedule_defs}

    assert {name: one.job_name for name, one in defined.items()} == {
        "hourly": schedules.INCREMENTAL,
        "nightly": schedules.NIGHTLY,
        "quarterly": upkeep.UPKEEP,
    }
    assert all(one.default_status == dg.DefaultScheduleStatus.RUNNING for one in defined.values())


def test_both_jobs_make_everything_and_the_night_counts_again() -> None:
    repository = build().get_repository_def()
    everything = {
        key for key in repository.asset_graph.get_all_asset_keys() if repository.asset_graph.get(key).is_executable
    }

    def made(job: str) -> set[dg.AssetKey]:
        return set(repository.get_job(job).asset_layer.executable_asset_keys)

    assert made(schedules.NIGHTLY) == everything
    assert made(schedules.INCREMENTAL) == everything - {recount.KEY}


def test_the_nightly_job_reads_every_stream_in_full() -> None:
    configured = schedules.full_check_config()["ops"]

    assert set(load.steps()) < set(configured)
    assert {configured[step]["config"]["kind"] for step in load.steps()} == {"FULL_SCAN"}


def test_a_tick_asks_for_one_run_and_the_same_tick_for_the_same_run(instance: dg.DagsterInstance) -> None:
    at = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)

    first, again = tick(schedules.hourly, at, instance), tick(schedules.hourly, at, instance)

    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.RunRequest)
    assert first.run_key == again.run_key  # Dagster starts one run per key


@pytest.mark.parametrize("status", [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED], ids=lambda one: one.value)
def test_an_hourly_tick_does_not_queue_behind_a_run_that_is_still_going(
    instance: dg.DagsterInstance, status: DagsterRunStatus
) -> None:
    going = create_run_for_test(instance, job_name=schedules.INCREMENTAL, status=status)

    answer = tick(schedules.hourly, datetime(2026, 3, 2, 9, 5, tzinfo=UTC), instance)

    assert answer == f"Run {going.run_id} of incremental has not ended yet."


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)], ids=str)
def test_a_clock_change_skips_no_run_and_doubles_none(change: datetime) -> None:
    day = (change - timedelta(hours=12), change + timedelta(hours=12))

    hourly, nightly = times(schedules.hourly, *day), times(schedules.nightly, *day)

    assert [later - earlier for earlier, later in itertools.pairwise(hourly)] == [timedelta(hours=1)] * 23
    assert len(nightly) == 1


def test_the_instance_runs_one_at_a_time_of_a_pool_and_calls_nobody() -> None:
    configured = yaml.safe_load(INSTANCE_FILE.read_text())

    assert configured["concurrency"] == {
        "pools": {"granularity": "run", "default_limit": 1},
        "runs": {"max_concurrent_runs": 2},
    }
    assert configured["telemetry"] == {"enabled": False}
    assert configured["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert configured["run_monitoring"]["max_runtime_seconds"] > 0
