"""Three vendors, three ports, one process, one pool; and the passing of days while it runs."""

import asyncio
import contextlib
import logging
import signal

import uvicorn
from psycopg_pool import AsyncConnectionPool

from simulator.advance import advance, real_today
from simulator.clock import Clock
from simulator.config import Settings
from simulator.hubspot import HubSpot
from simulator.stripe import Stripe
from simulator.wire import Vendor
from simulator.zendesk import Zendesk

LOG = logging.getLogger("simulator")
CLOCK_SECONDS = 2.0


class _Server(uvicorn.Server):
    """A server that leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; days that ended meanwhile are generated first and then as they pass."""
    clock = Clock()
    async with AsyncConnectionPool(
        settings.simulator_dsn, min_size=2, max_size=8, open=False, kwargs={"options": "-c timezone=UTC"}
    ) as pool:
        vendors: list[tuple[Vendor, int]] = [
            (HubSpot(settings, clock, pool), settings.simulator_hubspot_port),
            (Stripe(settings, clock, pool), settings.simulator_stripe_port),
            (Zendesk(settings, clock, pool), settings.simulator_zendesk_port),
        ]
        servers = [
            _Server(
                uvicorn.Config(
                    vendor.application(),
                    host=settings.simulator_host,
                    port=port,
                    log_level="critical",
                    date_header=False,
                    server_header=False,
                    lifespan="off",
                    access_log=False,
                )
            )
            for vendor, port in vendors
        ]
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        await _follow(settings, clock, pool)
        keeper = asyncio.create_task(_keep_time(settings, clock, pool))
        running = [asyncio.create_task(server.serve()) for server in servers]
        for vendor, port in vendors:
            print(f"{vendor.name:<8} http://{settings.simulator_host}:{port}", flush=True)
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait([waiting, keeper, *running], return_when=asyncio.FIRST_COMPLETED)
        for server in servers:
            server.should_exit = True
        keeper.cancel()
        waiting.cancel()
        await asyncio.gather(*running, keeper, waiting, return_exceptions=True)


async def _follow(settings: Settings, clock: Clock, pool: AsyncConnectionPool) -> None:
    """Read the offset; when simulated yesterday is not there yet, generate up to it."""
    async with pool.connection() as db:
        row = await (await db.execute("select offset_days, last_day, target_day from estate")).fetchone()
    if row is None:
        raise LookupError("No estate: run `python -m simulator seed` first.")
    clock.offset_days = row[0]
    if row[1] < clock.today() - 1 and row[2] is None:
        days = await asyncio.to_thread(advance, settings, days=0, real_today=real_today(), report=LOG.info)
        LOG.info("generated %s days", days)


async def _keep_time(settings: Settings, clock: Clock, pool: AsyncConnectionPool) -> None:
    while True:
        await asyncio.sleep(CLOCK_SECONDS)
        try:
            await _follow(settings, clock, pool)
        except Exception:
            LOG.exception("clock not followed; trying again")
