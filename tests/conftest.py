"""Fixtures shared by all rooms: real servers, fresh databases.

One PostgreSQL and one Valkey serve a whole run; every test that asks for a database gets one of its own.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from local.postgres import VOLATILE, Postgres, free_port
from local.valkey import Valkey
from local.warehouse import WarehouseRoles, prepare

# as careful as in production, or the services would refuse to start as they do there
PASSWORD = "of-the-roles-in-one-run"
REDIS_PASSWORD = "of-the-cache-in-one-run"
_numbers = itertools.count(1)


# longest first, or one process would end minutes before the other; of the rest the order matters little
LONGEST_FIRST = ("e2e", "orchestration", "shell", "api", "door", "warehouse", "extract")
WITHOUT_SERVERS = ("app", "pages")  # beyond the database of every room: what fills the gaps, at the end


class _ByRoom(LoadScopeScheduling):
    """One process runs the whole of a room whose tests share servers; of the others it is given a file at a time."""

    def _split_scope(self, nodeid: str) -> str:
        _, room, *rest = nodeid.split("::")[0].split("/")
        return f"{room}/{rest[0]}" if room in WITHOUT_SERVERS else room


def _turn(item: pytest.Item) -> int:
    room = item.nodeid.split("/")[1]
    if room in WITHOUT_SERVERS:
        return len(LONGEST_FIRST) + 1
    return LONGEST_FIRST.index(room) if room in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order in which several processes are given the work; one alone goes through the rooms as they lie."""
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """How the work is shared out among several processes."""
    return _ByRoom(config, log)


@dataclass(frozen=True)
class Warehouse:
    """Addresses of one freshly prepared warehouse database, one per role."""

    database: str
    port: int
    admin_dsn: str
    loader_dsn: str
    transformer_dsn: str
    learner_dsn: str
    analyst_dsn: str
    application_url: str
    transformer_password: str = PASSWORD


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server of this run; durability is off, since its data is thrown away."""
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres(folder, free_port(), PASSWORD, settings={**VOLATILE, "shared_buffers": "128MB"})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Valkey server of this run."""
    server = Valkey(tmp_path_factory.mktemp("valkey"), free_port(), REDIS_PASSWORD)
    server.start()
    yield server.url
    server.stop()


def make_warehouse(server: Postgres) -> Warehouse:
    """A new warehouse database with roles, schemas and grants on `server`."""
    database = f"warehouse_{os.getpid()}_{next(_numbers)}"
    prepare(server.dsn(), database=database, roles=WarehouseRoles.same(PASSWORD))
    place = f"{PASSWORD}@127.0.0.1:{server.port}/{database}"
    return Warehouse(
        database=database,
        port=server.port,
        admin_dsn=server.dsn(database),
        loader_dsn=f"postgresql://loader:{place}",
        transformer_dsn=f"postgresql://transformer:{place}",
        learner_dsn=f"postgresql://learner:{place}",
        analyst_dsn=f"postgresql://analyst:{place}",
        application_url=f"postgresql+psycopg://application:{place}",
    )


def drop_database(server: Postgres, database: str) -> None:
    """Remove a test's database, whoever is still connected."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


@pytest.fixture
def warehouse(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A fresh warehouse: roles, schemas and grants, no tables."""
    made = make_warehouse(postgres_server)
    yield made
    drop_database(postgres_server, made.database)


@pytest.fixture
def migrated_app(warehouse: Warehouse) -> Warehouse:
    """A fresh warehouse whose schema `app` is at the newest migration."""
    from app.migrations.run import upgrade

    upgrade(warehouse.application_url)
    return warehouse
