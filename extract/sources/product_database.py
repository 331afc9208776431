"""The product database as its read-only role sees it: one snapshot per run, UTC, the source's clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from extract import config
from extract.errors import SourceRejected, SourceUnavailable
from extract.stream import Journal

STATEMENT_TIMEOUT_SECONDS = 600
# Rows younger than this may still be joined by others with an older timestamp.
SETTLING = timedelta(minutes=2)
BLOCK_BYTES = 256 * 1024

# Age of the oldest open transaction that may still write rows; null for those this role may not look into.
_OLDEST_WRITER = """
select max(now() - xact_start)
from pg_stat_activity
where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid()
"""


@dataclass
class Product:
    """The database of PRODUCT_DSN. Each run has a connection of its own, opened when it is first read."""

    dsn: str
    journal: Journal = field(default_factory=Journal)
    _db: psycopg.Connection | None = None

    def for_run(self, journal: Journal) -> "Product":
        return Product(self.dsn, journal)

    def close(self) -> None:
        if self._db:
            self._db.close()
            self._db = None

    @contextmanager
    def snapshot(self) -> Iterator[psycopg.Connection]:
        """A repeatable-read, read-only transaction. Errors as in `told`."""
        with self.told():
            db = self._db or self._connect()
            self._db = db
            with db.transaction():
                yield db

    def copied(self, query: sql.Composed) -> Iterator[bytes]:
        """The output of a COPY query inside the snapshot, in pieces worth a system call (the server sends one small
        message per row). Errors as in `told`."""
        if self._db is None:
            raise SourceRejected("A copy is read inside a snapshot.")
        pieces: list[bytes] = []
        size = 0
        with self.told(), self._db.cursor() as cursor, cursor.copy(query) as reading:
            for piece in reading:
                pieces.append(bytes(piece))
                size += len(piece)
                if size >= BLOCK_BYTES:
                    yield b"".join(pieces)
                    pieces, size = [], 0
            yield b"".join(pieces)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Errors of this database as sentences. Raises SourceUnavailable when the server is away or cuts us off,
        SourceRejected when it refuses the role or lacks a column."""
        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            raise SourceRejected(self._sentence("does not let the role read", error, "Check its grants.")) from error
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise SourceRejected(self._sentence("has another schema", error, "The reader has to follow.")) from error
        except (psycopg.errors.InvalidPassword, psycopg.errors.InvalidAuthorizationSpecification) as error:
            raise SourceRejected(self._sentence("refused the role", error, "Check PRODUCT_DSN.")) from error
        except psycopg.OperationalError as error:
            hint = "Start it or check PRODUCT_DSN, then run again."
            raise SourceUnavailable(self._sentence("does not answer", error, hint)) from error

    def _connect(self) -> psycopg.Connection:
        db = psycopg.connect(self.dsn, connect_timeout=10, application_name="extract", autocommit=True)
        db.execute("set timezone = 'UTC'")
        db.execute(f"set statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'".encode())
        db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        db.read_only = True
        return db

    def _sentence(self, what: str, error: psycopg.Error, hint: str) -> str:
        place = conninfo_to_dict(self.dsn)
        said = (str(error).splitlines() or ["no reason given"])[-1].strip()
        return f"The product database at {place.get('host')}:{place.get('port', 5432)} {what} ({said}). {hint}"


def upper_bound(db: psycopg.Connection, journal: Journal) -> datetime:
    """The moment up to which every row can be seen, on the source's clock; notes that clock in the journal.

    `now()` is unqualified on purpose: the source decides what time it is.
    """
    row = db.execute("select now()").fetchone()
    assert row is not None  # noqa: S101 - a select without from has a row
    journal.saw_clock(row[0])
    oldest = db.execute(_OLDEST_WRITER).fetchone()
    age = oldest[0] if oldest and oldest[0] else timedelta(0)
    return row[0] - max(SETTLING, age)


def open_database() -> Product:
    """The database of PRODUCT_DSN. Nothing is asked yet."""
    return Product(config.read(config.ProductSettings).dsn.get_secret_value())
