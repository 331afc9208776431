"""`python -m extract`: load one source, one stream, or everything, without an orchestrator.

    python -m extract hubspot                 all streams of a source
    python -m extract hubspot companies       one stream
    python -m extract --all                   all sources at once
    python -m extract hubspot --full-scan     look for what was archived, deleted or lost as well
    python -m extract --ensure-schema         create the raw tables only

Prints one line per stream. Exit code 0 when all went well, 1 with one sentence per failure.
"""

import argparse
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import stamina

from extract.errors import ExtractError
from extract.run import LoadResult, ensure_schema, run_source
from extract.sources import SOURCES
from extract.stream import Kind

_printing = threading.Lock()


def line(source: str, name: str, outcome: LoadResult | ExtractError) -> str:
    """What is printed for one stream."""
    title = f"{source}.{name}"
    if isinstance(outcome, ExtractError):
        return f"{title:<38} failed"
    text = (
        f"{title:<38} read {outcome.read:>9,}  inserted {outcome.inserted:>9,}  updated {outcome.updated:>7,}  "
        f"unchanged {outcome.unchanged:>8,}  quarantined {outcome.quarantined:>4,}  {outcome.seconds:6.1f} s"
    )
    if outcome.stale:
        text += f"  stale {outcome.stale:,}"
    return "\n".join([text, *(f"    {warning}" for warning in outcome.warnings)])


def load(source: str, streams: Sequence[str] | None, kind: Kind) -> list[str]:
    """Run a source, printing as it goes. Returns one sentence per failure."""
    failures: list[str] = []

    def heard(name: str, outcome: LoadResult | ExtractError) -> None:
        with _printing:
            print(line(source, name, outcome), flush=True)
        if isinstance(outcome, ExtractError):
            failures.append(str(outcome))

    try:
        run_source(source, streams=streams, kind=kind, on_stream=heard)
    except ExtractError as error:
        if str(error) not in failures:
            failures.append(str(error))
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m extract", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", nargs="?", choices=sorted(SOURCES))
    parser.add_argument("stream", nargs="?")
    parser.add_argument("--all", action="store_true", help="all sources at once")
    parser.add_argument("--full-scan", action="store_true", help="compare everything and mark what has ended")
    parser.add_argument("--ensure-schema", action="store_true", help="create the raw tables and stop")
    wanted = parser.parse_args(arguments)
    stamina.instrumentation.set_on_retry_hooks([])  # every attempt is in ops.http_log; here they would only scroll
    kind: Kind = "full_scan" if wanted.full_scan else "incremental"
    try:
        if wanted.ensure_schema:
            print("Raw tables created." if ensure_schema() else "Raw tables are up to date.")
            return 0
    except ExtractError as error:
        print(error, file=sys.stderr)
        return 1
    if wanted.all == bool(wanted.source):
        parser.error("name one source, or --all")
    if wanted.all:
        with ThreadPoolExecutor(len(SOURCES)) as pool:
            found = pool.map(lambda name: load(name, None, kind), SOURCES)
            failures = [sentence for sentences in found for sentence in sentences]
    else:
        failures = load(wanted.source, [wanted.stream] if wanted.stream else None, kind)
    for sentence in dict.fromkeys(failures):
        print(sentence, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
