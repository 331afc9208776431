"""dbt as a thread of the worker: what it hands over, how it ends, and that a cancelled run leaves nothing running."""

import shutil
import signal
import time
from pathlib import Path

import psycopg
import psycopg2
import pytest

from orchestration import manifest
from orchestration.dbt_in_process import DbtCommand
from orchestration.resources import root_cause
from tests.conftest import Warehouse

SLEEPING = """
select from pg_stat_activity
where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()
"""


class Cancelled(Exception):
    """Stands for the interrupt that Dagster raises in the worker's main thread."""


def run(*arguments: str) -> DbtCommand:
    command = DbtCommand([*arguments, *manifest.run_arguments(), "--quiet"])
    list(command.events())
    return command


def test_a_green_build_says_how_many_nodes_it_had(small_dbt: Path) -> None:
    ending = run("build", "--select", "dim_accounts", "--indirect-selection", "cautious").ending

    assert ending is not None
    assert (ending.success, ending.node_count, ending.failed, ending.exception) == (True, 3, (), None)


def test_a_node_that_breaks_is_named_with_dbts_message(small_dbt: Path, warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("alter table raw_desk.users rename column payload to body")

    ending = run("run", "--select", "dim_accounts").ending

    assert ending is not None
    assert not ending.success
    [failed] = ending.failed
    assert (failed.name, failed.kind) == ("dim_accounts", "model")
    assert "payload" in failed.message


def test_a_warehouse_that_is_away_is_known_by_its_cause(small_dbt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_PORT", "1")

    ending = run("build").ending

    assert ending is not None
    assert isinstance(ending.exception, Exception)
    assert isinstance(root_cause(ending.exception), psycopg2.OperationalError)


def test_a_cancelled_run_ends_dbts_statement_in_the_warehouse(
    small_dbt: Path, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(small_dbt, tmp_path / "project"))
    (project / "models" / "marts" / "sleeping.sql").write_text("select pg_sleep(60)::text as nothing")
    monkeypatch.setenv("DBT_PROJECT_DIR", str(project))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    command = DbtCommand(["run", "--select", "sleeping", *manifest.run_arguments(), "--quiet"])

    def interrupt(*_: object) -> None:
        raise Cancelled

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 6)
        with pytest.raises(Cancelled):
            list(command.events())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    with psycopg.connect(warehouse.admin_dsn, autocommit=True) as db:
        for _ in range(50):
            if db.execute(SLEEPING).fetchone() is None:
                return
            time.sleep(0.1)
    raise AssertionError("dbt's statement is still running")
