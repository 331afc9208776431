"""A small graph in the shape of the real one: two sources, four streams, a dbt project of three models.

The real registry and the real dbt project take part where they are the subject (`test_lineage.py`).
"""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

with warnings.catch_warnings():
    # sqlglot's compiled tokenizer announces its successor the first time dagster-dbt is imported
    warnings.simplefilter("ignore", DeprecationWarning)
    import dagster_dbt

from local.postgres import Postgres
from tests.conftest import Warehouse, drop_database, make_warehouse
from tests.orchestration import small

PROJECT = Path(__file__).parent / "project"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """dbt leaves its log file open when a command ends; everywhere else an unclosed file stays an error."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed file.*dbt.log:ResourceWarning"))


@pytest.fixture(scope="session")
def warehouse(postgres_server: Postgres) -> Iterator[Warehouse]:
    """One warehouse for this room: dbt parses a project anew for every other database, which takes 3 s a test."""
    made = make_warehouse(postgres_server)
    yield made
    drop_database(postgres_server, made.database)


@pytest.fixture(scope="session")
def parsed_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small dbt project; parsed once a session, its partial parse is found there by later tests."""
    folder = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(PROJECT, folder)
    return folder


@pytest.fixture
def small_dbt(parsed_project: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a run: the small dbt project against a warehouse that holds a few raw rows and no mart."""
    for name, value in small.environment(warehouse, parsed_project).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DBT_LOG_PATH", raising=False)
    small.make_tables(warehouse)
    return parsed_project


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> small.World:
    """The two sources, of which a test can say how they answer; pauses between attempts are a blink."""
    made = small.World()
    monkeypatch.setattr("orchestration.defs.load.run_source", made.run_source)
    monkeypatch.setattr("orchestration.failures.BACKOFF_SECONDS", (0.01, 0.02, 0.03))
    return made


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance of this test, on disk: re-execution looks its parent run up."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


__all__ = ["dagster_dbt"]
