"""What steps are given: the warehouse as three of its roles, dbt, the application, and the run's lease.

Secrets are `EnvVar`s, resolved when a resource is initialised for a run; loading the definitions reads none of them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import quote

import dagster as dg
import psycopg

from orchestration import manifest as dbt_manifest
from orchestration.dbt_in_process import DbtCommand, Ending, Event, to_dagster
from orchestration.failures import failure, is_transient, retry_or_fail
from orchestration.translators import Translator

_LEASE_SPACE = 0x0DA6  # first half of the advisory lock; keeps run leases apart from the extractors' locks


class Loading(dg.ConfigurableResource):
    """The warehouse as role `loader`, which owns the raw tables and `ops`."""

    dsn: str

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit, closed at the end."""
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=10, application_name="orchestration") as opened:
            yield opened


class Learning(dg.ConfigurableResource):
    """The warehouse as role `learner`, which owns schema `learning`."""

    dsn: str

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection whose transaction commits when the block ends well."""
        with psycopg.connect(self.dsn, connect_timeout=10, application_name="orchestration") as opened:
            yield opened


class Transforming(dg.ConfigurableResource):
    """The warehouse as role `transformer`, which owns staging, intermediate and marts."""

    host: str
    port: str
    database: str
    user: str
    password: str

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection whose transaction commits when the block ends well."""
        with psycopg.connect(self.address(), connect_timeout=10, application_name="orchestration") as opened:
            yield opened

    def address(self) -> str:
        """The warehouse as a URI, with the password in it."""
        parts = (quote(part, safe="") for part in (self.user, self.password, self.host, self.port, self.database))
        return "postgresql://{}:{}@{}:{}/{}".format(*parts)

    def as_of_date(self) -> date | None:
        """The last complete day the loads have brought (source's clock, UTC); None before the first load."""
        with self.connection() as db:
            row = db.execute(
                "select (max(source_now) at time zone 'UTC')::date - 1 from ops.load_run"
                " where status in ('succeeded', 'warned')"
            ).fetchone()
        return row[0] if row else None


class FastDbt(dg.ConfigurableResource):
    """dbt in this process, see `orchestration.dbt_in_process`."""

    def build(
        self,
        context: dg.AssetExecutionContext,
        *,
        manifest: Mapping[str, Any],
        translator: Translator,
        arguments: Sequence[str],
        metadata: Mapping[str, Any],
    ) -> Iterator[Event]:
        """Run `dbt <arguments>` and yield what each node did.

        Raises RetryRequested when the warehouse could not be reached and Failure when a node did not pass or dbt did
        nothing at all: a selection that matches no node ends well for dbt and would publish old marts as new.
        """
        command = DbtCommand([*arguments, *dbt_manifest.run_arguments(), "--no-use-colors"])
        for event in command.events():
            yield from to_dagster(
                event, manifest=manifest, translator=translator, context=context, metadata=dict(metadata)
            )
        ending = command.ending
        if ending is None:  # the thread always sets it; without this line a bug there would look like success
            raise failure("dbt", "the command ended without an answer")
        _judge(ending, context)


def _judge(ending: Ending, context: dg.AssetExecutionContext) -> None:
    if isinstance(ending.exception, Exception) and not ending.failed:
        raise retry_or_fail(root_cause(ending.exception), step="dbt", attempt=context) from ending.exception
    if not ending.success:
        shown = [f"{node.kind} {node.name}" for node in ending.failed[:5]]
        more = len(ending.failed) - len(shown)
        messages = {f"{node.kind} {node.name}": node.message[:2000] for node in ending.failed[:20]}
        raise failure(
            "dbt",
            f"{len(ending.failed)} of {ending.node_count} nodes did not pass: {', '.join(shown)}"
            + (f" and {more} more" if more > 0 else ""),
            metadata=messages,
        )
    if ending.node_count == 0:
        raise failure("dbt", "nothing was built, the selection matches no node")


def root_cause(error: Exception) -> Exception:
    """The transient cause inside dbt's own exception, else the exception."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, Exception) and is_transient(inner):
            return inner
        inner = inner.__cause__ or inner.__context__
    return error


def lease_key(run_id: str) -> int:
    """Second half of the advisory lock of a run: 31 bits of its id's hash."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:4], "big") & 0x7FFFFFFF


class RunLease(dg.ConfigurableResource):
    """An advisory lock held while a run worker lives.

    Dagster's default launcher can not tell whether a worker lives. This lock can: it goes with the connection, however
    the worker, its container or its host ended. `orchestration.defs.reaper` asks for it.
    """

    dsn: str

    @contextmanager
    def held(self, run_id: str) -> Iterator[None]:
        """Hold the lease of a run. Raises psycopg.OperationalError when the warehouse is away."""
        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=10, application_name="run lease") as opened:
            opened.execute("select pg_advisory_lock(%s, %s)", (_LEASE_SPACE, lease_key(run_id)))
            yield

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunLease"]:
        """Hold the lease for as long as the run's resources live."""
        if context.run is None:  # nothing runs: somebody only looks at the resources
            yield self
            return
        with self.held(context.run.run_id):
            yield self


def is_leased(connection: psycopg.Connection, run_id: str) -> bool:
    """True while a worker holds the lease of the run. Leaves no lock behind."""
    key = (_LEASE_SPACE, lease_key(run_id))
    taken = connection.execute("select pg_try_advisory_lock(%s, %s)", key).fetchone()
    if taken and taken[0]:
        connection.execute("select pg_advisory_unlock(%s, %s)", key)
        return False
    return True


def from_environment() -> dict[str, Any]:
    """The resources as the processes get them: by environment variable, resolved when a run starts."""
    return {
        "loading": Loading(dsn=dg.EnvVar("LOADER_DSN")),
        "learning": Learning(dsn=dg.EnvVar("LEARNER_DSN")),
        "transforming": Transforming(
            host=dg.EnvVar("DBT_HOST"),
            port=dg.EnvVar("DBT_PORT"),
            database=dg.EnvVar("DBT_DATABASE"),
            user=dg.EnvVar("DBT_USER"),
            password=dg.EnvVar("DBT_ENV_SECRET_PASSWORD"),
        ),
        "dbt": FastDbt(),
        "lease": RunLease(dsn=dg.EnvVar("LOADER_DSN")),
    }
