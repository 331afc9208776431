"""The command that starts a job and watches it, against the real webserver, daemon and code server over PostgreSQL."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from local.postgres import Postgres, free_port
from orchestration.progress import FINISHED
from orchestration.webserver import Orchestrator
from tests.conftest import Warehouse, drop_database
from tests.door.conftest import IN_PAGE, front_door, witness
from tests.orchestration import small

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "orchestration"
SWITCH = """mutation Switch($place: ScheduleSelector!) { startSchedule(scheduleSelector: $place) {
  ... on ScheduleStateResult { scheduleState { id status } } } }"""
SWITCH_OFF = "mutation Off($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
TICKED = """{ runsOrError(filter: {tags: [{key: "dagster/schedule_name", value: "minutely"}]}) {
  ... on Runs { results { runId status } } } }"""
SENTENCE = "Desk refuses the token (401); set DESK_TOKEN and run again."


@dataclass
class Stack:
    """A running orchestrator over the small graph."""

    url: str
    environment: dict[str, str]
    world: Path
    warehouse: Warehouse

    def launch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command as a person types it."""
        return subprocess.run(
            [sys.executable, "-m", "orchestration.launch", *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def stack(
    postgres_server: Postgres, warehouse: Warehouse, parsed_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Code server, webserver and daemon with the room's own dagster.yaml, started as the launcher does."""
    home = tmp_path_factory.mktemp("dagster_home")
    database = f"dagster_{os.getpid()}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    small.make_tables(warehouse)
    code_port, web_port = free_port(), free_port()
    shutil.copy(ROOM / "dagster.yaml", home / "dagster.yaml")
    (home / "workspace.yaml").write_text((ROOM / "workspace.yaml").read_text().replace("4266", str(code_port)))
    world = home / "world"
    world.write_text("")
    url = f"http://127.0.0.1:{web_port}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "DAGSTER_HOME": str(home),
        "DAGSTER_PG_URL": postgres_server.dsn(database).replace("postgresql://", "postgresql+psycopg2://"),
        "DAGSTER_URL": url,
        "DAGSTER_DISABLE_TELEMETRY": "1",
        **small.environment(warehouse, parsed_project),
        "SMALL_WORLD": str(world),
    }
    workspace = str(home / "workspace.yaml")
    migrate = ["dagster", "instance", "migrate"]
    code = ["dagster", "code-server", "start", "-m", "tests.orchestration.served", "-h", "127.0.0.1", "-p"]
    web = ["dagster_webserver", "-w", workspace, "-h", "127.0.0.1", "-p"]
    daemon = ["dagster._daemon", "run", "-w", workspace]
    log = (home / "log").open("w")

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *arguments]
        return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)

    assert start(*migrate).wait(timeout=60) == 0
    running = [start(*code, str(code_port)), start(*web, str(web_port)), start(*daemon)]
    yield Stack(url, environment, world, warehouse)
    for one in reversed(running):
        os.killpg(one.pid, 15)
    for one in running:
        try:
            one.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(one.pid, 9)
            one.wait()
    log.close()
    drop_database(postgres_server, database)


def run_id_of(output: str) -> str:
    return output.split("run ", 1)[1].split(":", 1)[0]


def test_a_run_shows_its_progress_fails_with_a_sentence_and_goes_on_where_it_failed(stack: Stack) -> None:
    stack.world.write_text(f"users: {SENTENCE}\n")

    failed = stack.launch("incremental", "--wait")
    stack.world.write_text("")
    resumed = stack.launch("incremental", "--wait", "--from-failure", run_id_of(failed.stdout))

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "raw_crm 1/1  companies  2 rows" in failed.stdout
    assert f"  load_desk: load_desk: users: {SENTENCE}" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "load_crm" not in resumed.stdout
    assert "raw_desk 2/2" in resumed.stdout
    assert "done  dbt in" in resumed.stdout
    assert "marts 5/5" in resumed.stdout.splitlines()[-1]
    assert "\x1b[" not in resumed.stdout  # no control characters into a log


def test_a_job_that_does_not_exist_and_an_orchestrator_that_is_away_are_sentences(stack: Stack) -> None:
    unknown = stack.launch("weekly", "--patience", "0")
    away = stack.launch("incremental", "--url", "http://127.0.0.1:1", "--patience", "0")

    assert (unknown.returncode, away.returncode) == (2, 2)
    assert "There is no job called weekly; known jobs: incremental, message." in unknown.stdout
    assert "does not answer" in away.stdout


def test_a_run_by_hand_beside_the_tick_of_a_schedule_takes_turns_with_it_and_a_message_waits_for_none(
    stack: Stack, tmp_path: Path
) -> None:
    """By hand through the front door, whose gate lets an admin pass; the schedule passes no door."""
    admin = {"X-Auth-User": "1", "X-Auth-Role": "admin", "X-Auth-Recent": "yes"}
    with (
        witness(status=204, headers=admin) as gate,
        front_door(tmp_path, API=gate.address, DAGSTER=stack.url.removeprefix("http://")) as door,
        httpx.Client(base_url=stack.url, timeout=30) as inside,
        httpx.Client(base_url=door.orchestrator, headers={**IN_PAGE, "origin": door.orchestrator}, timeout=30) as page,
    ):
        orchestrator, by_hand = Orchestrator(inside), Orchestrator(page)
        job = orchestrator.find_when_loaded("incremental", patience_seconds=60)
        place = {
            "repositoryName": job.repository,
            "repositoryLocationName": job.location,
            "scheduleName": "minutely",
        }

        def ticked() -> list[dict[str, str]]:
            return inside.post("/graphql", json={"query": TICKED}).json()["data"]["runsOrError"]["results"]

        stack.world.write_text("hold\n")
        switched = inside.post("/graphql", json={"query": SWITCH, "variables": {"place": place}}).json()
        schedule = switched["data"]["startSchedule"]["scheduleState"]
        try:
            wait_for(lambda: any(run["status"] == "STARTED" for run in ticked()))
            manual = by_hand.launch(job)
            wait_for(lambda: orchestrator.status(manual) == "QUEUED")
            message = stack.launch("message", "--wait")
            waiting = [*(run["status"] for run in ticked()), orchestrator.status(manual)]
        finally:
            inside.post("/graphql", json={"query": SWITCH_OFF, "variables": {"id": schedule["id"]}})
            stack.world.write_text("")
        wait_for(lambda: orchestrator.status(manual) in FINISHED)
        [scheduled] = ticked()

        assert message.returncode == 0, message.stdout + message.stderr
        assert waiting == ["STARTED", "QUEUED"]
        assert (scheduled["status"], orchestrator.status(manual)) == ("SUCCESS", "SUCCESS")
        assert len(gate.seen) == 1, "only the launch by hand was asked who it is"
    with psycopg.connect(stack.warehouse.admin_dsn) as db:
        newest = db.execute("select dagster_run_id from marts.publications order by build_id desc limit 2").fetchall()
        accounts = db.execute("select account_key, account_name from marts.dim_accounts order by 1").fetchall()
        tickets = db.execute("select ticket_id, account_key, age_days from marts.fct_tickets order by 1").fetchall()
    assert newest == [(manual,), (scheduled["runId"],)]
    assert accounts == [("a", "Ada"), ("b", None)]
    assert tickets == [("1", "a", 3), ("2", "b", 400)]


def wait_for(happened: Callable[[], bool], *, seconds: float = 120) -> None:
    """Look every half second until it has happened."""
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.5)
