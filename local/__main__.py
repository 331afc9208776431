"""The demo on one machine: `up [--detach]`, `status`, `stop`, `sql QUERY`, `run PYTHON-ARGUMENTS`."""

import argparse
import os
import signal
import subprocess
import sys
import time
import webbrowser

import psycopg

from local import probes
from local.bootstrap import one_per_role
from local.postgres import PostgresFailed
from local.processes import is_alive
from local.services import services
from local.state import ROOT, Environment, State, StateBroken
from local.supervisor import AlreadyRunning, StartFailed, Supervisor, end_leftovers, take_lock
from local.valkey import ValkeyFailed

_READY = "== ready =="
_NOTHING_YET = "Nothing has been started yet: make demo"


def _say(line: str) -> None:
    print(line, flush=True)


def _welcome(environment: Environment) -> str:
    url = environment.variables
    by_role = one_per_role()
    rows = [
        "",
        "  Work here            " + url["SITE"],
        "  Orchestrator         " + url["ORCHESTRATOR_SITE"] + "   (admins)",
        "  API                  " + url["SITE"] + "/api/docs",
        "  Pages alone          " + url["STREAMLIT_URL"],
        "  Simulated sources    " + url["HUBSPOT_BASE_URL"],
        "  Simulated mailbox    " + url["MAILBOX_URL"],
        "",
        f"  CSM                  {by_role['csm']}",
        f"  Admin                {by_role['admin']}",
        f"  Analyst              {by_role['analyst']}",
        f"  Password             {url['DEMO_PASSWORD']}",
        "",
        '  make status | make stop | make sql Q="select count(*) from marts.dim_accounts"',
        "",
    ]
    return "\n".join(rows)


def _join_running(state: State) -> int:
    """Somebody else's start: wait until it is ready, or say that it was not."""
    _say("It is already running, or on its way.")
    while True:
        recorded = state.read_json(state.services_file)
        existing = Environment.existing(state)
        if recorded.get("is_ready") and existing:
            _say(_welcome(existing))
            return 0
        try:
            take_lock(state).close()
        except AlreadyRunning:
            time.sleep(0.5)
            continue
        _say("That start ended before it was ready: try again.")
        return 1


def supervise(state: State, *, open_browser: bool = False) -> int:
    """Start, watch and stop in this process. Returns 0 after an orderly stop, 1 when the start failed."""
    try:
        lock = take_lock(state)
    except AlreadyRunning:
        return _join_running(state)
    supervisor: Supervisor | None = None
    try:
        supervisor = Supervisor(state, Environment.establish(state), _say)
        signal.signal(signal.SIGTERM, supervisor.ask_to_stop)
        signal.signal(signal.SIGINT, supervisor.ask_to_stop)
        supervisor.start()
        _say(_welcome(supervisor.environment))
        _say(_READY)
        if open_browser:
            webbrowser.open(supervisor.environment.variables["SITE"])
        supervisor.watch()
        _say("Stopping …")
    except (StartFailed, StateBroken, PostgresFailed, ValkeyFailed) as failure:
        _say(f"\nIt did not start. {failure}")
        return 1
    except KeyboardInterrupt:
        _say("Stopping …")
        return 130
    finally:
        if supervisor:
            supervisor.stop()
        lock.close()
    return 0


def detach(state: State) -> int:
    """Start a supervisor in the background and show its lines until it is ready."""
    log = state.logs / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        offset = log.stat().st_size
        child = subprocess.Popen(
            [sys.executable, "-m", "local", "supervise"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    try:
        with log.open() as lines:
            lines.seek(offset)
            while True:
                line = lines.readline()
                if line.strip() == _READY:
                    return 0
                if line:
                    sys.stdout.write(line)
                    sys.stdout.flush()
                elif child.poll() is not None:
                    sys.stdout.write(lines.read())
                    return child.returncode
                else:
                    time.sleep(0.1)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        return 130


def status(state: State) -> int:
    """One line per service: name, address, state. 0 when all are up."""
    environment = Environment.existing(state)
    if environment is None:
        _say(_NOTHING_YET)
        return 1
    url = environment.variables
    database = probes.postgres_answers(environment.dsn("application", "warehouse"))
    lines = [
        ("postgres", f"127.0.0.1:{url['POSTGRES_PORT']}", database),
        ("redis", f"127.0.0.1:{url['REDIS_PORT']}", probes.redis_answers(url["REDIS_URL"])),
        *((service.name, service.address, service.is_up) for service in services(environment)),
    ]
    everything = True
    for name, address, is_up in lines:
        state_word = "up" if is_up() else "down"
        everything = everything and state_word == "up"
        _say(f"{name:<16} {address:<28} {state_word}")
    return 0 if everything else 1


def stop(state: State) -> int:
    """Ask the supervisor to stop; when there is none, end what it left behind."""
    supervisor = state.read_json(state.services_file).get("supervisor")
    if supervisor and is_alive(supervisor["pid"], supervisor["ticks"]):
        os.kill(supervisor["pid"], signal.SIGTERM)
        deadline = time.monotonic() + 60.0
        while is_alive(supervisor["pid"], supervisor["ticks"]) and time.monotonic() < deadline:
            time.sleep(0.1)
        if is_alive(supervisor["pid"], supervisor["ticks"]):
            _say(f"The supervisor (pid {supervisor['pid']}) did not end within 60 s: ending it.")
            os.kill(supervisor["pid"], signal.SIGKILL)
    elif not state.services_file.exists():
        _say("Nothing was running.")
        return 0
    end_leftovers(state, _say)
    _say("Stopped. The data is kept; `make demo` starts again where it was.")
    return 0


def query(state: State, statement: str) -> int:
    """Run one statement as the warehouse's superuser and print bare rows, columns parted by tabs."""
    environment = Environment.existing(state)
    if environment is None:
        print(_NOTHING_YET, file=sys.stderr)
        return 1
    try:
        with psycopg.connect(environment.dsn("postgres", "warehouse"), connect_timeout=3) as connection:
            cursor = connection.execute(statement.encode())
            for row in cursor if cursor.description else ():
                print("\t".join("" if value is None else str(value) for value in row))
    except psycopg.Error as error:
        print(f"{error}".strip(), file=sys.stderr)
        return 1
    return 0


def run(state: State, arguments: list[str]) -> int:
    """Run Python with `arguments` in the environment of the demo's own processes; its exit code is ours."""
    environment = Environment.existing(state)
    if environment is None:
        print(_NOTHING_YET, file=sys.stderr)
        return 1
    return subprocess.run(
        [sys.executable, *arguments], env=environment.for_processes(), cwd=ROOT, check=False
    ).returncode


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up").add_argument("--detach", action="store_true")
    commands.add_parser("sql").add_argument("statement")
    commands.add_parser("run", prefix_chars="+").add_argument("arguments", nargs="+")  # options are Python's, not ours
    for name in ("supervise", "status", "stop"):
        commands.add_parser(name)
    wanted = parser.parse_args()
    state = State.default()
    if wanted.command == "sql":
        return query(state, wanted.statement)
    if wanted.command == "run":
        return run(state, wanted.arguments)
    if wanted.command == "up" and wanted.detach:
        return detach(state)
    if wanted.command == "up":
        return supervise(state, open_browser=sys.stdout.isatty() and bool(os.environ.get("DISPLAY")))
    return {"supervise": supervise, "status": status, "stop": stop}[wanted.command](state)


if __name__ == "__main__":
    sys.exit(main())
