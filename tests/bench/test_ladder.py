"""A load rises until it is too much twice in a row."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bench.ladder import climb, highest
from bench.report import Figure


@dataclass
class Attempt:
    load: int
    has_held: bool

    def figure(self) -> Figure:
        """Not asked for here."""
        raise NotImplementedError


def _climbed(outcomes: Sequence[bool]) -> list[Attempt]:
    following = iter(outcomes)

    async def take(load: int) -> Attempt:
        return Attempt(load, next(following))

    return asyncio.run(climb([10, 20, 30], take))


@pytest.mark.parametrize(
    ("outcomes", "loads", "best"),
    [
        ([True, True, True], [10, 20, 30], 30),
        ([True, False, False], [10, 20, 20], 10),
        ([True, False, True, True], [10, 20, 20, 30], 30),  # once may be somebody else's work
        ([False, False], [10, 10], None),
    ],
)
def test_a_load_that_does_not_hold_is_tried_again_and_then_ends_it(
    outcomes: list[bool], loads: list[int], best: int | None
) -> None:
    taken = _climbed(outcomes)

    held = highest(taken)
    assert [one.load for one in taken] == loads
    assert (held.load if held else None) == best
