"""Three vendors and a mailbox, a port each, one process, one pool; and the passing of days while it runs."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator

import uvicorn
from psycopg_pool import AsyncConnectionPool
from starlette.types import ASGIApp

from simulator.advance import LOCK, advance, real_today
from simulator.clock import Clock
from simulator.config import Settings
from simulator.hubspot import HubSpot
from simulator.mailbox import NAME as MAILBOX
from simulator.mailbox import Mailbox, listen
from simulator.stripe import Stripe
from simulator.wire import Vendor
from simulator.zendesk import Zendesk

LOG = logging.getLogger("simulator")
CLOCK_SECONDS = 2.0
IS_FREE = "select pg_try_advisory_lock(%(lock)s) and pg_advisory_unlock(%(lock)s)"


class _Server(uvicorn.Server):
    """A server that leaves signals to us: there are four of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(application: ASGIApp, host: str, port: int) -> _Server:
    """uvicorn without its own `Date`: time on the wire is simulated."""
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_level="error",
        date_header=False,
        server_header=False,
        lifespan="off",
        access_log=False,
    )
    return _Server(config)


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; days that ended meanwhile are generated first and then as they pass.

    Raises LookupError when there is no estate.
    """
    clock = Clock()
    options = {"options": "-c timezone=UTC"}
    pool: AsyncConnectionPool = AsyncConnectionPool(
        settings.simulator_dsn, min_size=2, max_size=8, open=False, kwargs=options
    )
    async with pool:
        vendors: list[tuple[Vendor, int]] = [
            (HubSpot(settings, clock, pool), settings.simulator_hubspot_port),
            (Stripe(settings, clock, pool), settings.simulator_stripe_port),
            (Zendesk(settings, clock, pool), settings.simulator_zendesk_port),
        ]
        mailbox = Mailbox()
        host = settings.simulator_host
        servers = [_server(vendor.application(), host, port) for vendor, port in vendors]
        servers.append(_server(mailbox.application(), host, settings.simulator_mailbox_port))
        mail_server = await listen(mailbox, host=host, port=settings.simulator_smtp_port)
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await _follow(settings, clock, pool)
        tasks: list[asyncio.Task[object]] = [asyncio.create_task(server.serve()) for server in servers]
        tasks += [asyncio.create_task(_keep_time(settings, clock, pool)), asyncio.create_task(stop.wait())]
        for vendor, port in vendors:
            print(f"{vendor.name:<8} http://{host}:{port}", flush=True)
        print(f"{MAILBOX} http://{host}:{settings.simulator_mailbox_port}", flush=True)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        mail_server.close()
        for server in servers:
            server.should_exit = True
        for task in tasks[len(servers) :]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(settings: Settings, clock: Clock, pool: AsyncConnectionPool) -> None:
    """Read the offset; generate days that are missing, unless another process is at it."""
    async with pool.connection() as db:
        row = await (await db.execute("select offset_days, last_day, target_day from estate")).fetchone()
        if row is None:
            raise LookupError("No estate: run `python -m simulator seed` first.")
        clock.offset_days, last_day, target_day = row
        if last_day >= clock.today() - 1 and target_day is None:
            return
        is_free = await (await db.execute(IS_FREE, {"lock": LOCK})).fetchone()
    if is_free == (True,):
        days = await asyncio.to_thread(advance, settings, days=0, real_today=real_today(), report=LOG.info)
        LOG.info("%s days passed", days)


async def _keep_time(settings: Settings, clock: Clock, pool: AsyncConnectionPool) -> None:
    """Follow the clock for as long as the server runs; a failure is logged and tried again."""
    while True:
        await asyncio.sleep(CLOCK_SECONDS)
        try:
            await _follow(settings, clock, pool)
        except Exception:
            LOG.exception("the clock could not be followed")
