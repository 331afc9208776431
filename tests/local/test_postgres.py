"""The embedded server: private folders, crashes, half-made clusters."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from local.postgres import VOLATILE, Postgres, PostgresFailed, free_port

SMALL = {**VOLATILE, "shared_buffers": "32MB"}


@pytest.fixture
def private_folder(tmp_path: Path) -> Path:
    """A folder that only its owner may enter, as a home folder is."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


def test_a_server_starts_below_a_private_folder_and_widens_nobodys_rights(private_folder: Path) -> None:
    server = Postgres(private_folder / "postgres", free_port(), "secret", settings=SMALL)

    server.start()

    try:
        with psycopg.connect(server.dsn()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert private_folder.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()


def test_a_committed_row_outlives_a_killed_server(private_folder: Path) -> None:
    port = free_port()
    server = Postgres(private_folder / "postgres", port, "secret", settings={"shared_buffers": "32MB"})
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("create table kept (value int)")
        connection.execute("insert into kept values (42)")
    assert server.process is not None
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()

    again = Postgres(private_folder / "postgres", port, "secret", settings={"shared_buffers": "32MB"})
    again.start()

    try:
        with psycopg.connect(again.dsn()) as connection:
            assert connection.execute("select value from kept").fetchone() == (42,)
    finally:
        again.stop()


def test_a_cluster_whose_making_was_killed_is_made_again(private_folder: Path) -> None:
    half_made = private_folder / "postgres" / "data"
    half_made.mkdir(parents=True)
    (half_made / "base").mkdir()
    server = Postgres(private_folder / "postgres", free_port(), "secret", settings=SMALL)

    server.start()

    try:
        with psycopg.connect(server.dsn()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_server_that_can_not_start_says_what_its_log_says(private_folder: Path) -> None:
    server = Postgres(private_folder / "postgres", free_port(), "secret", settings={"shared_buffers": "not-a-size"})

    with pytest.raises(PostgresFailed, match="shared_buffers"):
        server.start()
