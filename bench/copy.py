"""A copy of the running demo that may be loaded, written to and thrown away: nothing of the demo itself is touched.

The whole database server as it is now (`pg_basebackup`: rows, indexes, statistics of the planner, roles) behind a port
of its own, an empty cache, and services of the same code, asked directly and not through the front door. The demo goes
on beside it, idle but for its hourly pipeline, and whoever measures runs on the same machine.
"""

import csv
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.bootstrap import PEOPLE
from local.postgres import Postgres, binaries, free_port, service_account
from local.processes import spawn, stop_group
from local.services import services
from local.state import ROOT, Environment, State
from local.valkey import Valkey

UNLIMITED = {"API_REQUESTS_PER_MINUTE": "1000000"}  # a few sessions here stand for many people


@dataclass(frozen=True)
class Served:
    """A service of ours that answers: where, and its process."""

    address: str
    pid: int


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, and the header that shows it."""

    email: str
    cookie: str


@dataclass(frozen=True)
class Copy:
    """The copied database and a cache; services are started on top of them."""

    folder: Path
    environment: Environment
    postgres: Postgres

    @contextmanager
    def serve(self, name: str, settings: Mapping[str, str | None]) -> Iterator[Served]:
        """One of the demo's services, on a port of its own, with these variables more, or with None without them."""
        port = {f"{name.upper()}_PORT": str(free_port())}
        environment = Environment(self.environment.state, {**self.environment.chosen, **port})
        service = next(one for one in services(environment) if one.name == name)
        log = self.folder / f"{name}.log"
        variables = {**environment.for_processes(), **settings}
        child = spawn(
            service.argv, env={key: value for key, value in variables.items() if value is not None}, log=log, cwd=ROOT
        )
        try:
            deadline = time.monotonic() + service.ready_within_seconds
            while not service.is_up():
                if child.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.2)
            yield Served(service.address, child.pid)
        finally:
            stop_group(child.pid, reap=child)

    def sign_in(self, api: Served, count: int) -> list[Person]:
        """So many browsers at once, of the demo's CSMs in turn, signed in by their password."""
        with PEOPLE.open(newline="", encoding="utf-8") as rows:
            emails = [row["email"] for row in csv.DictReader(rows) if row["role"] == "csm"]
        people = []
        for number in range(count):
            email = emails[number % len(emails)]
            known = {"email": email, "password": self.environment.chosen["DEMO_PASSWORD"]}
            answer = httpx.post(f"{api.address}/session", json=known, timeout=30)
            answer.raise_for_status()
            people.append(Person(email, "; ".join(f"{key}={value}" for key, value in answer.cookies.items())))
        return people


def _copy_of(demo: Environment, folder: Path) -> None:
    """The demo's server as it is now, into `folder`/data, for the account that runs servers."""
    account = service_account()
    folder.mkdir()
    if account:
        os.chown(folder, account.uid, account.gid)
    at = ["--host=127.0.0.1", f"--port={demo.port('POSTGRES_PORT')}", "--username=postgres"]
    into = [f"--pgdata={folder / 'data'}", "--checkpoint=fast", "--no-sync"]
    subprocess.run(
        [binaries(account) / "pg_basebackup", *at, *into],
        cwd="/", check=True,
        env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": demo.chosen["POSTGRES_PASSWORD"]},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )  # fmt: skip


@contextmanager
def of_the_demo(**settings: str) -> Iterator[Copy]:
    """A copy of the running demo, its server started with these settings more. It is gone at the end."""
    demo = Environment.existing(State.default())
    if demo is None:
        raise SystemExit("Nothing to copy: make demo DETACH=1 first.")
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # as root, the servers run as another account
        _copy_of(demo, folder / "postgres")
        ports = {"POSTGRES_PORT": str(free_port()), "REDIS_PORT": str(free_port())}
        environment = Environment(demo.state, {**demo.chosen, **ports})
        postgres = Postgres(
            folder / "postgres", environment.port("POSTGRES_PORT"), demo.chosen["POSTGRES_PASSWORD"], settings
        )
        valkey = Valkey(folder / "valkey", environment.port("REDIS_PORT"), demo.chosen["REDIS_PASSWORD"])
        try:
            postgres.start()
            valkey.start()
            yield Copy(folder, environment, postgres)
        finally:
            valkey.stop()
            postgres.stop()
