"""What a cached read spares the database: its own time per request, with the cache and without, on a copy of the demo.

Two API processes beside each other, one with its cache and one without Redis, answer the same requests in turns. The
database accounts for its own time: `pg_stat_statements`, planning and execution, of the application's role. The demo's
server does not load that module, so the copy does. Time on the network, in Python and in Redis is not in it.

Two figures each. *The read* is every statement on the marts, which is what the cache is for: with it, the one that asks
which build is published. *The request* is all statements, with those that ask whose session it is; they are never
cached, cost the same on both sides, and bound what a cache can spare of a request.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields

import httpx
import psycopg

from bench import copy
from bench.report import Figure

ROUTES = {
    "account list": "/accounts",
    "own accounts": "/accounts?owner=me",
    "accounts by a word": "/accounts?search=an",
    "one account": "/accounts/{account}",
    "health history": "/accounts/{account}/health",
}
ROUNDS, REQUESTS = 6, 10  # requests in each turn of a side
WARM = 12  # the driver prepares a statement that it has seen five times
PROMISE = 20.0  # times cheaper

_SPENT = """
select coalesce(sum(spent) filter (where query like '%marts.%'), 0), coalesce(sum(spent), 0)
from (
    select query, total_plan_time + total_exec_time as spent
    from pg_stat_statements join pg_roles on pg_roles.oid = userid where rolname = 'application'
) as statements
"""


@dataclass
class Spent:
    """Milliseconds of the database in so many requests: in reads of the marts, and in all statements."""

    requests: int = 0
    reading: float = 0.0
    whole: float = 0.0

    def each(self) -> tuple[float, float]:
        """Of one request: in reads, and in all."""
        return self.reading / self.requests, self.whole / self.requests


def together(parts: Iterable[Spent]) -> Spent:
    """The sum of several."""
    parts = list(parts)
    return Spent(*(sum(getattr(part, field.name) for part in parts) for field in fields(Spent)))


def _ask(client: httpx.Client, path: str, times: int) -> None:
    for _ in range(times):
        client.get(path).raise_for_status()


def figure(name: str, cached: Spent, uncached: Spent) -> Figure:
    """Both sides of a route, and how much cheaper the cached read is."""
    (read, request), (full_read, full_request) = cached.each(), uncached.each()
    cheaper = full_read / read
    measured = (
        f"the read {read:.3f} ms, uncached {full_read:.2f} ms ({cheaper:.0f} times);"
        f" the request {request:.2f} ms, uncached {full_request:.2f} ms ({full_request / request:.1f} times)"
    )
    return Figure(f"database time, {name}", measured, f"the read {PROMISE:.0f} times cheaper", PROMISE / cheaper)


def _turns(server: psycopg.Connection, sides: Sequence[httpx.Client], path: str) -> tuple[Spent, ...]:
    spent = tuple(Spent() for _ in sides)
    for client in sides:
        _ask(client, path, WARM)
    for _ in range(ROUNDS):
        for client, one in zip(sides, spent, strict=True):
            server.execute("select pg_stat_statements_reset()")
            _ask(client, path, REQUESTS)
            reading, whole = server.execute(_SPENT).fetchone() or (0.0, 0.0)
            one.requests += REQUESTS
            one.reading += reading
            one.whole += whole
    return spent


def measure() -> list[Figure]:
    """Database time of every route that reads through the cache, with it and without."""
    loaded = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_planning": "on"}
    kinds: tuple[Mapping[str, str | None], ...] = (copy.UNLIMITED, {**copy.UNLIMITED, "REDIS_URL": None})
    with copy.of_the_demo(**loaded) as demo, ExitStack() as ends:
        apis = [ends.enter_context(demo.serve("api", settings)) for settings in kinds]
        server = ends.enter_context(psycopg.connect(demo.postgres.dsn("warehouse"), autocommit=True))
        server.execute("create extension pg_stat_statements")
        person = demo.sign_in(apis[0], 1)[0]
        sides = [
            ends.enter_context(httpx.Client(base_url=api.address, headers={"Cookie": person.cookie}, timeout=30))
            for api in apis
        ]
        account = sides[0].get("/accounts?limit=1").json()["items"][0]["account_key"]
        spent = {name: _turns(server, sides, path.format(account=account)) for name, path in ROUTES.items()}
        figures = [figure(name, *both) for name, both in spent.items()]
        return [*figures, figure("one of each", *(together(side) for side in zip(*spent.values(), strict=True)))]
