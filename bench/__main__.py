"""`make bench`: measure the running demo. `start` stops and starts it, `pipeline` lets a simulated day pass; `explore`
asks its marts; `tracker` fills a database of its own; `cache`, `api` and `streamlit` load a copy of the demo. `cold`
makes and starts a second demo, `suggestions` fills one of up to 100,000 accounts and `warehouse` one of 20 million
events: they are measured only when they are named."""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import browser, cache, cold, explore, load, machine, sessions, suggestions, tracker, warehouse
from bench.report import Figure, table
from local.state import ROOT, Environment, State

RESULTS = Path(__file__).with_name("results.md")


def _local(*arguments: str) -> tuple[float, str]:
    """Run a command of the launcher; returns seconds and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - began, done.stdout


def later_start() -> list[Figure]:
    """A stop and a start of a demo whose warehouse is loaded."""
    _local("stop")
    seconds, _ = _local("up", "--detach")
    return [Figure("later start, all services ready", f"{seconds:.1f} s", "30 s", seconds / 30)]


def one_day() -> list[Figure]:
    """One simulated day of changes, then the incremental pipeline from launch to its end."""
    advanced, _ = _local("run", "-m", "simulator", "advance", "--days", "1")
    seconds, said = _local("run", "-m", "orchestration.launch", "incremental", "--wait")
    dbt = re.search(r"done\s+dbt in ([\d.]+) s", said)
    part = f", of which dbt {dbt.group(1)} s" if dbt else ""
    return [
        Figure("one simulated day generated", f"{advanced:.1f} s", "8 s", advanced / 8),
        Figure("incremental pipeline, one day of changes", f"{seconds:.1f} s{part}", "90 s", seconds / 90),
    ]


def _open_actions(most: int) -> list[str]:
    query = (
        "select action_id from app.actions a join app.users u on u.user_id = a.owner_user_id"
        f" where u.email = '{browser.CSM}' and a.status = 'new' order by a.created_at desc limit {most}"
    )
    found = _local("sql", query)[1].split()
    if not found:
        raise SystemExit(f"{browser.CSM} has no new action: accept a suggestion first, then measure.")
    return found


def in_the_browser() -> list[Figure]:
    """Page switches and writes as a CSM. The writes stay in the demo: suggestions accepted, actions closed."""
    environment = Environment.existing(State.default())
    if environment is None:
        raise SystemExit("Nothing to measure: make demo DETACH=1 first.")
    with browser.chromium() as chromium:
        page = browser.sign_in(chromium, environment, browser.CSM)
        figures = [*browser.page_switches(page), *browser.acceptances(page, environment)]
        worked_on, *to_close = _open_actions(1 + browser.CLOSINGS)
        figures += browser.notes(page, environment, worked_on)
        figures += browser.moves(page, environment, worked_on)
        return [*figures, *browser.closings(page, environment, to_close)]


PARTS: dict[str, Callable[[], list[Figure]]] = {
    "start": later_start,
    "browser": in_the_browser,
    "pipeline": one_day,
    "explore": explore.measure,
    "tracker": tracker.measure,
    "suggestions": suggestions.measure,
    "cache": cache.measure,
    "api": load.measure,
    "streamlit": sessions.measure,
    "warehouse": warehouse.measure,
    "cold": cold.first_start,
}
ONLY_BY_NAME = ("suggestions", "warehouse", "cold")


def main() -> None:
    """Measure the chosen parts and append the table to bench/results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    named = f"of {', '.join(PARTS)}; without any, all but {', '.join(ONLY_BY_NAME)}"
    parser.add_argument("parts", nargs="*", metavar="PART", help=named)
    wanted = parser.parse_args().parts or [part for part in PARTS if part not in ONLY_BY_NAME]
    if unknown := set(wanted) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    before = machine.look()
    figures = [figure for part, measure in PARTS.items() if part in wanted for figure in measure()]
    text = table(figures, before, machine.look())
    print(text)
    with RESULTS.open("a") as kept:
        kept.write(f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n\n{text}")


if __name__ == "__main__":
    main()
