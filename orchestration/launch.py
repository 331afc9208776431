"""`python -m orchestration.launch incremental --wait`: start a job on the running orchestrator and watch it.

Asks the webserver at DAGSTER_URL; `local/` and people at a terminal use it.
Ends with 0 when the run succeeded, 1 when it failed (the last lines name the step and say why), 2 when it could not
be started, 3 when waiting took longer than --timeout.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator

import httpx
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from orchestration.progress import FINISHED, Line, Progress, in_flow
from orchestration.webserver import LaunchFailed, Orchestrator


class Reporter:
    """Shows lines: under a bar on a terminal, plainly elsewhere (a log should not hold control characters)."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._last_quiet = 0.0
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
            self._bars = Bars(*columns, TimeElapsedColumn(), console=console, transient=True)
            self._task = self._bars.add_task("waiting for the worker", total=progress.total or None)

    def __enter__(self) -> "Reporter":
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, line: Line) -> None:
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=self._progress.done_count, description=line.text[:60])
        now = time.monotonic()
        if line.is_quiet and (self._bars or now - self._last_quiet < 2):
            return
        self._last_quiet = now if line.is_quiet else self._last_quiet
        self._console.print(line.text, style="red" if line.is_problem else None, markup=False, highlight=False)


def follow(orchestrator: Orchestrator, run_id: str, progress: Progress, *, timeout: float) -> Iterator[Line]:
    """Lines of the run until it ends. Raises TimeoutError; the run itself goes on."""
    cursor, give_up, pause = None, time.monotonic() + timeout, 0.5
    while True:
        status = orchestrator.status(run_id)
        events, cursor = orchestrator.events(run_id, cursor)
        for event in events:
            yield from progress.take(event)
        if status in FINISHED:
            return
        if time.monotonic() > give_up:
            raise TimeoutError(run_id)
        time.sleep(pause)


def summary(progress: Progress, seconds: float) -> str:
    """The last line of a good run."""
    groups = ", ".join(progress.counter(group) for group in in_flow(list(progress.done)))
    return f"Succeeded in {seconds:.0f} s: {groups}; {progress.check_count} checks."


def tell_failure(console: Console, progress: Progress, run_id: str, status: str, address: str) -> None:
    """The last lines of a run that did not succeed: which step, why, and how to go on."""
    lines = [f"Run {run_id} ended as {status}."]
    lines += [f"  {failed.step}: {failed.sentence}" for failed in progress.failed_steps]
    lines += [f"  See {address}; `--from-failure {run_id}` continues where it failed."]
    for line in lines:
        console.print(line, style="red", markup=False, highlight=False)


def run(wanted: argparse.Namespace, console: Console) -> int:
    """What the command line asks for; returns the exit code."""
    with httpx.Client(base_url=wanted.url, timeout=30) as client:
        orchestrator = Orchestrator(client)
        try:
            job = orchestrator.find_when_loaded(wanted.job, patience_seconds=wanted.patience)
            from_failure = wanted.from_failure
            run_id = orchestrator.launch_from_failure(from_failure) if from_failure else orchestrator.launch(job)
            progress = Progress(orchestrator.totals(job))
        except LaunchFailed as error:
            console.print(str(error), style="red", markup=False)
            return 2
        address = f"{wanted.url.rstrip('/')}/runs/{run_id}"
        console.print(f"Started {wanted.job}, run {run_id}: {address}", markup=False, highlight=False)
        if not wanted.wait:
            return 0
        begun = time.monotonic()
        try:
            with Reporter(console, progress) as reporter:
                for line in follow(orchestrator, run_id, progress, timeout=wanted.timeout):
                    reporter.show(line)
            status = orchestrator.status(run_id)
        except TimeoutError:
            console.print(f"Still running after {wanted.timeout:.0f} s: {address}", style="red", markup=False)
            return 3
        except LaunchFailed as error:
            console.print(str(error), style="red", markup=False)
            return 2
    if status == "SUCCESS":
        console.print(summary(progress, time.monotonic() - begun), markup=False, highlight=False)
        return 0
    tell_failure(console, progress, run_id, status, address)
    return 1


def main() -> None:
    """Read the command line and leave with the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.launch", description="Start a job and watch it.")
    parser.add_argument("job", help="incremental or nightly_full_check")
    parser.add_argument("--wait", action="store_true", help="show progress until the run ends")
    parser.add_argument("--from-failure", metavar="RUN_ID", help="continue this failed run where it failed")
    parser.add_argument("--url", default=os.environ.get("DAGSTER_URL", "http://127.0.0.1:3000"))
    parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait for the end")
    parser.add_argument("--patience", type=float, default=90, help="seconds to wait for the definitions to load")
    sys.exit(run(parser.parse_args(), Console(soft_wrap=True)))


if __name__ == "__main__":
    main()
