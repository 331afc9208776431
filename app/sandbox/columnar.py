"""Answers a statement from the columnar copy of the published build (`orchestration/columnar.py` writes it): what reads
millions of rows takes a tenth of a second there, and nothing of the database that others work with.

DuckDB in this process, on a database of its own for each statement, which holds views on the files of the marts that
are named and may open nothing else. The statement is the one that the gate let through, said in DuckDB's words.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlalchemy import Connection
from sqlglot.errors import SqlglotError

from app.errors import StatementFailed, TooManyStatements
from app.exports.formats import Column
from app.marts import version
from app.marts.version import Publication
from app.sandbox import failures, runner
from app.sandbox.gate import Statement
from app.sandbox.runner import Answer, Engine, Limits
from app.sandbox.watchdog import Patience, Reader, Reason
from app.settings import get_settings

LOG = logging.getLogger(__name__)
_LAYOUT = "v1"
_AT_ONCE = threading.BoundedSemaphore(3)  # of this process: each may take the memory of its own limit
_PATIENCE_SECONDS = 2.0
_LOOKS_SECONDS = 0.05
_PRIORITY = 10  # the nice value: a tenth of what the others have, while they want it
_KINDS: dict[str, type] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT"), int),
    **dict.fromkeys(("FLOAT", "DOUBLE"), float),
    "BOOLEAN": bool,
    "DATE": date,
    "TIMESTAMP": datetime,
}


class NotFromCopy(Exception):
    """The copy cannot answer this; the database can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The copy of one published build, as a folder with one of each mart; and what a question may take of this
    machine."""

    folder: Path
    threads: int = 2
    memory_mb: int = 320

    def has(self, statement: Statement) -> bool:
        """Whether all that the statement reads is in it."""
        return not statement.parameters and all((self.folder / name).is_dir() for name in statement.relations)


def name(build: Publication) -> str:
    """What the folder of a build's copy is called."""
    return f"{build.build_id}-{build.published_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{_LAYOUT}"


def of_published(db: Connection, folder: Path) -> Copy | None:
    """The copy of what is published now, of those in `folder`; None while there is none. Raises MartUnavailable."""
    of_build = folder.resolve() / name(version.published(db))
    return Copy(folder=of_build) if of_build.is_dir() else None


def of_installation(db: Connection) -> Copy | None:
    """The copy of what is published now, as this installation is set up. Raises MartUnavailable."""
    settings = get_settings()
    found = of_published(db, settings.columnar_dir) if settings.columnar_dir else None
    return found and replace(found, threads=settings.columnar_threads, memory_mb=settings.columnar_memory_mb)


def run(copy: Copy, statement: Statement, *, limits: Limits, patience: Patience, reader: Reader) -> Answer:
    """The answer to a statement without parameters, in the shape of `runner.run`'s.

    Raises NotFromCopy, StatementFailed, StatementEnded, TooManyStatements.
    """
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise TooManyStatements("Too many statements run at once.", retry_after_seconds=5)
    try:
        with ThreadPoolExecutor(1, initializer=_give_way) as aside:
            return aside.submit(_answer, copy, statement, limits, patience, reader).result()
    except (duckdb.OutOfMemoryException, MemoryError):
        raise StatementFailed(
            "This needs more memory than a question may take.", hint="Filter, or group by something coarser."
        ) from None
    except (duckdb.Error, SqlglotError) as error:
        # of what it said only the kind: it quotes values
        LOG.warning("the columnar copy could not answer on %s: %s", statement.relations, type(error).__name__)
        raise NotFromCopy from error
    finally:
        _AT_ONCE.release()


def _give_way() -> None:
    """The processors are first for who works on pages: DuckDB's own threads begin as the one that opens it."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PRIORITY)


def _answer(copy: Copy, statement: Statement, limits: Limits, patience: Patience, reader: Reader) -> Answer:
    began = time.monotonic()
    asked = sqlglot.transpile(statement.sql, read="postgres", write="duckdb")[0]
    with _opened(copy, statement) as own, _ended_in_time(own, patience, reader):
        found = own.execute(asked)
        columns = [_column(name, str(kind)) for name, kind, *_ in found.description or []]
        if len(columns) > limits.columns:
            raise StatementFailed(f"The answer has more than {limits.columns} columns.")
        rows, has_more_rows, has_cut_texts = runner.read_rows(_Cells(own, columns), limits)
    return Answer(
        columns=tuple(columns),
        rows=rows,
        has_more_rows=has_more_rows,
        has_cut_texts=has_cut_texts,
        duration_ms=round((time.monotonic() - began) * 1000),
        engine=Engine.COPY,
    )


@contextmanager
def _opened(copy: Copy, statement: Statement) -> Iterator[duckdb.DuckDBPyConnection]:
    limits = {
        "threads": copy.threads,
        "memory_limit": f"{copy.memory_mb}MB",
        "max_temp_directory_size": "0MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=limits) as own:
        own.execute("set allowed_directories = $folders", {"folders": [str(copy.folder)]})
        own.execute("set enable_external_access = false")
        for relation in statement.relations:
            own.read_parquet(str(copy.folder / relation / "*.parquet")).create_view(relation)
        own.execute("set timezone = 'UTC'")
        own.execute("set lock_configuration = true")
        yield own


@contextmanager
def _ended_in_time(own: duckdb.DuckDBPyConnection, patience: Patience, reader: Reader) -> Iterator[None]:
    """What runs in the block is interrupted when its time is over or nobody waits any more. Raises StatementEnded."""
    done = threading.Event()
    why: list[Reason] = []

    def watch() -> None:
        over_at = time.monotonic() + patience.cancel_seconds
        while not done.wait(_LOOKS_SECONDS):
            if reader.has_left or time.monotonic() >= over_at:
                why[:] = [Reason.LEFT if reader.has_left else Reason.TIME]
                own.interrupt()  # again and again: one that comes between two steps is forgotten

    watching = threading.Thread(target=watch, name="watch over a question", daemon=True)
    watching.start()
    try:
        yield
    except duckdb.InterruptException:
        raise failures.ended(why[0] if why else Reason.TIME, seconds=patience.cancel_seconds) from None
    finally:
        done.set()
        watching.join()


def _column(name: str, kind: str) -> Column:
    return Column(name, float if kind.startswith("DECIMAL") else _KINDS.get(kind, str))


class _Cells:
    """Rows of DuckDB as those of `runner`: figures as floats, moments in UTC, what is no plain value as text."""

    def __init__(self, found: duckdb.DuckDBPyConnection, columns: list[Column]) -> None:
        self._found = found
        self._kinds = [column.kind for column in columns]

    def fetchmany(self, count: int) -> list[tuple[Any, ...]]:
        """The next rows, fewer than `count` at the end."""
        rows = self._found.fetchmany(count)
        return [tuple(_cell(cell, kind) for cell, kind in zip(row, self._kinds, strict=True)) for row in rows]


def _cell(cell: Any, kind: type) -> Any:
    if cell is None:
        return None
    if kind is datetime:
        return cell.replace(tzinfo=UTC)
    return kind(cell) if kind in (float, str) else cell
