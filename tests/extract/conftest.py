"""What the extractors' tests share: a warehouse with raw tables, and a source that says what a test wants."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from extract.run import LoadResult, run_stream
from extract.schema import ensure
from extract.sources import SOURCES
from extract.stream import Chunk, Journal, Kind, Record, Run, Source, Stream, Table
from tests.conftest import Warehouse

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


@pytest.fixture
def loaded(warehouse: Warehouse) -> Iterator[Loaded]:
    """A warehouse with raw tables, and a way to load what a test wants."""
    with psycopg.connect(warehouse.loader_dsn, autocommit=True) as db:
        ensure(db)
        yield Loaded(warehouse.loader_dsn, db)
