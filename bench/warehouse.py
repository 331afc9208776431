"""The warehouse at sizes nobody has on a desk: a full refresh, a day of changes, memory, and what a page reads.

A server of its own with the demo's settings but for durability, whose data is thrown away; nothing of a running demo
is touched. dbt runs as a process, and the seconds are dbt's own, without the start of Python. The full refresh stands
beside the same tables made by one script: every model's SQL in order, by one connection, with nothing between.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine, event, text

from app.marts import accounts, health, money, people, risk, support, timeline, usage
from app.migrations.run import upgrade
from bench import estate, explore
from bench.report import Figure, percentile
from extract import schema
from local.postgres import VOLATILE, Postgres, free_port
from local.state import ROOT
from local.warehouse import WarehouseRoles, prepare
from orchestration import columnar
from orchestration.columnar import Copied
from orchestration.publishing import publish

SIZES = {"S": 600, "M": 10_000, "L": 100_000}
CHANGED = 3_000  # accounts that a day changes, at every size that has as many
INCREMENTAL_PROMISE_SECONDS = 60
SCRIPT_PROMISE_RATIO = 1.3
COPY_PROMISE_SECONDS = 30
READ_PROMISE_MS = 50.0
READ_ACCOUNTS = 20
_MIB, _GIB = 1024**2, 1024**3


@dataclass(frozen=True)
class Built:
    """One dbt run: its seconds, those of each model, and the most memory that dbt and the server held together."""

    seconds: float
    models: dict[str, float]
    peak_bytes: int

    def slowest(self, count: int = 4) -> str:
        """The models that took longest."""
        ranked = sorted(self.models.items(), key=lambda one: -one[1])[:count]
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ranked)


@dataclass(frozen=True)
class Warehouse:
    """A server with raw tables, and a folder for dbt's artefacts."""

    server: Postgres
    folder: Path

    def connect(self) -> psycopg.Connection:
        """The administrator's connection; each statement is its own transaction."""
        return psycopg.connect(self.server.dsn("warehouse"), autocommit=True)

    def day(self) -> tuple[Built, float]:
        """What an hour brings is built and tested, then published; the seconds of that beside it."""
        built = self.dbt("build", "--exclude-resource-type", "unit_test", "--exclude", "tag:nightly")
        return built, self.publish()

    def publish(self) -> float:
        """Seconds of a publication."""
        began = time.perf_counter()
        with psycopg.connect(self.dsn("transformer")) as db:
            publish(db, dbt_invocation_id=None, dagster_run_id=None)
        return time.perf_counter() - began

    @property
    def copies(self) -> Path:
        """Where its columnar copies lie."""
        return self.folder / "columnar"

    def copy(self) -> tuple[float, Copied]:
        """Seconds of a columnar copy of what is published, and what it took."""
        began = time.perf_counter()
        copied = columnar.write(self.dsn("transformer"), self.copies)
        assert copied
        return time.perf_counter() - began, copied

    def dsn(self, role: str) -> str:
        """The address of the warehouse for one of its roles."""
        return f"postgresql://{role}:{self.server.password}@127.0.0.1:{self.server.port}/warehouse"

    def dbt(self, *arguments: str) -> Built:
        """One dbt command. Raises SystemExit with what it said when it fails."""
        settings = {
            "DBT_HOST": "127.0.0.1",
            "DBT_PORT": str(self.server.port),
            "DBT_DATABASE": "warehouse",
            "DBT_USER": "transformer",
            "DBT_ENV_SECRET_PASSWORD": self.server.password,
            "DBT_PROJECT_DIR": str(ROOT / "dbt"),
            "DBT_PROFILES_DIR": str(ROOT / "dbt"),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }
        command = [str(Path(sys.executable).with_name("dbt")), *arguments, "--no-use-colors"]
        said = self.folder / "said"
        with said.open("w") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=output)
            peak = 0
            while process.poll() is None:
                peak = max(peak, sum(map(_own_bytes, [process.pid, *self._server_processes()])))
                time.sleep(0.5)
        if process.returncode:
            raise SystemExit(said.read_text()[-4000:])
        told = json.loads((self.folder / "target" / "run_results.json").read_text())
        models = {one["unique_id"].split(".")[-1]: one["execution_time"] for one in told["results"]}
        return Built(told["elapsed_time"], models, peak)

    def _server_processes(self) -> list[int]:
        main = int((self.server.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]


def _own_bytes(pid: int) -> int:
    """What a process holds, its share of shared pages counted once; nothing of one that ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


@contextmanager
def _warehouse() -> Iterator[Warehouse]:
    password = secrets.token_hex(12)
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # as root, the server runs as another account
        settings = {**VOLATILE, "wal_level": "minimal", "max_wal_senders": "0"}
        server = Postgres(folder / "postgres", free_port(), password, settings)
        server.start()
        try:
            prepare(server.dsn(), database="warehouse", roles=WarehouseRoles.same(password))
            at = f"{password}@127.0.0.1:{server.port}/warehouse"
            with psycopg.connect(f"postgresql://loader:{at}", autocommit=True) as loader:
                schema.ensure(loader)
            upgrade(f"postgresql+psycopg://application:{at}")
            yield Warehouse(server, folder)
        finally:
            server.stop()


def _script(warehouse: Warehouse) -> float:
    """Seconds that one script takes for the tables of the last full refresh, made once more beside them."""
    manifest = json.loads((warehouse.folder / "target" / "manifest.json").read_text())
    results = json.loads((warehouse.folder / "target" / "run_results.json").read_text())["results"]
    with warehouse.connect() as db:
        db.execute("create schema script")
        began = time.perf_counter()
        for result in results:  # in the order in which dbt ended them, so what one reads is there before it
            model = manifest["nodes"].get(result["unique_id"])
            if model is None or model["resource_type"] != "model" or model["config"]["materialized"] == "view":
                continue
            table = f"script.{model['name']}"
            db.execute(f"create table {table} as {result['compiled_code']}".encode())
            for index in model["config"].get("indexes") or []:
                db.execute(f"create index on {table} ({', '.join(index['columns'])})".encode())
            db.execute(f"analyze {table}".encode())
        seconds = time.perf_counter() - began
        db.execute("drop schema script cascade")
    return seconds


Reader = Callable[[Connection, str, date], Any]
_READERS: dict[str, Reader] = {
    "one account": lambda db, key, day: accounts.account(db, key, today=day),
    "health of half a year": lambda db, key, day: health.history(db, key, since=day - timedelta(days=180)),
    "health of a day": health.on,
    "risk of half a year": lambda db, key, day: risk.history(db, key, since=day - timedelta(days=180)),
    "use of half a year": lambda db, key, day: usage.daily(db, key, since=day - timedelta(days=180)),
    "timeline": lambda db, key, day: timeline.events(db, key),
    "engagements": lambda db, key, day: timeline.engagements(db, key),
    "contacts": lambda db, key, day: people.contacts(db, key),
    "tickets": lambda db, key, day: support.tickets(db, key),
    "answers": lambda db, key, day: support.nps_responses(db, key),
    "invoices": lambda db, key, day: money.invoices(db, key),
    "portfolio of a CSM": lambda db, key, day: accounts.portfolio(
        db, today=day, owner_emails=["person7@force24.example"]
    ),
    "search of an account": lambda db, key, day: accounts.search(db, f"Account {key[:2]}"),
    "search of a person": lambda db, key, day: people.search(db, f"person2@account{int(key[:3], 16)}"),
}


def _reads(warehouse: Warehouse, size: str) -> list[Figure]:
    """Execution time in the server of what pages ask, each for `READ_ACCOUNTS` accounts."""
    engine = create_engine(warehouse.server.dsn("warehouse").replace("postgresql:", "postgresql+psycopg:"))
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def keep(_db: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    with engine.connect() as db, warehouse.connect() as plain:
        plain.execute("vacuum analyze")
        keys = plain.execute(
            "select account_key, as_of_date from marts.dim_accounts where is_active order by account_key limit %s",
            (READ_ACCOUNTS,),
        ).fetchall()
        figures = []
        for name, reader in _READERS.items():
            times = []
            for key, day in keys:
                asked.clear()
                reader(db, key, day)
                times += [_explained(plain, *one) for one in asked if "marts." in one[0]]
            slow = percentile(times, 0.95)
            figures.append(
                Figure(
                    f"{size}, page query: {name}",
                    f"p95 {slow:.1f} ms",
                    f"{READ_PROMISE_MS:.0f} ms",
                    slow / READ_PROMISE_MS,
                )
            )
    engine.dispose()
    return figures


def _explored(warehouse: Warehouse, size: str) -> list[Figure]:
    """Clicks of an analyst, and what the pages' queries take meanwhile, as who waits for them sees it."""
    application = warehouse.dsn("application")
    desk = explore.Desk.at(analyst=warehouse.dsn("analyst"), application=application, copies=warehouse.copies)
    engine = create_engine(application.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as db:
        keys = db.execute(
            text("select account_key, as_of_date from marts.dim_accounts where is_active order by 1 limit :most"),
            {"most": READ_ACCOUNTS},
        ).all()

        def pages() -> list[float]:
            return [_waited(reader, db, *key) for key in keys for reader in _READERS.values()]

        pages()  # the driver prepares a statement that it has seen five times
        figures = [explore.clicks(desk, f"{size}: "), explore.beside(desk, f"{size}: ", pages)]
    engine.dispose()
    return figures


def _waited(reader: Reader, db: Connection, key: str, day: date) -> float:
    """Milliseconds until the rows are there."""
    began = time.perf_counter()
    reader(db, key, day)
    return 1000 * (time.perf_counter() - began)


def _explained(db: psycopg.Connection, statement: str, parameters: Any) -> float:
    """Milliseconds of execution in the server."""
    with psycopg.ClientCursor(db) as cursor:
        row = cursor.execute(f"explain (analyze, timing off, format json) {statement}".encode(), parameters).fetchone()
    assert row
    return row[0][0]["Execution Time"]


def _size(size: str) -> list[Figure]:
    count = SIZES[size]
    with _warehouse() as warehouse:
        with warehouse.connect() as db:
            events = estate.fill(db, count)
            db.execute("vacuum analyze")
            warehouse.dbt("seed")
            whole = warehouse.dbt("run", "--full-refresh")
            scripted = _script(warehouse)
            warehouse.publish()
            copied_whole, whole_copy = warehouse.copy()
            day = estate.FIRST_DAY + timedelta(days=estate.DAYS)
            changed = min(CHANGED, count)
            estate.next_day(db, day, changed=changed, first_id=events + 1)
        daily, published = warehouse.day()
        copied, copy = warehouse.copy()
        quiet, published_quietly = warehouse.day()
        warehouse.copy()
        title = f"{size}, {count:,} accounts, {events / 1e6:.1f} million events"
        print(f"{title}\nwhole: {whole.slowest(12)}\nday: {daily.slowest(12)}\nquiet: {quiet.slowest(12)}", flush=True)
        ratio = whole.seconds / scripted
        return [
            Figure(
                f"{title}: full refresh", f"{whole.seconds:.0f} s, the same by one script {scripted:.0f} s",
                f"{SCRIPT_PROMISE_RATIO} times", ratio / SCRIPT_PROMISE_RATIO,
            ),
            Figure(
                f"{size}: incremental build with its tests, a day that changed {changed:,} accounts",
                f"{daily.seconds:.1f} s ({daily.slowest(3)}), then {published:.1f} s to publish",
                f"{INCREMENTAL_PROMISE_SECONDS} s", (daily.seconds + published) / INCREMENTAL_PROMISE_SECONDS,
            ),
            Figure(
                f"{size}: incremental build without news",
                f"{quiet.seconds:.1f} s, then {published_quietly:.1f} s to publish",
                f"{INCREMENTAL_PROMISE_SECONDS} s", (quiet.seconds + published_quietly) / INCREMENTAL_PROMISE_SECONDS,
            ),
            Figure(
                f"{size}: most memory of server and dbt",
                f"full {whole.peak_bytes / _GIB:.1f} GiB, incremental {daily.peak_bytes / _GIB:.1f} GiB", "8 GiB",
                whole.peak_bytes / (8 * _GIB),
            ),
            Figure(
                f"{size}: columnar copy, {whole_copy.row_count / 1e6:.1f} million rows",
                f"whole {copied_whole:.0f} s, {whole_copy.size_bytes / _MIB:.0f} MiB; after a day {copied:.1f} s, "
                f"{copy.row_count / 1e6:.1f} million rows",
                f"{COPY_PROMISE_SECONDS} s after a day", copied / COPY_PROMISE_SECONDS,
            ),
            *_reads(warehouse, size),
            *_explored(warehouse, size),
        ]  # fmt: skip


def measure() -> list[Figure]:
    """The sizes named in BENCH_SIZES, S and M unless told; L wants 150 GB of disk and an evening."""
    return [figure for size in os.environ.get("BENCH_SIZES", "S,M").split(",") for figure in _size(size)]
