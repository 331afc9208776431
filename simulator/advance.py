"""Time goes on: one day, one transaction.

Order within a day: product rows and files first (written again they change nothing), then the simulator's own
transaction with vendor records and the world's state, then the product's clock. A process killed anywhere leaves a
state from which the next run repeats the unfinished day with the same dice.
"""

import time
from collections.abc import Callable

import psycopg

from simulator import interventions, product, store, surveys
from simulator.clock import DAY_SECONDS, date_of, start_of
from simulator.config import Settings
from simulator.day import live_through
from simulator.estate import EVENT_DAYS, store_connection
from simulator.ledger import Ledger
from simulator.world import World

LOCK = 7_242_424
Report = Callable[[str], None]


def advance(settings: Settings, *, days: int, real_today: int, report: Report) -> int:
    """Bring the estate to simulated yesterday, then `days` further; returns the number of days generated.

    An earlier call that was killed left its target in the database: it is finished first, and nothing is added to it.
    Raises LookupError when there is no estate. A second process waits for the first.
    """
    generated = 0
    with store_connection(settings) as db, product.connect(settings.simulator_product_dsn) as product_db:
        store.prepare(db)
        db.execute("select pg_advisory_lock(%s)", [LOCK])
        db.commit()
        row = db.execute("select last_day, offset_days, target_day, account_count, day_count from estate").fetchone()
        if row is None:
            raise LookupError("No estate: run `python -m simulator seed` first.")
        last_day, offset_days, target, accounts, history = row
        product.set_clock(product_db, offset_days)
        yesterday = real_today + offset_days - 1
        if target is not None and target > yesterday:
            report(f"finishing an interrupted advance: {target - last_day} days left")
        else:
            target = max(yesterday, last_day) + days
        if target == last_day:
            return 0
        db.execute("update estate set target_day = %s", [target])
        db.commit()
        world = store.load_world(db)
        started = time.perf_counter()
        while world.day < target:
            offset_days = max(offset_days, world.day + 2 - real_today)
            _one_day(
                db,
                product_db,
                settings,
                world,
                offset_days=offset_days,
                target=target,
                accounts=accounts,
                history=history,
            )
            generated += 1
            if generated % 10 == 0 or world.day == target:
                report(
                    f"  {date_of(world.day)}  {generated} days done, {target - world.day} left, "
                    f"{time.perf_counter() - started:.1f} s"
                )
    return generated


def _one_day(
    db: psycopg.Connection,
    product_db: psycopg.Connection,
    settings: Settings,
    world: World,
    *,
    offset_days: int,
    target: int,
    accounts: int,
    history: int,
) -> None:
    day = world.day + 1
    ledger = Ledger(events_since=start_of(day))
    interventions.take_effect(world, store.take_deeds(db, day), day, store.regime(db))
    live_through(world, ledger, day)
    product.write_day(product_db, ledger)
    surveys.write_files(settings.simulator_surveys_folder, ledger.files)
    store.write_ledger(db, ledger, is_fresh=False)
    db.execute("delete from stripe_events where created < %s", [start_of(day - EVENT_DAYS)])
    target_day = target if world.day < target else None
    store.save_world(db, world, offset_days=offset_days, target_day=target_day, accounts=accounts, days=history)
    db.commit()
    product.set_clock(product_db, offset_days)


def real_today() -> int:
    """Day number of the real date (UTC)."""
    return int(time.time() // DAY_SECONDS)
