"""Runs whose worker died unseen: found by their lease, and only when it is really gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster import DagsterRunStatus

from orchestration.defs.reaper import SILENCE_SECONDS, reap
from orchestration.resources import Loading, RunLease, is_leased
from tests.conftest import Warehouse
from tests.orchestration import small

LATER = SILENCE_SECONDS + 1


@dg.op
def nothing() -> None:
    """Does nothing."""


@dg.job
def empty_job() -> None:
    nothing()


@pytest.fixture
def loading(warehouse: Warehouse) -> Loading:
    return Loading(dsn=warehouse.loader_dsn)


@pytest.fixture
def started(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run that says it has started."""
    run = instance.create_run_for_job(empty_job)
    instance.report_engine_event("the worker has begun", run)
    instance.run_storage.handle_run_event(
        run.run_id, dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="empty_job")
    )
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_started_run_without_a_worker_is_marked_as_failed(
    instance: dg.DagsterInstance, started: dg.DagsterRun, loading: Loading
) -> None:
    assert reap(instance, loading, now=time.time() + LATER) == [started.run_id]
    assert status(instance, started) == DagsterRunStatus.FAILURE


def test_a_run_that_spoke_a_moment_ago_is_left_alone(
    instance: dg.DagsterInstance, started: dg.DagsterRun, loading: Loading
) -> None:
    assert reap(instance, loading, now=time.time()) == []
    assert status(instance, started) == DagsterRunStatus.STARTED


def test_a_silent_run_whose_worker_lives_is_left_alone(
    instance: dg.DagsterInstance, started: dg.DagsterRun, loading: Loading, warehouse: Warehouse
) -> None:
    with RunLease(dsn=warehouse.loader_dsn).held(started.run_id):
        assert reap(instance, loading, now=time.time() + LATER) == []

    assert status(instance, started) == DagsterRunStatus.STARTED


WORKER = """
import sys, time
import dagster as dg
from tests.orchestration import small
from orchestration.defs import load

def sleeping(*arguments, **keywords):
    print("loading", flush=True)
    time.sleep(120)

load.run_source = sleeping
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    small.run(instance)
"""


def test_a_killed_worker_is_noticed_and_its_run_goes_on_from_the_cut_off_step(
    small_dbt: Path,
    instance: dg.DagsterInstance,
    loading: Loading,
    world: small.World,
    tmp_path: Path,
    warehouse: Warehouse,
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert worker.stdout is not None
    assert any("loading" in line for line in worker.stdout)
    [run] = instance.get_runs()
    before = reap(instance, loading, now=time.time() + LATER)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    wait_for_the_server_to_notice(warehouse, run.run_id)

    reaped = reap(instance, loading, now=time.time() + LATER)

    assert before == []
    assert reaped == [run.run_id]
    assert small.run(instance, after=run.run_id).success


def wait_for_the_server_to_notice(warehouse: Warehouse, run_id: str) -> None:
    """The kernel closes a killed process's sockets at once; the server reads that within a moment."""
    with psycopg.connect(warehouse.loader_dsn, autocommit=True) as asking:
        for _ in range(50):
            if not is_leased(asking, run_id):
                return
            time.sleep(0.1)
    raise AssertionError("the lease outlived its worker")
