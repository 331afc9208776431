"""A columnar copy of what readers have: the marts of one published build as Parquet, for questions over all their rows.

`<folder>/<build>/<mart>/<part>.parquet`, where `<build>` is number and moment of the publication. A build's folder
appears whole and is never changed. A mart with an index on a time alone lies there by month; of such a mart a
publication writes the months anew that it changed, and of the others those that it changed at all. The rest is the same
files as in the copy before, by hard link. What analysts may not read, and what changes between publications, is in no
copy.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import class_row
from pyarrow.parquet import ParquetWriter

from orchestration import manifest
from orchestration.publishing import BESIDE, MARTS, PUBLISHING

_LAYOUT = "v1"  # goes up when the files of the same build would be others
_KEPT_BUILDS = 2  # the newest, and the one that somebody may be reading
_COLUMNS = "columns.parquet"
_AS_IT_IS = frozenset({"smallint", "integer", "bigint", "real", "double precision", "text", "boolean", "date"})
_TIMES = frozenset({"date", "timestamp with time zone"})
_TABLES: LiteralString = """
    select
        mart.relname as name,
        array_agg(columns.attname::text order by columns.attnum) as columns,
        array_agg(format_type(columns.atttypid, null) order by columns.attnum) as types,
        (
            select min(columns.attname) from pg_index
            join pg_attribute as columns on columns.attrelid = mart.oid and columns.attnum = pg_index.indkey[0]
            where pg_index.indrelid = mart.oid and pg_index.indnatts = 1 and pg_index.indpred is null
              and format_type(columns.atttypid, null) = any(%(times)s)
        ) as time_column,
        to_regclass(format('publishing.%%I', mart.relname)) is not null as has_changes
    from pg_class as mart
    join pg_attribute as columns on columns.attrelid = mart.oid and columns.attnum > 0 and not columns.attisdropped
    where
        mart.relnamespace = to_regnamespace(%(schema)s) and mart.relkind = 'r'
        and has_table_privilege('analyst', mart.oid, 'select')
        and mart.relname <> all(%(beside)s)
    group by mart.oid, mart.relname
    order by mart.relname
"""
_NEWEST: LiteralString = """
    select newest.build_id, newest.published_at, newest.replaced_marts, earlier.build_id, earlier.published_at
    from marts.publications as newest
    left join marts.publications as earlier on earlier.build_id = newest.previous_build_id
    order by newest.build_id desc limit 1
"""


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What a copy took: marts in it, those written anew in whole or in part, rows written, bytes of the whole copy."""

    build_id: int
    mart_count: int
    written: tuple[str, ...] = ()
    row_count: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class _Table:
    name: str
    columns: Sequence[str]
    types: Sequence[str]
    time_column: str | None
    has_changes: bool

    def parts(self, db: psycopg.Connection, schema: str) -> list[date | None]:
        """Months of its rows in a schema, None for rows without a time; one None for a mart that lies in one file,
        unless it is empty there."""
        month = sql.SQL("date_trunc('month', {})::date").format(sql.Identifier(self.time_column or ""))
        wanted = sql.SQL("select distinct {} from {}") if self.time_column else sql.SQL("select {} from {} limit 1")
        asked = wanted.format(month if self.time_column else sql.NULL, sql.Identifier(schema, self.name))
        return [part for (part,) in db.execute(asked)]

    def select(self, part: date | None) -> str:
        """The rows of one part as a copy holds them: times in UTC, figures in double precision, what is no plain value
        as its text."""
        cells = sql.SQL(", ").join(
            sql.SQL("{} as {}").format(_cell(sql.Identifier(name), kind), sql.Identifier(name))
            for name, kind in zip(self.columns, self.types, strict=True)
        )
        rows = sql.SQL("select {} from {}").format(cells, sql.Identifier(MARTS, self.name))
        return sql.SQL(" ").join([rows, self._where(part)]).as_string()

    def _where(self, part: date | None) -> sql.Composable:
        if self.time_column is None:
            return sql.SQL("")
        at = sql.Identifier(self.time_column)
        if part is None:
            return sql.SQL("where {} is null").format(at)
        first, after = sql.Literal(part), sql.Literal((part + timedelta(days=31)).replace(day=1))
        return sql.SQL("where {} >= {} and {} < {}").format(at, first, at, after)


def _cell(name: sql.Composable, kind: str) -> sql.Composable:
    if kind in _AS_IT_IS:
        return name
    if kind == "numeric":
        return sql.SQL("{}::double precision").format(name)
    if kind == "timestamp with time zone":
        return sql.SQL("{} at time zone 'UTC'").format(name)
    return sql.SQL("{}::text").format(name)


def folder() -> Path:
    """Where the copies lie: beside the manifest, or what COLUMNAR_DIR names."""
    return Path(os.environ.get("COLUMNAR_DIR") or manifest.target_folder() / "columnar").resolve()


def name(build_id: int, published_at: datetime) -> str:
    """What the folder of a build is called. The number alone would not do: a database that was put back from a backup
    gives it again. Nor would these two: code that writes other cells makes a copy of its own, and links none."""
    return f"{build_id}-{published_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{_LAYOUT}"


def write(address: str, into: Path) -> Copied | None:
    """Copy the newest published build, unless there is a copy of it; None before the first publication.

    `address` is a PostgreSQL URI of a role that may read the marts and their changes. All rows are of one moment. Who
    writes at the same time waits. Raises psycopg.Error, adbc's errors, OSError.
    """
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(into), psycopg.connect(address, connect_timeout=10, application_name="columnar copy") as db:
        db.execute("set transaction isolation level repeatable read")
        db.execute("set local timezone to 'UTC'")
        # what a publication kept of the one before would be gone under our eyes: the next one waits, readers do not
        db.execute("lock table marts.publications in share mode")
        newest = db.execute(_NEWEST).fetchone()
        if newest is None:
            return None
        build_id, published_at, replaced, earlier_id, earlier_at = newest
        made = into / name(build_id, published_at)
        before = into / name(earlier_id, earlier_at) if earlier_id is not None else None
        tables = _tables(db)
        if made.is_dir():
            return Copied(build_id=build_id, mart_count=len(tables), size_bytes=_size(made))
        aside = into / f"{uuid4().hex}.part"
        ((snapshot,),) = db.execute("select pg_export_snapshot()")
        with adbc.connect(address) as source:
            with source.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read")
                cursor.execute("set local timezone to 'UTC'")
                cursor.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)).as_string())
            written: dict[str, int] = {}
            for table in tables:
                is_kept = before is not None and table.has_changes and table.name not in replaced
                kept = before / table.name if before is not None and is_kept else None
                rows = _write(
                    db, source, table, aside / table.name, kept=kept if kept is not None and kept.is_dir() else None
                )
                if rows is not None:
                    written[table.name] = rows
        aside.rename(made)
        _forget(into)
        return Copied(
            build_id=build_id,
            mart_count=len(tables),
            written=tuple(written),
            row_count=sum(written.values()),
            size_bytes=_size(made),
        )


@contextmanager
def _alone(into: Path) -> Iterator[None]:
    """While the block lasts nobody else writes there; what a killed one left is removed."""
    with (into / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in into.glob("*.part"):
            shutil.rmtree(left)
        yield


def _tables(db: psycopg.Connection) -> list[_Table]:
    asked = {"schema": MARTS, "times": list(_TIMES), "beside": list(BESIDE)}
    with db.cursor(row_factory=class_row(_Table)) as cursor:
        return cursor.execute(_TABLES, asked).fetchall()


def _write(
    db: psycopg.Connection, source: adbc.Connection, table: _Table, place: Path, *, kept: Path | None
) -> int | None:
    """Bring a mart's files to `place`: those of `kept` for the parts that did not change, the others from the database.
    Returns rows written, None when nothing had to be."""
    place.mkdir(parents=True)
    count, parts = 0, table.parts(db, MARTS)
    if kept is not None:
        changed = table.parts(db, PUBLISHING)
        unchanged = [part for part in parts if part not in changed and (kept / _file(part)).is_file()]
        for part in unchanged:
            os.link(kept / _file(part), place / _file(part))
        parts = [part for part in parts if part not in unchanged]
        if not parts:
            os.link(kept / _COLUMNS, place / _COLUMNS)
            return None
    for part in parts:
        with source.cursor() as cursor:
            cursor.execute(table.select(part))
            count += _write_file(cursor.fetch_record_batch(), place / _file(part))
    with source.cursor() as cursor:  # says what columns there are, where there is nothing else
        cursor.execute(f"{table.select(None)} limit 0")
        _write_file(cursor.fetch_record_batch(), place / _COLUMNS)
    return count


def _file(part: date | None) -> str:
    return f"{part:%Y-%m}.parquet" if part else "rows.parquet"


def _write_file(rows: pa.RecordBatchReader, file: Path) -> int:
    count = 0
    with ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _forget(into: Path) -> None:
    """Remove the copies of all builds but the newest ones."""
    builds = sorted((one for one in into.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime, reverse=True)
    for one in builds[_KEPT_BUILDS:]:
        shutil.rmtree(one)


def _size(copy: Path) -> int:
    return sum(file.stat().st_size for file in copy.rglob("*.parquet"))


def as_metadata(copied: Copied) -> Mapping[str, int | list[str]]:
    """What Dagster shows of a copy."""
    return {
        "build_id": copied.build_id,
        "mart_count": copied.mart_count,
        "written_marts": list(copied.written),
        "row_count": copied.row_count,
        "size_bytes": copied.size_bytes,
    }
