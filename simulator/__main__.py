"""Command line: seed, serve, advance, live, truth, past, status."""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator import store, truth
from simulator.advance import advance, real_today
from simulator.clock import date_of
from simulator.config import Settings, get_settings
from simulator.estate import seed, store_connection
from simulator.interventions import REGIMES
from simulator.live import PipelineFailed, live
from simulator.server import serve
from simulator.workplace import Unwelcome


def say(line: str) -> None:
    """A progress line, at once even through a pipe."""
    print(line, flush=True)


def _seed(settings: Settings, arguments: argparse.Namespace) -> int:
    with store_connection(settings) as db:
        store.prepare(db)
        exists = store.has_estate(db)
    if exists:
        say("There is an estate already; nothing was changed. `python -m simulator status` describes it.")
        return 0
    say(f"seeding {arguments.accounts} accounts and {arguments.days} days from seed {arguments.seed}")
    seed(
        settings,
        accounts=arguments.accounts,
        days=arguments.days,
        number=arguments.seed,
        today=real_today(),
        report=say,
        regime=arguments.past,
    )
    return 0


def _serve(settings: Settings, arguments: argparse.Namespace) -> int:
    with store_connection(settings) as db:
        store.prepare(db)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(serve(settings))
    return 0


def _advance(settings: Settings, arguments: argparse.Namespace) -> int:
    say(f"{advance(settings, days=arguments.days, real_today=real_today(), report=say)} days generated")
    return 0


def _live(settings: Settings, arguments: argparse.Namespace) -> int:
    live(settings, months=arguments.months, regime=arguments.regime, then=arguments.then, report=say)
    return 0


def _truth(settings: Settings, arguments: argparse.Namespace) -> int:
    with store_connection(settings) as db:
        store.prepare(db)
        say(f"{truth.write(db, arguments.file)} moments written to {arguments.file}")
    return 0


def _past(settings: Settings, arguments: argparse.Namespace) -> int:
    with store_connection(settings) as db:
        store.prepare(db)
        rows = store.past(db)
    arguments.file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    say(f"{len(rows)} actions written to {arguments.file}")
    return 0


def _status(settings: Settings, arguments: argparse.Namespace) -> int:
    with store_connection(settings) as db:
        store.prepare(db)
        row = db.execute("select seed, first_day, last_day, offset_days, target_day from estate").fetchone()
        if row is None:
            say("No estate yet: run `python -m simulator seed`.")
            return 1
        number, first, last, offset, target = row
        say(
            f"seed {number}, history {date_of(first)} to {date_of(last)}, "
            f"simulated today {date_of(real_today() + offset)} ({offset} days ahead of real time)"
        )
        if target is not None:
            say(
                f"an advance to {date_of(target)} was interrupted: "
                "`python -m simulator advance --days 1` finishes it and adds nothing"
            )
        for query in (
            "select object_type, count(*) from hubspot_objects group by 1 order by 1",
            """select object, count(*) from stripe_objects group by 1
                union all select 'event', count(*) from stripe_events order by 1""",
            "select kind, count(*) from zendesk_objects group by 1 order by 1",
        ):
            say("  " + ", ".join(f"{name} {count:,}" for name, count in db.execute(query.encode())))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="The outside world: five source systems over a generated estate."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    seeding = commands.add_parser("seed", help="generate the estate (does nothing when there is one)")
    seeding.add_argument("--accounts", type=int, default=620)
    seeding.add_argument("--days", type=int, default=730)
    seeding.add_argument("--seed", type=int, default=24)
    seeding.add_argument("--past", choices=REGIMES, help="CSMs have worked in it so; nobody has when left out")
    commands.add_parser("serve", help="serve HubSpot, Stripe, Zendesk and a mailbox until stopped")
    advancing = commands.add_parser("advance", help="let days pass")
    advancing.add_argument("--days", type=int, default=1)
    living = commands.add_parser("live", help="let months pass while simulated CSMs work on the product's suggestions")
    living.add_argument("--months", type=int, default=1, help="of 30 days")
    living.add_argument("--regime", choices=REGIMES, help="how they choose and what works; as it was when left out")
    living.add_argument("--then", required=True, metavar="COMMAND", help="brings the sources into the product")
    sealing = commands.add_parser(
        "truth", help="write what would have become of every account they could have acted on"
    )
    sealing.add_argument("file", type=Path)
    told = commands.add_parser("past", help="write what CSMs did before the product was there, as their tracker would")
    told.add_argument("file", type=Path)
    commands.add_parser("status", help="clock and counts")
    arguments = parser.parse_args(argv)
    handlers = {
        "seed": _seed,
        "serve": _serve,
        "advance": _advance,
        "live": _live,
        "truth": _truth,
        "past": _past,
        "status": _status,
    }
    try:
        return handlers[arguments.command](get_settings(), arguments)
    except (LookupError, PipelineFailed, Unwelcome, FileExistsError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
