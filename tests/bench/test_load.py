"""The load is what it says it is: its rate, its mix, and nothing left out while the server is slow."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from bench.load import BARE, MIX, PROMISE_MS, Arrival, Crowd, Step, arrivals, step
from bench.report import percentile


def test_requests_come_at_their_rate_in_their_mix() -> None:
    due = list(arrivals(100, 100.0, 40, seed=1))

    kinds = Counter(one.kind for one in due)
    mixed = sum(kinds[kind] for kind in MIX)
    assert mixed == pytest.approx(10_000, rel=0.05)
    assert kinds[BARE] == pytest.approx(1_000, rel=0.15)
    for kind, share in MIX.items():
        assert kinds[kind] / mixed == pytest.approx(share / 100, rel=0.2), kind
    assert {one.person for one in due} == set(range(40))


def test_the_mix_is_a_hundred_requests_that_people_can_make() -> None:
    assert sum(MIX.values()) == 100
    assert all(callable(getattr(Crowd, kind)) for kind in (*MIX, BARE))


def test_a_step_can_be_repeated() -> None:
    def seeded(seed: int) -> list[Arrival]:
        return list(arrivals(20, 5.0, 3, seed=seed))

    assert seeded(7) == seeded(7)
    assert seeded(7) != seeded(8)


class Slow:
    """Answers one request at a time."""

    def __init__(self, seconds: float, status: int = 200) -> None:
        self.people = [SimpleNamespace()]
        self._turn = asyncio.Lock()
        self._seconds = seconds
        self._status = status

    def __getattr__(self, kind: str) -> Any:
        async def ask(_person: object) -> httpx.Response:
            async with self._turn:
                await asyncio.sleep(self._seconds)
            return httpx.Response(404 if kind == BARE else self._status)

        return ask


def _done(seconds: float, *, rate: float, status: int = 200) -> Step:
    async def run() -> Step:
        return await step(cast(Crowd, Slow(seconds, status)), rate, 1.0, seed=3)

    return asyncio.run(run())


def test_what_waits_behind_a_slow_answer_is_counted_from_when_it_was_due() -> None:
    done = _done(0.1, rate=30)

    # thirty a second come and ten go: a client that waited for each answer would have seen 0.1 s every time
    assert percentile(done.mixed, 0.5) > 0.5
    assert not done.has_held


def test_an_answer_that_is_an_error_is_a_failure_and_a_missing_path_is_meant() -> None:
    failing = _done(0.0, rate=50, status=500)
    fine = _done(0.0, rate=50)

    assert failing.failed == len(failing.mixed)
    assert fine.failed == 0
    assert fine.bare


@pytest.mark.parametrize(
    ("slowest_ms", "failed", "has_held"), [(PROMISE_MS, 0, True), (PROMISE_MS + 1, 0, False), (1, 1, False)]
)
def test_a_step_holds_within_the_promise_and_without_a_failure(slowest_ms: float, failed: int, has_held: bool) -> None:
    assert Step(10, [slowest_ms / 1000], [], failed).has_held is has_held
