"""The small graph of the tests: sources that answer as a test says, and the job over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from extract.errors import ExtractError
from extract.run import LoadResult
from extract.stream import Source, Stream, Table
from orchestration import manifest, resources
from orchestration.defs import feedback, learn, load, publish, transform
from tests.conftest import Warehouse

SOURCE_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _stream(schema: str, name: str) -> Stream:
    return Stream(name=name, table=Table(schema, name), incremental=lambda run: iter(()))


def _closed() -> Any:
    raise AssertionError("a small source is never opened")


CRM = Source("crm", "CRM", {"companies": _stream("raw_crm", "companies")}, open=_closed)
DESK = Source(
    "desk",
    "Desk",
    {"tickets": _stream("raw_desk", "tickets"), "users": _stream("raw_desk", "users")},
    open=_closed,
)
SOURCES = {"crm": CRM, "desk": DESK}


@dataclass
class World:
    """Stands in for `extract.run.run_source`. `answers` maps a stream to the errors of its next attempts."""

    answers: dict[str, list[Exception]] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)

    def run_source(
        self,
        source: str,
        *,
        streams: Sequence[str] | None = None,
        kind: str = "incremental",
        dsn: str | None = None,
        on_stream: Callable[[str, LoadResult | ExtractError], None] | None = None,
    ) -> list[LoadResult]:
        """As the real one: every stream is tried, the first error is raised at the end."""
        assert dsn
        first: Exception | None = None
        for stream in streams or SOURCES[source].streams:
            self.calls.append((source, stream, kind))
            waiting = self.answers.get(stream)
            error = waiting.pop(0) if waiting else None
            if error is not None and not isinstance(error, ExtractError):
                raise error
            outcome = error or result(source, stream, kind)
            if on_stream:
                on_stream(stream, outcome)
            first = first or error
        if first:
            raise first
        return []


def result(source: str, stream: str, kind: str) -> LoadResult:
    """A load of three records, two of them new."""
    return LoadResult(
        source=source, stream=stream, kind=kind, load_id=1, status="succeeded", read=3, inserted=2, updated=0,  # pyright: ignore[reportArgumentType]
        unchanged=1, stale=0, quarantined=0, chunks=1, requests=2, seconds=0.5, source_now=SOURCE_NOW,
    )  # fmt: skip


def environment(warehouse: Warehouse, project: Path) -> dict[str, str]:
    """What the processes of a run are told."""
    return {
        "DBT_PROJECT_DIR": str(project),
        "DBT_TARGET_PATH": str(project / "target"),
        "DBT_HOST": "127.0.0.1",
        "DBT_PORT": str(warehouse.port),
        "DBT_DATABASE": warehouse.database,
        "DBT_USER": "transformer",
        "DBT_ENV_SECRET_PASSWORD": warehouse.transformer_password,
        "LOADER_DSN": warehouse.loader_dsn,
        "LEARNER_DSN": warehouse.learner_dsn,
        "APP_DATABASE_URL": warehouse.application_url,
        "DO_NOT_TRACK": "1",
    }


def make_tables(warehouse: Warehouse) -> None:
    """Raw tables of the two sources with two accounts and two tickets, the loads' books, and an application table.

    What an earlier test left is dropped first.
    """
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("drop schema if exists raw_crm, raw_desk cascade")
        db.execute("drop table if exists ops.load_run, app.actions cascade")
        for mart in ("ticket_ages", "fct_risk", "fct_tickets", "dim_accounts"):
            db.execute(f"drop table if exists marts.{mart}, publishing.{mart}")
        db.execute("drop table if exists marts_next.fct_risk, marts_next.fct_tickets, marts_next.dim_accounts cascade")
        db.execute("truncate marts.publications restart identity")
        for schema in ("raw_crm", "raw_desk"):
            db.execute(f"create schema {schema} authorization loader")
            db.execute(f"grant usage on schema {schema} to transformer")
            db.execute(
                f"alter default privileges for role loader in schema {schema} grant select on tables to transformer"
            )
        db.execute("set role loader")
        for table in ("raw_crm.companies", "raw_desk.tickets", "raw_desk.users"):
            db.execute(f"create table {table} (_pk text primary key, payload jsonb not null)")
        db.execute("create table ops.load_run (source_now timestamptz, status text)")
        db.execute("insert into ops.load_run values (%s, 'succeeded')", (SOURCE_NOW,))
        db.execute("""insert into raw_crm.companies values ('a', '{}'), ('b', '{}')""")
        db.execute("""insert into raw_desk.users values ('a', '{"name": "Ada"}')""")
        db.execute("""insert into raw_desk.tickets values ('1', '{"account": "a", "age": 3}')""")
        db.execute("""insert into raw_desk.tickets values ('2', '{"account": "b", "age": 400}')""")
        db.execute("reset role")
        db.execute("set role application")
        db.execute("create table app.actions (account_key text)")


def definitions() -> dg.Definitions:
    """The real steps over the small sources and the small dbt project of the environment."""
    built = transform.definitions()
    keys = [load.key_of(stream) for source in SOURCES.values() for stream in source.streams.values()]
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[load.load_assets(source) for source in SOURCES.values()],
            jobs=[dg.define_asset_job("incremental", executor_def=dg.in_process_executor)],
        ),
        feedback.definitions(keys),
        built,
        learn.definitions(),
        publish.definitions(transform.mart_keys(manifest.load()), transform.stopping_checks(built)),
        dg.Definitions(resources=resources.from_environment(), executor=dg.in_process_executor),
    )


def incremental() -> dg.JobDefinition:
    """The job, made anew from what is on disk: what `reconstructable` asks for."""
    return definitions().resolve_job_def("incremental")


def failures(result: dg.JobExecutionResult) -> dict[str, str]:
    """Failed steps of a run and their sentences."""
    told: dict[str, str] = {}
    for event in result.filter_events(lambda one: one.is_step_failure):
        data = event.step_failure_data.user_failure_data
        told[event.step_key or ""] = (data.description if data else None) or ""
    return told


def run(
    instance: dg.DagsterInstance,
    *,
    after: str | None = None,
    config: dict[str, Any] | None = None,
    only: Sequence[dg.AssetKey] | None = None,
) -> dg.JobExecutionResult:
    """Execute the job in this process; `after` names a failed run to continue, `only` the assets to make."""
    options = dg.ReexecutionOptions.from_failure(after, instance) if after else None
    return dg.execute_job(
        dg.reconstructable(incremental),
        instance=instance,
        reexecution_options=options,
        run_config=config,
        asset_selection=only,
        raise_on_error=False,
    )
