"""Start everything in order, keep it running, stop it in reverse.

One supervisor at a time, held by a file lock that the kernel frees when the process ends, however it ends. What it
started stands in `services.json` with the kernel's start time of each process, so that a later start can end what an
unclean stop left behind without ever touching a stranger that got the same number.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from local import probes
from local.bootstrap import figures, past, prepare_databases, steps
from local.postgres import Postgres
from local.processes import die_with_parent, is_alive, spawn, start_ticks, stop_group
from local.services import Service, Step, services
from local.state import PORTS, ROOT, Environment, State
from local.valkey import Valkey

Say = Callable[[str], None]


class StartFailed(Exception):
    """The demo can not start; the message says why and what to do."""


class AlreadyRunning(Exception):
    """Another supervisor holds the state folder."""


def take_lock(state: State) -> IO[str]:
    """Hold the state folder for this process. Raises AlreadyRunning when another supervisor does."""
    state.run.mkdir(parents=True, exist_ok=True)
    handle = (state.run / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise AlreadyRunning from None
    return handle


def end_leftovers(state: State, say: Say, *, grace_seconds: float = 15.0) -> None:
    """End what an unclean stop left behind; the last started goes first."""
    recorded = state.read_json(state.services_file).get("processes", [])
    alive = [one for one in recorded if is_alive(one["pid"], one["ticks"])]
    if alive:
        say(f"The last run did not stop cleanly: ending {', '.join(one['name'] for one in alive)}")
    for one in reversed(alive):
        orderly = signal.SIGINT if one["name"] == "postgres" else signal.SIGTERM
        stop_group(one["pid"], first=orderly, grace_seconds=grace_seconds)
    state.services_file.unlink(missing_ok=True)


def refuse_taken_ports(environment: Environment) -> None:
    """Raise StartFailed when a stranger listens where we want to."""
    seen: dict[int, str] = {}
    for name, (_, what) in PORTS.items():
        port = environment.port(name)
        if port in seen:
            raise StartFailed(f"{name} and {seen[port]} are both {port}: give each its own.")
        seen[port] = name
        if probes.listens(port):
            raise StartFailed(
                f"Port {port} ({what}) is taken by another program. "
                f"Stop that program, or choose another port: make demo {name}={port + 1}"
            )


@dataclass
class Supervisor:
    """Owns the running demo from start to stop."""

    state: State
    environment: Environment
    say: Say
    running: dict[str, subprocess.Popen[bytes] | subprocess.Popen[str]] = field(default_factory=dict)
    stop_asked: bool = False
    is_ready: bool = False

    def __post_init__(self) -> None:
        folder, secret = self.state.folder, self.environment.chosen
        self.postgres = Postgres(
            folder / "postgres", self.environment.port("POSTGRES_PORT"), secret["POSTGRES_PASSWORD"]
        )
        self.valkey = Valkey(folder / "valkey", self.environment.port("REDIS_PORT"), secret["REDIS_PASSWORD"])
        self.services = services(self.environment)

    # -- start

    def start(self) -> None:
        """Bring everything up and the warehouse to its first build. Raises StartFailed with the reason."""
        began = time.monotonic()
        end_leftovers(self.state, self.say)
        refuse_taken_ports(self.environment)
        self._timed("PostgreSQL", self._start_postgres)
        self._timed("Redis", self._start_valkey)
        self._timed("Roles, databases, schemas", lambda: prepare_databases(self.postgres, self.environment))
        for step in steps(self.environment):
            self._prepare(step)
        self._start_services()
        self._prepare(figures())
        for step in past(self.environment):
            self._prepare(step)
        self.is_ready = True
        self._write_down()
        self.say(f"Ready after {time.monotonic() - began:.0f} s")

    def _start_postgres(self) -> None:
        self.postgres.start()
        self._record("postgres", self.postgres.process)

    def _start_valkey(self) -> None:
        self.valkey.start()
        self._record("redis", self.valkey.process)

    def _record(self, name: str, process: subprocess.Popen[bytes] | subprocess.Popen[str] | None) -> None:
        if process is not None:
            self.running[name] = process
        self._write_down()

    def _write_down(self) -> None:
        listed = [
            {"name": one, "pid": child.pid, "ticks": start_ticks(child.pid)} for one, child in self.running.items()
        ]
        me = {"pid": os.getpid(), "ticks": start_ticks(os.getpid())}
        self.state.write_json(
            self.state.services_file, {"supervisor": me, "is_ready": self.is_ready, "processes": listed}
        )

    def _timed(self, title: str, work: Callable[[], None]) -> None:
        began = time.monotonic()
        work()
        self.say(f"{title:<34} {time.monotonic() - began:6.1f} s")

    def _prepare(self, step: Step) -> None:
        done = self.state.read_json(self.state.prepared_file)
        wanted = step.fingerprint() if step.fingerprint else None
        is_made = step.makes is None or step.makes.exists()
        if is_made and wanted is not None and done.get(step.title) == wanted:
            return
        self._timed(step.title, lambda: self._run(step.title, step.argv, is_verbose=step.is_verbose))
        if wanted is not None:
            self.state.write_json(self.state.prepared_file, {**done, step.title: wanted})

    def _run(self, title: str, argv: tuple[str, ...], *, is_verbose: bool = False) -> None:
        """Run a command to its end, its lines kept in `prepare.log` and, if verbose, shown as they come."""
        log = self.state.logs / "prepare.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        child = subprocess.Popen(
            argv,
            env=self.environment.for_processes(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - the launcher has no threads
        )
        self._record(title, child)
        last: list[str] = []
        try:
            with log.open("a") as kept:
                for line in child.stdout or ():
                    kept.write(line)
                    last = [*last[-7:], line.rstrip()]
                    if is_verbose:
                        self.say(f"  {line.strip()}")
            code = child.wait()
        finally:
            stop_group(child.pid, reap=child)
            del self.running[title]
            self._write_down()
        if code != 0:
            reason = "\n".join(last)
            raise StartFailed(f"{title} failed (exit {code}):\n{reason}\nThe whole output is in {log}")

    def _start_services(self) -> None:
        """Start all services at once and wait for each: importing is their longest part, and it needs no order."""
        began = time.monotonic()
        for service in self.services:
            self._spawn(service)
        waiting = list(self.services)
        while waiting:
            for service in list(waiting):
                elapsed = time.monotonic() - began
                child = self.running[service.name]
                if child.poll() is not None:
                    raise StartFailed(f"{service.name} ended with exit {child.returncode}. {self._end_of_log(service)}")
                if service.is_up():
                    self.say(f"{service.name:<34} {elapsed:6.1f} s   {service.address}")
                    waiting.remove(service)
                elif elapsed > service.ready_within_seconds:
                    raise StartFailed(
                        f"{service.name} did not answer within {service.ready_within_seconds:.0f} s. "
                        f"{self._end_of_log(service)}"
                    )
            time.sleep(0.2)

    def _log(self, service: Service) -> Path:
        return self.state.logs / f"{service.name}.log"

    def _end_of_log(self, service: Service) -> str:
        log = self._log(service)
        tail = log.read_text(errors="replace")[-800:].strip() if log.exists() else ""
        return f"Its log ({log}) ends:\n{tail}"

    def _spawn(self, service: Service) -> None:
        child = spawn(
            service.argv,
            env={**self.environment.for_processes(), **service.env},
            log=self._log(service),
            cwd=ROOT,
        )
        self._record(service.name, child)

    # -- run and stop

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler. During the start it interrupts whatever goes on; after it, the watch ends by itself."""
        if not self.is_ready and not self.stop_asked:
            self.stop_asked = True
            raise KeyboardInterrupt
        self.stop_asked = True

    def watch(self) -> None:
        """Return when asked to stop. A service that ends is started again, slower each time it fails soon."""
        names = {service.name: service for service in self.services}
        not_before: dict[str, float] = {}
        delay: dict[str, float] = {}
        while not self.stop_asked:
            time.sleep(0.5)
            for name, child in list(self.running.items()):
                if child.poll() is None or time.monotonic() < not_before.get(name, 0.0):
                    continue
                delay[name] = min(60.0, delay.get(name, 0.5) * 2)
                not_before[name] = time.monotonic() + delay[name]
                self.say(f"{name} ended with exit {child.returncode}: starting it again")
                if name in names:
                    self._spawn(names[name])
                else:
                    with suppress(Exception):
                        (self._start_postgres if name == "postgres" else self._start_valkey)()

    def stop(self) -> None:
        """End everything, the last started first; PostgreSQL last, so that nobody loses a write."""
        for name, child in reversed(list(self.running.items())):
            if name not in ("postgres", "redis"):
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGTERM)
        for name, child in reversed(list(self.running.items())):
            if name not in ("postgres", "redis"):
                stop_group(child.pid, reap=child)
        self.valkey.stop()
        self.postgres.stop()
        self.state.services_file.unlink(missing_ok=True)
