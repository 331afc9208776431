"""How many people who click one Streamlit process serves, and what each costs it in memory.

One process of the pages, on a copy of the demo, asked directly. A person is a tab of its own with a signed-in session:
a socket over which Streamlit's own messages go, without the browser that would draw them (`bench.tab`), because a
hundred Chromiums would measure themselves. Each thinks for 5 to 15 s, ten on average, then opens another page, in the
order of a working day: My day, Accounts, one account, Actions, one action. Every click is thus a whole page; most
clicks inside one are a fragment of it and cost less. A rerun is timed from the click to the message that ends it: the
person's share of the process, without what the browser then does. Who waits does not click.

One person alone, who hardly thinks, gives the yardstick. Then the number of people rises, the earlier ones staying,
until the 95th percentile of a rerun has doubled and does so again. Memory is what the process holds at the end, less
what it held after that first person, over the people who came since.
"""

import asyncio
import random
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench import copy, tab
from bench.copy import Person, Served
from bench.ladder import climb, highest
from bench.report import Figure, percentile

STEPS = (10, 15, 20, 25, 30, 40, 60)  # people
THINK_SECONDS = (5.0, 15.0)
COMING_SECONDS = 10.0  # over which those who are new in a step come
ALONE_CLICKS, ALONE_SECONDS = 30, 0.5
SECONDS, RERUNS = 20.0, 30  # a step lasts until it has about so many
SLOWER = 2.0


@dataclass(frozen=True)
class Place:
    """A page that is opened: its address and query."""

    page: str
    query: str = ""


class Visitor:
    """One person's tab. It keeps when each rerun began and what it took, in seconds, and when the running one began."""

    def __init__(self, pages: str, person: Person, places: Sequence[Place], *, seed: int) -> None:
        self._pages = pages
        self._person = person
        self._places = places
        self._chance = random.Random(seed)
        self.reruns: list[tuple[float, float]] = []
        self.waiting_since: float | None = None

    async def stay(self) -> None:
        """Come within COMING_SECONDS, then click and think until cancelled."""
        await asyncio.sleep(self._chance.uniform(0, COMING_SECONDS))
        async with connect(**tab.handshake(self._pages, self._person.cookie)) as socket:
            for number in count(self._chance.randrange(len(self._places))):
                await self._open(socket, self._places[number % len(self._places)])
                await asyncio.sleep(self._chance.uniform(*THINK_SECONDS))

    async def click(self, clicks: int, *, think_seconds: float) -> None:
        """Click so often, thinking so long, and go."""
        async with connect(**tab.handshake(self._pages, self._person.cookie)) as socket:
            for number in range(clicks):
                await self._open(socket, self._places[number % len(self._places)])
                await asyncio.sleep(think_seconds)

    async def _open(self, socket: ClientConnection, place: Place) -> None:
        began = self.waiting_since = time.perf_counter()
        await socket.send(tab.rerun(page=place.page, query=place.query))
        shown = None
        while not tab.is_drawn(said := tab.message(await socket.recv())):
            if said.WhichOneof("type") == "navigation":
                here = said.navigation
                shown = next((one for one in here.app_pages if one.page_script_hash == here.page_script_hash), None)
            if said.delta.new_element.WhichOneof("type") == "exception":
                raise SystemExit(f"{place}: {said.delta.new_element.exception.message}")
        if shown is None or shown.url_pathname != place.page:
            raise SystemExit(f"{place} was not shown to {self._person.email}.")  # signed out, or not theirs
        self.reruns.append((began, time.perf_counter() - began))
        self.waiting_since = None


def _memory_mb(pid: int) -> float:
    """What a process holds in memory."""
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(said.stdout) / 1024


@dataclass(frozen=True)
class Step:
    """Seconds of every rerun that began while so many people were there, and how long it lasted."""

    people: int
    reruns: list[float]
    seconds: float
    alone_p95: float

    @property
    def slower(self) -> float:
        """How many times the 95th percentile is that of one person alone."""
        return percentile(self.reruns, 0.95) / self.alone_p95

    @property
    def has_held(self) -> bool:
        """Whether a rerun has not become SLOWER times slower."""
        return self.slower <= SLOWER

    def figure(self) -> Figure:
        """The step as a line of the table."""
        p50, p95 = (percentile(self.reruns, share) for share in (0.5, 0.95))
        measured = f"a rerun p50 {p50:.2f} s, p95 {p95:.2f} s of {len(self.reruns)} ({self.slower:.1f} times alone)"
        promise = f"p95 {SLOWER:g} times alone"
        return Figure(f"{self.people} people on a Streamlit process", measured, promise, self.slower / SLOWER)


async def _during(there: Sequence[Visitor]) -> list[float]:
    """Seconds of every rerun that begins while the step lasts, however long the last of them takes."""
    began = time.perf_counter()
    await asyncio.sleep(max(SECONDS, RERUNS * sum(THINK_SECONDS) / 2 / len(there)))
    ended = time.perf_counter()
    while any(one.waiting_since and one.waiting_since < ended for one in there):
        await asyncio.sleep(0.1)
    return [took for one in there for at, took in one.reruns if began <= at < ended]


async def _rising(streamlit: Served, people: Sequence[Person], places: Sequence[Place]) -> list[Figure]:
    def visitor(number: int) -> Visitor:
        return Visitor(streamlit.address, people[number], places, seed=number)

    await visitor(0).click(len(places), think_seconds=0)  # imports and caches of a fresh process are not a rerun
    alone = visitor(0)
    await alone.click(ALONE_CLICKS, think_seconds=ALONE_SECONDS)
    yardstick = [seconds for _, seconds in alone.reruns]
    p50, p95 = (percentile(yardstick, share) for share in (0.5, 0.95))
    alone_took = f"a rerun p50 {p50:.2f} s, p95 {p95:.2f} s of {len(yardstick)}"
    memory = _memory_mb(streamlit.pid)
    there: list[Visitor] = []
    tasks: list[asyncio.Task[None]] = []

    async def with_people(wanted: int) -> Step:
        there.extend(visitor(number) for number in range(len(there), wanted))
        tasks.extend(running.create_task(one.stay()) for one in there[len(tasks) :])
        await asyncio.sleep(COMING_SECONDS)
        began = time.perf_counter()
        reruns = await _during(there)
        return Step(wanted, reruns, time.perf_counter() - began, alone_p95=p95)

    async with asyncio.TaskGroup() as running:
        done = await climb(STEPS, with_people)
        each = (_memory_mb(streamlit.pid) - memory) / len(there)
        for task in tasks:
            task.cancel()
    best = highest(done)
    held = (best or done[0]).figure()
    served = (
        f"{best.people} people, {len(best.reruns) / best.seconds:.1f} reruns/s" if best else f"fewer than {STEPS[0]}"
    )
    measured = f"{served}; memory {memory:.0f} MB and {each:.1f} MB for each of {len(there)}"
    return [
        Figure("one person alone on a Streamlit process", alone_took, "1.0 s", p95),
        *(one.figure() for one in done),
        Figure("most people that one Streamlit process served", measured, held.promise, held.ratio),
    ]


def measure() -> list[Figure]:
    """One person alone, every step up to the first that does not hold, and the highest that did."""
    with copy.of_the_demo() as demo:
        with demo.serve("api", copy.UNLIMITED) as api:
            people = demo.sign_in(api, STEPS[-1])
            known = {"Cookie": people[0].cookie}
            account = httpx.get(f"{api.address}/accounts?limit=1", headers=known, timeout=30).json()["items"][0]
            action = httpx.get(f"{api.address}/actions?limit=1", headers=known, timeout=30).json()["items"][0]
        places = [
            Place("my-day"),
            Place("accounts"),
            Place("account", f"account={account['account_key']}"),
            Place("actions"),
            Place("actions", f"action={action['action_id']}"),
        ]
        with demo.serve("streamlit", {}) as streamlit:
            return asyncio.run(_rising(streamlit, people, places))
