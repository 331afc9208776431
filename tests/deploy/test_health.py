"""Health checks tell a working service from one that is merely there."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from deploy import health
from tests.conftest import Warehouse

ROOT = Path(__file__).resolve().parents[2]


class Answers(BaseHTTPRequestHandler):
    """Well at /app/_stcore/health for who names the public host, absent elsewhere."""

    def do_GET(self) -> None:
        is_well = self.path == "/app/_stcore/health" and self.headers["Host"] == "accounts.example.com"
        self.send_response(200 if is_well else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return


@pytest.fixture
def port() -> Iterator[int]:
    """A web server as above."""
    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def asked(service: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.health", service], cwd=ROOT, env={"PATH": os.environ["PATH"], **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_pages_are_asked_by_the_path_and_host_that_browsers_use(port: int) -> None:
    well = asked("streamlit", STREAMLIT_PORT=str(port), STREAMLIT_URL="https://accounts.example.com/app")
    elsewhere = asked("streamlit", STREAMLIT_PORT=str(port), STREAMLIT_URL="https://accounts.example.com")

    assert (well.returncode, well.stderr) == (0, "")
    assert (elsewhere.returncode, elsewhere.stderr.strip()) == (1, f"/_stcore/health on port {port} answers 404")


def test_a_port_that_nobody_listens_on_is_told() -> None:
    silent = asked("api", API_PORT="1")

    assert silent.returncode == 1
    assert "port 1 does not answer" in silent.stderr


def test_a_check_costs_little(port: int) -> None:
    counted = """import sys, deploy.health
heavy = {"psycopg", "grpc", "pydantic", "sqlalchemy", "dagster", "httpx"}
print(len(heavy & {name.partition(".")[0] for name in sys.modules}))"""
    loaded = subprocess.run([sys.executable, "-c", counted], cwd=ROOT, capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "0"


@pytest.mark.parametrize(("age", "trouble"), [(30, None), (600, "no heartbeat of SENSOR")])
def test_a_daemon_without_heartbeat_is_not_well(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, age: int, trouble: str | None
) -> None:
    with psycopg.connect(warehouse.admin_dsn) as db:
        db.execute("create table daemon_heartbeats (daemon_type text, daemon_id text, timestamp timestamp)")
        for name, seconds in (("SCHEDULER", 5), ("QUEUED_RUN_COORDINATOR", 5), ("SENSOR", age)):
            db.execute(
                "insert into daemon_heartbeats values (%s, 'x', now() at time zone 'UTC' - make_interval(secs => %s))",
                (name, seconds),
            )
    monkeypatch.setenv("DAGSTER_PG_URL", warehouse.admin_dsn.replace("postgresql://", "postgresql+psycopg2://"))

    assert health.problem("dagster-daemon") == trouble


def test_without_a_recent_backup_the_backup_service_is_not_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_FOLDER", str(tmp_path))
    assert health.problem("backup") == "there is no backup yet"

    manifest = tmp_path / "20261122T024000Z" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{}")
    assert health.problem("backup") is None

    yesterday = manifest.stat().st_mtime - 27 * 3600
    os.utime(manifest, (yesterday, yesterday))
    assert health.problem("backup") == "the newest backup is 27 hours old"
