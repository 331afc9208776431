"""The sandbox on a read replica: a streaming standby of the run's own server, where statements are watched too."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.errors import StatementEnded, StatementFailed
from app.sandbox import gate, reach, runner, service
from app.sandbox.runner import Server
from app.sandbox.watchdog import Patience
from app.settings import get_settings
from local.postgres import VOLATILE, Postgres, binaries, free_port, service_account
from tests.app.factories import Estate

SLOW = (
    "select count(*) from dim_accounts, generate_series(1, 30000) as a, generate_series(1, 30000) as b where a * b = -1"
)


@pytest.fixture(scope="module")
def replica(postgres_server: Postgres, estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A standby that streams from the run's server, and waits half a second for who reads what it is to replace."""
    made = Postgres(
        tmp_path_factory.mktemp("replica"),
        free_port(),
        postgres_server.password,
        settings={**VOLATILE, "shared_buffers": "64MB", "max_standby_streaming_delay": "500ms"},
    )
    account = service_account()
    subprocess.run(
        [binaries(account) / "pg_basebackup", "-h", "127.0.0.1", "-p", str(postgres_server.port), "-U", "postgres",
         "-D", made.data, "-X", "stream", "-c", "fast", "-R", "--no-sync"],
        env={**os.environ, "PGPASSWORD": postgres_server.password}, check=True, capture_output=True,
    )  # fmt: skip
    if account:
        for place in (made.folder, *made.folder.rglob("*")):
            shutil.chown(place, account.uid, account.gid)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def on_replica(installed: Estate, replica: Postgres, server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Where an installation runs its statements whose ANALYST_DSN points to the replica."""
    there = make_url(server.dsn).set(port=replica.port)
    monkeypatch.setenv("ANALYST_DSN", there.render_as_string(hide_password=False))
    get_settings.cache_clear()
    follow(installed, replica)
    return service.server()


def follow(estate: Estate, replica: Postgres) -> None:
    """Wait until the replica has what the primary has."""
    # a record of its own, written at once: its end is where the replica must come to
    wanted = estate.one("select pg_logical_emit_message(false, 'follow', '', true)")
    with psycopg.connect(replica.dsn(), autocommit=True) as standby:
        until = time.monotonic() + 10
        while standby.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", [wanted]).fetchone() != (True,):
            assert time.monotonic() < until, "the replica does not follow"
            time.sleep(0.05)


def rows(server: Server, text: str, relations: frozenset[str]) -> list[tuple[Any, ...]]:
    return runner.run(server, gate.checked(text, schema=reach.SCHEMA, relations=relations), {}).rows


def test_statements_are_answered_by_the_replica_and_not_by_the_primary(
    installed: Estate, replica: Postgres, on_replica: Server, relations: frozenset[str]
) -> None:
    asked = "select city from dim_accounts where account_name = 'Cobalt'"
    with psycopg.connect(replica.dsn(), autocommit=True) as standby:
        before = rows(on_replica, asked, relations)
        standby.execute("select pg_wal_replay_pause()")
        installed.transformer.execute("update marts.dim_accounts set city = 'Elsewhere' where account_name = 'Cobalt'")

        still = rows(on_replica, asked, relations)
        standby.execute("select pg_wal_replay_resume()")
        follow(installed, replica)

    assert before == still != [("Elsewhere",)]
    assert rows(on_replica, asked, relations) == [("Elsewhere",)]


def test_a_statement_on_the_replica_is_ended_there_in_time(on_replica: Server, relations: frozenset[str]) -> None:
    with pytest.raises(StatementEnded, match="took longer than 1 s"):
        rows(on_replica, SLOW, relations)


def test_a_table_is_replaced_although_somebody_reads_it_on_the_replica(
    installed: Estate, replica: Postgres, on_replica: Server, relations: frozenset[str]
) -> None:
    patient = replace(on_replica, patience=Patience(cancel_seconds=20, terminate_seconds=22))
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(rows, patient, SLOW, relations)
        with psycopg.connect(replica.dsn(), autocommit=True) as standby:
            until = time.monotonic() + 10
            while not standby.execute(
                "select 1 from pg_stat_activity where usename = 'analyst' and query like 'FETCH%'"
            ).fetchone():
                assert time.monotonic() < until, "the statement does not run on the replica"
                time.sleep(0.05)

        began = time.monotonic()
        with installed.transformer.transaction():
            installed.transformer.execute("lock table marts.dim_accounts in access exclusive mode")
        primary_waited = time.monotonic() - began

        with pytest.raises((StatementFailed, StatementEnded), match="being replaced"):
            reading.result(timeout=15)
    assert primary_waited < 1
    follow(installed, replica)
