"""Starting: what stands in the way is named, what was left behind is ended, nothing of a stranger's is touched."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.postgres import free_port
from local.processes import is_alive, spawn, start_ticks, stop_group
from local.services import Service
from local.state import PORTS, ROOT, Environment, State, StateBroken
from local.supervisor import AlreadyRunning, StartFailed, Supervisor, end_leftovers, refuse_taken_ports, take_lock

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """An empty state folder whose ports are all free."""
    for name in PORTS:
        monkeypatch.setenv(name, str(free_port()))
    return State(tmp_path / "state")


def test_a_taken_port_is_named_with_the_way_out(state: State) -> None:
    environment = Environment.establish(state)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", environment.port("STREAMLIT_PORT")))
        stranger.listen()

        with pytest.raises(StartFailed, match=r"\(Streamlit\) is taken by another program.*make demo STREAMLIT_PORT="):
            refuse_taken_ports(environment)


def test_a_port_that_is_no_number_is_refused_with_a_sentence(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "eighty")
    environment = Environment.establish(state)

    with pytest.raises(StateBroken, match="API_PORT=eighty is not a port"):
        refuse_taken_ports(environment)


def test_only_one_supervisor_holds_a_state_folder(state: State) -> None:
    held = take_lock(state)

    with pytest.raises(AlreadyRunning):
        take_lock(state)

    held.close()
    take_lock(state).close()


def test_secrets_and_ports_stay_the_same_from_start_to_start(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Environment.establish(state)
    for name in PORTS:
        monkeypatch.delenv(name)

    second = Environment.establish(state)

    assert second.variables == first.variables
    assert state.env_file.stat().st_mode & 0o777 == 0o600


def test_what_the_demo_sends_goes_to_the_simulated_mailbox_and_nowhere_else(state: State) -> None:
    environment = Environment.establish(state)
    told = environment.variables

    assert (told["SMTP_HOST"], told["SMTP_PORT"]) == ("127.0.0.1", str(environment.port("SIMULATOR_SMTP_PORT")))
    assert told["NOTIFY_WEBHOOK_URL"].startswith(f"http://localhost:{environment.port('SIMULATOR_MAILBOX_PORT')}/")


def test_a_port_that_an_older_start_did_not_know_has_its_usual_number(state: State) -> None:
    Environment.establish(state)
    kept = state.env_file.read_text().splitlines()
    state.env_file.write_text("\n".join(line for line in kept if not line.startswith("SIMULATOR_MAILBOX_PORT=")))

    existing = Environment.existing(state)

    assert existing is not None
    assert existing.port("SIMULATOR_MAILBOX_PORT") == PORTS["SIMULATOR_MAILBOX_PORT"][0]


def test_what_an_unclean_stop_left_behind_is_ended(state: State) -> None:
    left = spawn(SLEEPER, env=dict(os.environ), log=state.logs / "left.log")
    recorded = {"name": "left", "pid": left.pid, "ticks": start_ticks(left.pid)}
    state.write_json(state.services_file, {"processes": [recorded]})
    said: list[str] = []

    end_leftovers(state, said.append, grace_seconds=0.5)  # ours is the parent here, so a zombie stays until we wait

    assert left.wait(timeout=5) != 0
    assert "left" in said[0]


def test_a_stranger_with_a_recycled_process_number_is_left_alone(state: State) -> None:
    stranger = spawn(SLEEPER, env=dict(os.environ), log=state.logs / "stranger.log")
    recorded = {"name": "left", "pid": stranger.pid, "ticks": (start_ticks(stranger.pid) or 0) - 1}
    state.write_json(state.services_file, {"processes": [recorded]})

    end_leftovers(state, lambda _: None)

    assert stranger.poll() is None
    stop_group(stranger.pid, reap=stranger)


def test_a_services_file_cut_off_by_a_crash_does_not_stop_the_next_start(state: State) -> None:
    state.run.mkdir(parents=True)
    state.services_file.write_text(json.dumps({"processes": []})[:-4])

    end_leftovers(state, lambda _: None)

    assert not state.services_file.exists()


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, time\n"
        "from local.processes import spawn\n"
        "argv = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "child = spawn(argv, env=dict(os.environ), log=pathlib.Path(sys.argv[1]))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        parent.kill()

    for _ in range(100):
        if not is_alive(grandchild):
            break
        os.sched_yield()
        subprocess.run(["sleep", "0.05"], check=True)
    assert not is_alive(grandchild)


@pytest.mark.parametrize(
    ("then", "told"),
    [("time.sleep(60)", "hanging did not answer within 3 s"), ("sys.exit(3)", "hanging ended with exit 3")],
)
def test_a_service_that_does_not_come_up_is_told_with_the_end_of_its_log(state: State, then: str, told: str) -> None:
    program = f"import sys, time; print('still importing', flush=True); {then}"
    hanging = Service("hanging", (sys.executable, "-c", program), "no port", (), lambda: False, 3.0)
    supervisor = Supervisor(state, Environment.establish(state), lambda _: None)
    supervisor.services = [hanging]

    try:
        with pytest.raises(StartFailed, match=rf"{told}(.|\n)*still importing"):
            supervisor._start_services()
    finally:
        supervisor.stop()
