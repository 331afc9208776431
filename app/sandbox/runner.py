"""Runs one statement that the gate has let through, and reads its answer within limits.

A connection of its own as role `analyst`, in a read-only transaction with limits of its own, read through a server-side
cursor, rolled back and thrown away: what a statement changed of its session ends with it. The database computes the
cells that we take, so that a cell of a gigabyte is cut there and never becomes one here.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.raw_cursor import RawCursor, RawServerCursor

from app.errors import StatementFailed
from app.exports.formats import Column
from app.sandbox import failures
from app.sandbox.gate import Statement
from app.sandbox.reach import SCHEMA
from app.sandbox.watchdog import Patience, Reader, Reason, Watchdog

CELL_CHARACTERS = 8_000  # a longer text ends in an ellipsis
_LARGEST_BATCH = 16 * 1024 * 1024  # bytes that one round trip brings at most
MOST_IN_BATCH = 2_000  # rows
_BEFORE, _AFTER = "select * from (\n", "\n) as answer"
# by the type's name in PostgreSQL: what arrives, and how the database is asked for it; everything else as its text
_CELLS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(("int2", "int4", "int8"), (int, "{}")),
    **dict.fromkeys(("float4", "float8", "numeric"), (float, "{}::double precision")),
    "bool": (bool, "{}"),
    "date": (date, "{}"),
    "timestamptz": (datetime, "{}"),
    "timestamp": (datetime, "({} at time zone 'UTC')"),
}
_TEXT: tuple[type, str] = (str, f"left({{}}::text, {CELL_CHARACTERS + 1})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of an answer is read: rows, and bytes over all cells; with more columns it is refused."""

    rows: int = 1_000
    size_bytes: int = 8 * 1024 * 1024
    columns: int = 200


SCREEN = Limits()
FILE = Limits(rows=50_000, size_bytes=32 * 1024 * 1024)


class Engine(StrEnum):
    """What a statement was answered by."""

    DATABASE = "PostgreSQL"
    COPY = "columnar copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows of a statement, in its order. Cells are int, float, bool, date, datetime (UTC), text or None.

    There is more than the limits let through: of rows, `has_more_rows`; of the text of a cell, `has_cut_texts`.
    """

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    has_more_rows: bool
    has_cut_texts: bool
    duration_ms: int
    engine: Engine = Engine.DATABASE

    @property
    def is_cut(self) -> bool:
        """Whether anything was left out."""
        return self.has_more_rows or self.has_cut_texts

    def unique_names(self) -> list[str]:
        """The names of the columns, one that comes again with its number: tables and files hold no two of one name."""
        seen: dict[str, int] = {}
        names = []
        for column in self.columns:
            number = seen[column.name] = seen.get(column.name, 0) + 1
            names.append(column.name if number == 1 else f"{column.name} ({number})")
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where statements run: as the analyst, watched by a role that may end them."""

    dsn: str
    watcher_dsn: str
    patience: Patience = field(default_factory=Patience)


@contextmanager
def _connected(server: Server, reader: Reader) -> Iterator[psycopg.Connection]:
    """A connection in a read-only transaction, under a watchdog; closed whatever happens, which rolls back.

    Raises psycopg.Error, StatementEnded.
    """
    name = f"sandbox {uuid4().hex}"
    patience = server.patience
    settings = {
        "statement_timeout": f"{patience.cancel_seconds * 1000:.0f}ms",
        "transaction_timeout": f"{patience.terminate_seconds * 1000:.0f}ms",
        "lock_timeout": "1s",
        "work_mem": "16MB",
        "timezone": "UTC",
        "search_path": SCHEMA,
    }
    begin = sql.SQL("; ").join(
        [sql.SQL("begin read only")]
        + [sql.SQL("set local {} = {}").format(sql.Identifier(one), sql.Literal(to)) for one, to in settings.items()]
    )
    with Watchdog(server.watcher_dsn, name=name, patience=patience, reader=reader) as watchdog:
        try:
            connection = psycopg.connect(server.dsn, application_name=name, connect_timeout=5, autocommit=True)
            try:
                connection.execute(begin)
                yield connection
            finally:
                connection.close()
        except psycopg.Error as error:
            if watchdog.reason or error.sqlstate in ("57014", "25P04"):  # cancelled, or the transaction's time was over
                raise failures.ended(watchdog.reason or Reason.TIME, seconds=patience.cancel_seconds) from None
            raise


def _bound(statement: Statement, values: Mapping[str, Any]) -> list[str | None]:
    """The values in the order of their numbers, as text of no type yet: the server reads each as what it stands for."""
    given = [values.get(name) for name in statement.parameters]
    return [None if value is None else str(value) for value in given]


def _shape(connection: psycopg.Connection, asked: str, values: Sequence[Any], limits: Limits) -> list[tuple[str, str]]:
    """Names and types of the columns of an answer, without computing it."""
    with RawCursor(connection) as cursor:
        cursor.execute(f"{asked} limit 0".encode(), values)
        described = cursor.description or []
    if not described:
        raise StatementFailed("The statement asks for no column.")
    if len(described) > limits.columns:
        raise StatementFailed(f"The answer has more than {limits.columns} columns.", hint="Name those that you need.")

    def type_name(oid: int) -> str:
        known = connection.adapters.types.get(oid)
        return known.name if known is not None and known.oid == oid else ""  # an array is found by its element

    return [(column.name, type_name(column.type_code)) for column in described]


def run(
    server: Server,
    statement: Statement,
    values: Mapping[str, Any],
    *,
    limits: Limits = SCREEN,
    reader: Reader | None = None,
) -> Answer:
    """The answer to a statement; `values` by the names of its parameters, each a text or None.

    Raises StatementFailed, StatementEnded, TooManyStatements, SandboxUnavailable.
    """
    began = time.monotonic()
    bound = _bound(statement, values)
    asked = f"{_BEFORE}{statement.sql}{_AFTER}"
    try:
        with _connected(server, reader or Reader()) as connection:
            shape = _shape(connection, asked, bound, limits)
            kinds = [_CELLS.get(kind, _TEXT) for _, kind in shape]
            names = [f"c{number}" for number in range(len(shape))]
            cells = ", ".join(cell.format(name) for name, (_, cell) in zip(names, kinds, strict=True))
            wanted = f"select {cells} from (\n{statement.sql}{_AFTER}({', '.join(names)})"  # noqa: S608  # the gate's
            largest = sum(4 * CELL_CHARACTERS if kind is str else 16 for kind, _ in kinds)
            with RawServerCursor(connection, "answer") as cursor:
                cursor.execute(wanted.encode(), bound)
                batch = min(max(1, _LARGEST_BATCH // largest), MOST_IN_BATCH)
                rows, has_more_rows, has_cut_texts = read_rows(cursor, limits, batch)
    except psycopg.Error as error:
        raise failures.explained(error, place=lambda at: statement.place(at - len(_BEFORE))) from None
    return Answer(
        columns=tuple(Column(name, kind) for (name, _), (kind, _) in zip(shape, kinds, strict=True)),
        rows=rows,
        has_more_rows=has_more_rows,
        has_cut_texts=has_cut_texts,
        duration_ms=round((time.monotonic() - began) * 1000),
    )


class Rows(Protocol):
    """What rows can be read from in batches."""

    def fetchmany(self, size: int, /) -> list[Any]: ...


def read_rows(cursor: Rows, limits: Limits, batch: int = MOST_IN_BATCH) -> tuple[list[tuple[Any, ...]], bool, bool]:
    """Rows up to the limits, whether there are more, which one row past the limit tells, and whether a text was cut."""
    rows: list[tuple[Any, ...]] = []
    size, has_cut_texts = 0, False
    while True:
        wanted = min(batch, limits.rows - len(rows) + 1)
        found = cursor.fetchmany(wanted)
        for row in found:
            if len(rows) == limits.rows or size > limits.size_bytes:
                return rows, True, has_cut_texts
            cut = tuple(_cut(cell) for cell in row)
            has_cut_texts = has_cut_texts or cut != row
            size += sum(len(cell) if isinstance(cell, str) else 8 for cell in cut)
            rows.append(cut)
        if len(found) < wanted:
            return rows, False, has_cut_texts


def _cut(cell: Any) -> Any:
    return cell[: CELL_CHARACTERS - 1] + "…" if isinstance(cell, str) and len(cell) > CELL_CHARACTERS else cell


def plan(server: Server, statement: Statement, values: Mapping[str, Any], *, reader: Reader | None = None) -> str:
    """How the server would run a statement, without running it. Raises as `run`."""
    before = "explain (format text) "
    try:
        with _connected(server, reader or Reader()) as connection, RawCursor(connection) as cursor:
            cursor.execute(f"{before}{statement.sql}".encode(), _bound(statement, values))
            return "\n".join(line for (line,) in cursor.fetchall())
    except psycopg.Error as error:
        raise failures.explained(error, place=lambda at: statement.place(at - len(before))) from None
