"""Starting, looking, stopping: what the README's commands do on a running system."""

import socket
from pathlib import Path

from tests.e2e.conftest import System, launcher, small_estate

SERVICES = [
    "postgres", "redis", "simulator", "dagster-code", "dagster", "dagster-readonly", "dagster-daemon", "api",
    "streamlit", "front",
]  # fmt: skip


def test_status_prints_one_line_per_service_and_ends_well_when_all_are_up(system: System) -> None:
    shown = system.local("status")

    lines = [line.split() for line in shown.stdout.splitlines()]
    assert [line[0] for line in lines] == SERVICES
    assert {line[-1] for line in lines} == {"up"}


def test_a_second_start_says_that_it_runs_and_where(system: System) -> None:
    again = system.local("up", "--detach")

    assert "already running" in again.stdout
    assert system.url in again.stdout


def test_sql_prints_bare_rows_and_a_wrong_query_says_why(system: System) -> None:
    assert system.sql("select 1, null, 'a b'") == [["1", "", "a b"]]

    wrong = system.local("sql", "select nonsense", check=False)

    assert wrong.returncode == 1
    assert 'column "nonsense" does not exist' in wrong.stderr


def test_a_port_taken_by_a_stranger_stops_the_start_with_the_way_out(tmp_path: Path) -> None:
    ports = small_estate()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", int(ports["STREAMLIT_PORT"])))
        stranger.listen()

        refused = launcher(tmp_path / "state", ports, "up", "--detach", check=False)

    assert refused.returncode == 1
    assert f"Port {ports['STREAMLIT_PORT']} (Streamlit) is taken by another program" in refused.stdout
    assert launcher(tmp_path / "state", {}, "status", check=False).returncode == 1
