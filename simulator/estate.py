"""Seeding: two years of history from one number, in one pass, into both databases and the drop folder."""

import math
import threading
import time
from collections.abc import Callable

import psycopg

from simulator import billing_records, crm, product, store, support, surveys
from simulator.clock import start_of
from simulator.config import Settings
from simulator.day import live_through
from simulator.founding import found_account
from simulator.ledger import Ledger, Usage
from simulator.lifecycle import SIGNUPS_PER_ACCOUNT_YEAR
from simulator.past import Past
from simulator.world import World

GROWTH = 0.25
"""Customers grow by a quarter a year; sign-ups replace who leaves as well."""
YEARS_BEFORE = 6.0
EVENT_DAYS = 31
CHUNK_DAYS = 30
Report = Callable[[str], None]


def plan_arrivals(world: World, accounts: int, days: int) -> list[int]:
    """Start days of the accounts that exist on the first day; `world.signups` gets the days of all later ones."""
    dice = world.dice("founding", world.first_day)
    years = days / 365
    new_per_initial = SIGNUPS_PER_ACCOUNT_YEAR * (math.exp(GROWTH * years) - 1) / GROWTH
    initial = round(accounts / (1 + new_per_initial))
    starts = []
    for _ in range(initial):
        age = -math.log(1 - dice.random() * (1 - math.exp(-GROWTH * YEARS_BEFORE))) / GROWTH
        starts.append(world.first_day - 20 - int(age * 365))
    arrivals = []
    while len(arrivals) < accounts - initial:
        position = math.log(1 + dice.random() * (math.exp(GROWTH * years) - 1)) / GROWTH
        day = world.first_day + int(position * 365)
        if (day + 3) % 7 < 5 and day < world.first_day + days:
            arrivals.append(day)
    world.signups = sorted(arrivals)
    world.counters["planned_until"] = world.first_day + days - 1
    return sorted(starts)


def seed(
    settings: Settings,
    *,
    accounts: int,
    days: int,
    number: int,
    today: int,
    report: Report,
    regime: str | None = None,
) -> World:
    """Generate the estate through yesterday and write it. With a regime CSMs have worked in it, else nobody has.

    The caller has checked that no estate exists. The state is written in the same transaction as the vendor records,
    so a seed that was killed leaves no estate and the next one starts over.
    """
    started = time.perf_counter()
    with store_connection(settings) as db, product.connect(settings.simulator_product_dsn) as product_db:
        store.prepare(db)
        product.prepare(product_db, settings.simulator_reader_role)
        store.clear(db)
        product.clear(product_db)
        product_db.commit()
        product.prepare(product_db, settings.simulator_reader_role)
        surveys.clear(settings.simulator_surveys_folder)

        world = World(seed=number, first_day=today - days, day=today - days - 1)
        ledger = Ledger(events_since=start_of(today - EVENT_DAYS))
        writer = UsageWriter(product_db)
        begin(world, ledger, accounts, days)
        past = Past(regime) if regime else None
        for day in range(world.first_day, today):
            if past:
                past.morning(world, day)
            live_through(world, ledger, day)
            if past:
                past.evening(world, day)
            if len(ledger.usage) >= CHUNK_DAYS:
                writer.send(ledger.usage)
                ledger.usage = []
                _progress(report, world, days, writer.rows, started)
        writer.send(ledger.usage)
        ledger.usage = []
        writer.run(lambda: product.complete(product_db, ledger))
        store.write_ledger(db, ledger, is_fresh=True)
        world.touched.update(account.no for account in world.accounts)
        store.save_world(db, world, offset_days=0, target_day=None, accounts=accounts, days=days)
        if past:
            store.keep_past(db, past.regime, [work.row(today) for work in past.works], past.moments)
        surveys.write_files(settings.simulator_surveys_folder, ledger.files)
        writer.finish()
        db.commit()
        db.execute(f"analyze {store.TABLES}".encode())
    report(
        f"seeded {len(world.accounts)} accounts, {days} days, {writer.rows:,} usage events "
        f"in {time.perf_counter() - started:.1f} s"
    )
    return world


def begin(world: World, ledger: Ledger, accounts: int, days: int) -> None:
    """The world on the morning of its first day."""
    billing_records.write_catalogue(world, ledger)
    crm.write_staff(ledger, world.first_day)
    support.write_staff(ledger, world.first_day)
    for start in plan_arrivals(world, accounts, days):
        found_account(world, ledger, start, world.first_day)


def store_connection(settings: Settings) -> psycopg.Connection:
    """Connection to the simulator's own database."""
    return psycopg.connect(settings.simulator_dsn, options="-c timezone=UTC")


def _progress(report: Report, world: World, days: int, rows: int, started: float) -> None:
    done = world.day - world.first_day + 1
    bar = "#" * (done * 24 // days)
    report(
        f"  [{bar:<24}] day {done:>4} of {days}, {len(world.accounts):>4} accounts, {rows:>9,} events, "
        f"{time.perf_counter() - started:4.1f} s"
    )


class UsageWriter:
    """Copies usage in a second thread: the database works on one chunk while the next one is drawn."""

    def __init__(self, db: psycopg.Connection) -> None:
        self.db = db
        self.rows = 0
        self.thread: threading.Thread | None = None
        self.failure: BaseException | None = None

    def send(self, usage: list[Usage]) -> None:
        """Wait for the previous chunk, then start this one."""
        self.run(lambda: product.copy_usage(self.db, usage))
        self.rows += sum(len(day.event_id) for day in usage)

    def run(self, work: Callable[[], object]) -> None:
        """Run `work` on the connection after what was sent before."""
        self.wait()

        def guarded() -> None:
            try:
                work()
            except BaseException as failure:
                self.failure = failure

        self.thread = threading.Thread(target=guarded, name="usage-writer")
        self.thread.start()

    def wait(self) -> None:
        """Until the running chunk is written; raises what it raised."""
        if self.thread is not None:
            self.thread.join()
            self.thread = None
        if self.failure is not None:
            raise self.failure

    def finish(self) -> None:
        """Commit what was sent."""
        self.wait()
        self.db.commit()
