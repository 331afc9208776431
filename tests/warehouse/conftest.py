"""One warehouse for the tests of this room: tables of the extractors and the application, the project built on both."""

from collections.abc import Iterator

import psycopg
import pytest

from app.migrations.run import upgrade
from extract import schema
from local.postgres import Postgres
from tests.conftest import drop_database, make_warehouse
from tests.warehouse.project import Project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """dbt leaves its log file open when a command ends; everywhere else an unclosed file stays an error."""
    for item in items:
        if "tests/warehouse/" in item.path.as_posix():
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed file.*dbt.log:ResourceWarning"))


def _prepared(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = make_warehouse(server)
    with psycopg.connect(made.loader_dsn, autocommit=True) as loader:
        schema.ensure(loader)
    upgrade(made.application_url)
    yield Project(made, tmp_path_factory.mktemp("dbt"))
    drop_database(server, made.database)


@pytest.fixture(scope="package")
def project(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Empty sources, nothing built. Tests that load rows use this database one after the other."""
    yield from _prepared(postgres_server, tmp_path_factory)


@pytest.fixture(scope="package")
def built(project: Project) -> Project:
    """The project built on empty sources."""
    project.build()
    return project
