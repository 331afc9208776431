"""The API under load: what the mix of many people's requests takes at rates that rise until it is too slow.

One API process, as the demo and a container run it, on a copy of the demo, asked directly. The load is open: requests
come at random moments of a given rate (Poisson), whether earlier ones were answered or not, and each is timed from the
moment it was due. What piles up behind a slow answer is thus in the figures, and so is what this program is late. Among
them, one in ten more, goes to a path that does not exist: through the whole server, but to no route and no database.
What the same machine makes of that one in the same seconds is what a figure is to be read beside.

A step holds when 99 of 100 of its requests took at most PROMISE_MS and none failed; one that does not is tried once
more, since something else on the machine may have been the reason. Sessions are the demo's CSMs', many
of each; the limit of requests per person is out of the way, or it would be what is measured.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from uuid import uuid4

import httpx

from bench import copy
from bench.copy import Person
from bench.ladder import climb, highest
from bench.report import Figure, percentile

STEPS = (5, 20, 35, 50, 75, 100, 150, 200)  # requests a second
SECONDS, REQUESTS = 15.0, 200  # a step has at least these: with fewer, one slow answer is the 99th percentile
WARMING = (20, 10.0)  # requests a second and seconds that do not count
PEOPLE = 40
PROMISE_MS = 300.0
BARE = "bare"
# of a hundred requests: lists, things opened, words looked for, the inbox, and what is written
MIX = {
    "list_actions": 22,
    "list_accounts": 12,
    "open_action": 18,
    "open_account": 12,
    "health": 8,
    "search": 10,
    "notices": 10,
    "note": 4,
    "move": 4,
}
WORDS = ("an", "review", "call", "north", "data", "renewal", "lab")


@dataclass(frozen=True)
class Arrival:
    """A request that is due: seconds after the start of its step, who asks, and for what."""

    at: float
    person: int
    kind: str


def arrivals(rate: float, seconds: float, people: int, *, seed: int) -> Iterator[Arrival]:
    """The requests of a step, in their order: `rate` a second of MIX, and a tenth as many bare ones."""
    chance = random.Random(seed)
    kinds, weights = [*MIX, BARE], [*MIX.values(), sum(MIX.values()) / 10]
    at = chance.expovariate(rate * 1.1)
    while at < seconds:
        yield Arrival(at, chance.randrange(people), chance.choices(kinds, weights)[0])
        at += chance.expovariate(rate * 1.1)


@dataclass
class Work:
    """An action that may be moved: its owner, and the version that the next move is based on."""

    owner: Person
    action_id: str
    version: int
    status: str


class Crowd:
    """People who ask for what people ask for. Each method is one request, named as in MIX."""

    def __init__(self, client: httpx.AsyncClient, people: Sequence[Person], accounts: Sequence[str]) -> None:
        self._client = client
        self.people = people
        self._accounts = cycle(accounts)
        self._words = cycle(WORDS)
        self._actions: Iterator[str] = iter(())
        self._work: deque[Work] = deque()  # without those that are being moved at this moment

    async def _get(self, person: Person, path: str) -> httpx.Response:
        return await self._client.get(path, headers={"Cookie": person.cookie})

    async def _post(self, person: Person, path: str, body: dict[str, object]) -> httpx.Response:
        headers = {"Cookie": person.cookie, "Idempotency-Key": uuid4().hex}
        return await self._client.post(path, json=body, headers=headers)

    async def open_work(self) -> None:
        """An action for each person, so that there is something to open, to note and to move."""
        for person in self.people:
            wanted = {"account_key": next(self._accounts), "title": "Measuring under load"}
            answer = await self._post(person, "/actions", {**wanted, "action_type": "risk", "intervention": "training"})
            made = answer.raise_for_status().json()
            self._work.append(Work(person, made["action_id"], made["version"], made["status"]))
        self._actions = cycle([work.action_id for work in self._work])

    async def list_actions(self, person: Person) -> httpx.Response:
        return await self._get(person, "/actions?mine=true&category=not_started&category=started&limit=50")

    async def list_accounts(self, person: Person) -> httpx.Response:
        return await self._get(person, "/accounts?owner=me")

    async def open_action(self, person: Person) -> httpx.Response:
        return await self._get(person, f"/actions/{next(self._actions)}")

    async def open_account(self, person: Person) -> httpx.Response:
        return await self._get(person, f"/accounts/{next(self._accounts)}")

    async def health(self, person: Person) -> httpx.Response:
        return await self._get(person, f"/accounts/{next(self._accounts)}/health")

    async def search(self, person: Person) -> httpx.Response:
        return await self._get(person, f"/search?text={next(self._words)}")

    async def notices(self, person: Person) -> httpx.Response:
        return await self._get(person, "/notices")

    async def note(self, person: Person) -> httpx.Response:
        return await self._post(person, f"/actions/{next(self._actions)}/notes", {"note": "They said yes."})

    async def move(self, person: Person) -> httpx.Response:
        """By the owner of whichever action is next; nobody else moves it meanwhile, so that no version is stale.

        When all are being moved, which only happens to a server that is too slow, a note is written instead."""
        if not self._work:
            return await self.note(person)
        work = self._work.popleft()
        to_status = "blocked" if work.status == "in_progress" else "in_progress"
        try:
            body: dict[str, object] = {"version": work.version, "to_status": to_status}
            answer = await self._post(work.owner, f"/actions/{work.action_id}/transitions", body)
            if answer.is_success:
                work.version, work.status = answer.json()["version"], to_status
        finally:
            self._work.append(work)
        return answer

    async def bare(self, person: Person) -> httpx.Response:
        return await self._get(person, "/nothing-is-here")


@dataclass(frozen=True)
class Step:
    """What became of a step: seconds of each request of the mix and of each bare one, and how many failed."""

    rate: float
    mixed: list[float]
    bare: list[float]
    failed: int

    @property
    def p99_ms(self) -> float:
        """What 99 of 100 did not exceed."""
        return percentile(self.mixed, 0.99) * 1000

    @property
    def has_held(self) -> bool:
        """Whether the promise was kept at this rate."""
        return not self.failed and self.p99_ms <= PROMISE_MS

    def figure(self) -> Figure:
        """The step as a line of the table."""
        p50, p95 = (percentile(self.mixed, share) * 1000 for share in (0.5, 0.95))
        bare = percentile(self.bare, 0.95) * 1000 if self.bare else float("nan")
        measured = (
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {self.p99_ms:.0f} ms of {len(self.mixed)}, {self.failed} failed;"
            f" a bare answer p95 {bare:.0f} ms ({p95 / bare:.1f} times)"
        )
        return Figure(
            f"API at {self.rate:g} requests/s", measured, f"p99 {PROMISE_MS:.0f} ms", self.p99_ms / PROMISE_MS
        )


async def step(crowd: Crowd, rate: float, seconds: float, *, seed: int) -> Step:
    """Send what is due when it is due, and wait for the last answer."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    failed = 0
    began = time.perf_counter()

    async def one(due: Arrival) -> None:
        nonlocal failed
        ask: Callable[[Person], Awaitable[httpx.Response]] = getattr(crowd, due.kind)
        wanted = 404 if due.kind == BARE else None
        try:
            answer = await ask(crowd.people[due.person])
            failed += not (answer.is_success if wanted is None else answer.status_code == wanted)
        except httpx.HTTPError:
            failed += 1
        taken[due.kind == BARE].append(time.perf_counter() - began - due.at)

    async with asyncio.TaskGroup() as running:
        for due in arrivals(rate, seconds, len(crowd.people), seed=seed):
            await asyncio.sleep(began + due.at - time.perf_counter())
            running.create_task(one(due))
    return Step(rate, taken[False], taken[True], failed)


async def _rising(address: str, people: Sequence[Person]) -> list[Step]:
    no_limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=address, limits=no_limits, timeout=10) as client:
        listed = await client.get("/accounts?limit=100", headers={"Cookie": people[0].cookie})
        crowd = Crowd(client, people, [one["account_key"] for one in listed.raise_for_status().json()["items"]])
        await crowd.open_work()
        await step(crowd, *WARMING, seed=0)  # imports, connections, prepared statements and the cache are not load
        return await climb(STEPS, lambda rate: step(crowd, rate, max(SECONDS, REQUESTS / rate), seed=rate))


def measure() -> list[Figure]:
    """Every step up to the first that does not hold, and the highest that did."""
    with copy.of_the_demo() as demo, demo.serve("api", copy.UNLIMITED) as api:
        done = asyncio.run(_rising(api.address, demo.sign_in(api, PEOPLE)))
    best = highest(done)
    held, rate = (best or done[0]).figure(), f"{best.rate:g}" if best else f"less than {STEPS[0]}"
    return [
        *(one.figure() for one in done),
        Figure("API, highest load that held", f"{rate} requests/s", held.promise, held.ratio),
    ]
