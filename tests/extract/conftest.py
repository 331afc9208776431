"""What the extractors' tests share: a warehouse with raw tables, and a source that says what a test wants."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from extract.run import LoadResult, run_stream
from extract.schema import ensure
from extract.sources import SOURCES, hubspot, stripe
from extract.stream import Chunk, Journal, Kind, Record, Run, Source, Stream, Table
from local.postgres import Postgres, free_port
from local.warehouse import ensure_database, ensure_role
from tests.conftest import PASSWORD, Warehouse, drop_database, make_warehouse
from tests.extract.simulated import VENDORS, Simulated

_numbers = itertools.count(1)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TABLE = Table("raw_hubspot", "notes", volatile=frozenset({"url"}))


def record(pk: str, version: int | None = 1, **payload: Any) -> Record:
    """A record whose payload is its id and what is given."""
    return Record(pk=pk, payload={"id": pk, **payload}, version=version)


def tombstone(pk: str, reason: str = "archived") -> Record:
    return Record(pk, {"id": pk, "archived": True}, None, deleted_at=NOW, delete_reason=reason, is_tombstone=True)


@dataclass
class Told:
    """A client that knows the time and nothing else."""

    journal: Journal = field(default_factory=Journal)

    def for_run(self, journal: Journal) -> "Told":
        journal.saw_clock(NOW)
        return Told(journal)

    def close(self) -> None: ...


@dataclass
class Loaded:
    """A source named `told` with one stream, `notes`, that yields the chunks a test gives."""

    dsn: str
    db: psycopg.Connection

    def load(self, *chunks: Chunk, kind: Kind = "incremental", scanned: Callable[[Run], Iterator[Chunk]] | None = None,
             **options: Any) -> LoadResult:  # fmt: skip
        """One run of the stream over `chunks`."""
        stream = Stream("notes", TABLE, lambda run: iter(chunks), scanned)
        SOURCES["told"] = Source("told", "Told", {"notes": stream}, Told)
        try:
            return run_stream("told", "notes", kind=kind, dsn=self.dsn, **options)
        finally:
            del SOURCES["told"]

    def records(self, *records: Record) -> LoadResult:
        return self.load(Chunk(records=list(records)))

    def row(self, pk: str) -> dict[str, Any]:
        """The stored row of a key."""
        with self.db.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute("select * from raw_hubspot.notes where _pk = %s", (pk,)).fetchone()
        assert found is not None
        return found

    def value(self, query: str) -> Any:
        """The single value of a query."""
        row = self.db.execute(query.encode()).fetchone()
        return row[0] if row else None


@pytest.fixture(scope="session")
def template(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A prepared warehouse with raw tables, made once: a copy of it is five times quicker than another one."""
    made = make_warehouse(postgres_server)
    with psycopg.connect(made.loader_dsn, autocommit=True) as db:
        ensure(db)
    yield made
    drop_database(postgres_server, made.database)


@pytest.fixture
def warehouse(postgres_server: Postgres, template: Warehouse) -> Iterator[Warehouse]:
    """A fresh warehouse with empty raw tables."""
    name = f"{template.database}_copy_{next(_numbers)}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as server:
        server.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template.database)
            )
        )
    yield replace(
        template,
        database=name,
        admin_dsn=template.admin_dsn.replace(template.database, name),
        loader_dsn=template.loader_dsn.replace(template.database, name),
        transformer_dsn=template.transformer_dsn.replace(template.database, name),
    )
    drop_database(postgres_server, name)


@pytest.fixture
def loaded(warehouse: Warehouse) -> Iterator[Loaded]:
    """A warehouse with raw tables, and a way to load what a test wants."""
    with psycopg.connect(warehouse.loader_dsn, autocommit=True) as db:
        yield Loaded(warehouse.loader_dsn, db)


@pytest.fixture(scope="session")
def estate(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """The simulated vendors, seeded and served once for the whole run."""
    names = ("extract_simulator", "extract_product")
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as server:
        ensure_role(server, "product_reader", PASSWORD)
        for name in names:
            ensure_database(server, name)
        server.execute("grant connect on database extract_product to product_reader")
    folder = str(tmp_path_factory.mktemp("surveys"))
    ports = {vendor: str(free_port()) for vendor in VENDORS}
    environment = {
        "SIMULATOR_DSN": postgres_server.dsn(names[0]),
        "SIMULATOR_PRODUCT_DSN": postgres_server.dsn(names[1]),
        "SIMULATOR_SURVEYS_FOLDER": folder,
        "SURVEYS_FOLDER": folder,
        "HUBSPOT_TOKEN": "pat-eu1-test",
        "STRIPE_API_KEY": "rk_live_test",
        "ZENDESK_CLIENT_ID": "test",
        "ZENDESK_CLIENT_SECRET": "test-secret",
        "PRODUCT_DSN": f"postgresql://product_reader:{PASSWORD}@127.0.0.1:{postgres_server.port}/extract_product",
        **{f"SIMULATOR_{vendor.upper()}_PORT": port for vendor, port in ports.items()},
        # of its own, too: a demo that runs beside the tests has the usual ones
        "SIMULATOR_SMTP_PORT": str(free_port()),
        "SIMULATOR_MAILBOX_PORT": str(free_port()),
        **{f"{vendor.upper()}_BASE_URL": f"http://127.0.0.1:{port}" for vendor, port in ports.items()},
    }
    simulated = Simulated(environment)
    simulated.command("seed", "--accounts", "30", "--days", "120", "--seed", "24")
    simulated.start()
    yield simulated
    simulated.stop()
    for name in names:
        drop_database(postgres_server, name)


@dataclass
class World:
    """The simulated vendors and a fresh warehouse that is loaded from them."""

    simulated: Simulated
    dsn: str
    db: psycopg.Connection

    def load(self, stream: str, kind: Kind = "incremental") -> LoadResult:
        """One run of `source.stream`."""
        source, _, name = stream.partition(".")
        return run_stream(source, name, kind=kind, dsn=self.dsn)

    def live(self, stream: str) -> set[str]:
        """Keys of the rows that have not ended."""
        schema, _, name = stream.partition(".")
        query = f"select _pk from raw_{schema}.{name} where _deleted_at is null"
        return {key for (key,) in self.db.execute(query.encode()).fetchall()}

    def versions(self, stream: str) -> set[str]:
        """Key and time of change of each row that has not ended."""
        schema, _, name = stream.partition(".")
        query = f"select _pk || ' ' || _src_updated_at::text from raw_{schema}.{name} where _deleted_at is null"
        return {key for (key,) in self.db.execute(query.encode()).fetchall()}

    def states(self, stream: str) -> set[str]:
        """Key and status (empty where there is none) of each row that has not ended."""
        schema, _, name = stream.partition(".")
        query = f"select _pk || ' ' || coalesce(payload->>'status', '') from raw_{schema}.{name}"
        rows = self.db.execute(f"{query} where _deleted_at is null".encode()).fetchall()
        return {key for (key,) in rows}

    def row(self, stream: str, key: str) -> dict[str, Any]:
        """The row of a key; fails when there is none."""
        schema, _, name = stream.partition(".")
        with self.db.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(f"select * from raw_{schema}.{name} where _pk = %s".encode(), (key,)).fetchone()
        assert found is not None
        return found

    def value(self, query: str) -> Any:
        """The single value of a query."""
        row = self.db.execute(query.encode()).fetchone()
        return row[0] if row else None


@pytest.fixture
def world(estate: Simulated, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The estate (shared by all tests: what happened stays), a warehouse of this test, and quick retries.

    What happens in a test happens now; the pause that the readers keep from the newest minute is taken away.
    """
    for name, value in estate.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EXTRACT_WAIT_INITIAL_SECONDS", "0.01")
    monkeypatch.setenv("EXTRACT_WAIT_MAX_SECONDS", "0.05")
    monkeypatch.setenv("EXTRACT_CONNECT_BUDGET_SECONDS", "0.3")
    monkeypatch.setattr(hubspot, "INDEX_LAG", timedelta(seconds=-2))
    monkeypatch.setattr(stripe, "SETTLING", timedelta(seconds=-2))
    # Ten exports a minute is the vendor's limit; a run of tests makes more.
    estate.switch("zendesk", rate_limit={"account": 100_000, "incremental": 100_000})
    with psycopg.connect(warehouse.loader_dsn, autocommit=True) as db:
        yield World(estate, warehouse.loader_dsn, db)
    estate.calm()
