"""The product's own PostgreSQL: tenants, users, usage events.

    tenants, users  → raw_product.tenants, raw_product.users   rows as JSON, keyset (updated_at, id)
    usage_events    → raw_product.usage_events                 typed, COPY straight through (product_events.py)

Keys: id, event_id. Change clocks: updated_at, ingested_at; `occurred_at` is never one, late batches arrive days later.
The traps: rows become visible when their transaction commits, not in the order of their timestamps, so the upper
bound stays below the oldest open transaction and windows overlap by ten minutes; the clock is the source's
(unqualified `now()`); hard deletes leave no trace and are found by comparing keys, which a full scan does.
Alone: `python -m extract product usage_events`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from extract import scan
from extract.sources import product_events
from extract.sources.product_database import Product, open_database, upper_bound
from extract.stream import Chunk, Json, Reader, Record, Run, Source, State, Stream, Table, to_milliseconds

OVERLAP = timedelta(minutes=10)
ROWS_PER_CHUNK = 5_000
_COLUMNS = {
    "tenants": ("id", "name", "plan", "country", "status", "created_at", "updated_at", "deleted_at"),
    "users": ("id", "tenant_id", "email", "role", "is_active", "created_at", "updated_at", "deleted_at"),
}
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def read_table(name: str) -> Reader:
    """The incremental reader: rows changed since the watermark (less the overlap), oldest change first."""

    def read(run: Run[Product]) -> Iterator[Chunk]:
        watermark = run.state.watermark
        with run.client.snapshot() as db:
            upper = upper_bound(db, run.journal)
            lower = watermark - OVERLAP if watermark else _BEGINNING
            newest = watermark
            for records in _pages(run, db, name, lower, upper):
                changes = [record.updated_at for record in records if record.updated_at]
                newest = max(changes + ([newest] if newest else []), default=None)
                # The keyset is (updated_at, id), so every page is a border a cut-off run may continue from.
                yield Chunk(records, state=State(None, newest), window_from=watermark and lower, window_to=upper)

    return read


def scan_table(name: str) -> Reader:
    """The full reader: every row whatever its clock says, and an end for keys that are gone."""

    def read(run: Run[Product]) -> Iterator[Chunk]:
        with run.client.snapshot() as db:
            upper_bound(db, run.journal)
            for records in _pages(run, db, name, _BEGINNING, None):
                yield Chunk(records)
        yield from scan.tombstone_unseen(run, reason="deleted")

    return read


def _pages(
    run: Run[Product], db: psycopg.Connection, name: str, lower: datetime, upper: datetime | None
) -> Iterator[list[Record]]:
    query = sql.SQL(
        "select {columns} from {table} where (updated_at, id) > (%(at)s, %(id)s)"
        " and (%(upper)s::timestamptz is null or updated_at <= %(upper)s) order by updated_at, id limit %(limit)s"
    ).format(columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[name])), table=sql.Identifier(name))
    at, last_id = lower, -1
    while True:
        rows = db.execute(query, {"at": at, "id": last_id, "upper": upper, "limit": ROWS_PER_CHUNK}).fetchall()
        records = [_record(run, dict(zip(_COLUMNS[name], row, strict=True))) for row in rows]
        if records:
            yield records
        if len(rows) < ROWS_PER_CHUNK:
            return
        last = dict(zip(_COLUMNS[name], rows[-1], strict=True))
        at, last_id = last["updated_at"], last["id"]


def _record(run: Run[Product], row: dict[str, Any]) -> Record:
    """A row as it is now. Its version is the moment of reading: a table's own clock may have been set back."""
    payload: Json = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    gone = row["deleted_at"]
    return Record(
        pk=str(row["id"]),
        payload=payload,
        version=to_milliseconds(run.source_now),
        updated_at=row["updated_at"],
        deleted_at=gone,
        delete_reason="deleted" if gone else None,
    )


def _table(name: str) -> Table:
    return Table("raw_product", name)


_STREAMS = (
    *(Stream(name, _table(name), read_table(name), scan_table(name)) for name in _COLUMNS),
    product_events.STREAM,
)

SOURCE = Source("product", "The product database", {stream.name: stream for stream in _STREAMS}, open_database,
                workers=2)  # fmt: skip
