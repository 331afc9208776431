"""Connections and transactions: one engine a process, committed once at the edge of a request, click or job.

Services take the `Connection` and never commit. The one exception is `app.auth.sign_in`, which commits the attempt
before it checks the password (see there); that is why a unit of work begins by itself instead of by `engine.begin()`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from psycopg.errors import DeadlockDetected, LockNotAvailable, UndefinedTable
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.errors import Busy, MartUnavailable
from app.settings import get_settings


def make_engine(url: str, *, pool_size: int = 10, statement_timeout_ms: int = 15_000) -> Engine:
    """An engine with our limits: 5 s to connect, 5 s to get a connection, UTC, and a time-out on every statement."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            "application_name": "account-intelligence",
            "options": (
                f"-c timezone=UTC -c statement_timeout={statement_timeout_ms} -c lock_timeout=5000"
                " -c idle_in_transaction_session_timeout=60000"
            ),
        },
    )


@lru_cache
def engine() -> Engine:
    """The engine of this process, made at first use from APP_DATABASE_URL."""
    settings = get_settings()
    return make_engine(
        settings.app_database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        statement_timeout_ms=settings.database_statement_timeout_ms,
    )


@contextmanager
def _saying_busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise Busy from None
        raise


@contextmanager
def unit_of_work(on: Engine | None = None) -> Iterator[Connection]:
    """A connection whose work is committed once, when the block ends well, and rolled back when it raises.

    Raises Busy for a lock that was waited for in vain. Only here, at the edge: inside, where one line of many may be
    refused by itself, it must end the whole.
    """
    with (on or engine()).connect() as db, _saying_busy():
        try:
            yield db
            db.commit()
        except BaseException:
            db.rollback()
            raise


@contextmanager
def read(on: Engine | None = None) -> Iterator[Connection]:
    """A connection for reading: PostgreSQL itself refuses writes.

    All its statements see one moment, and so the rows of one build: a publication changes rows and exchanges no tables.
    Raises Busy as `unit_of_work`.
    """
    with (on or engine()).connect() as db, _saying_busy():
        yield db.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def reading_mart(mart: str) -> Iterator[None]:
    """Say MartUnavailable instead of a database error when a mart has not been built yet."""
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.orig, UndefinedTable):
            raise MartUnavailable(mart) from None
        raise
