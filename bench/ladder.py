"""Load that rises step by step until it is too much, the same for requests and for people."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from bench.report import Figure


class Step(Protocol):
    """What became of one step."""

    @property
    def has_held(self) -> bool:
        """Whether the promise was kept at this load."""
        ...

    def figure(self) -> Figure:
        """The step as a line of the table."""
        ...


Taken = TypeVar("Taken", bound=Step)


async def climb(loads: Iterable[int], take: Callable[[int], Awaitable[Taken]]) -> list[Taken]:
    """Every step that was taken, up to the first load that did not hold.

    One that did not is tried once more: something else on the machine may have been the reason.
    """
    taken: list[Taken] = []
    for load in loads:
        for _ in range(2):
            taken.append(await take(load))
            if taken[-1].has_held:
                break
        else:
            break
    return taken


def highest(taken: Sequence[Taken]) -> Taken | None:
    """The highest load that held, None when even the first did not."""
    return next((step for step in reversed(taken) if step.has_held), None)
