"""Figures as a table a reader can check: what, how much, what was promised, and the ratio of the two."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.machine import Machine


@dataclass(frozen=True)
class Figure:
    """One measurement; a ratio of at most 1 keeps the promise."""

    name: str
    measured: str
    promise: str
    ratio: float


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` of them do not exceed (nearest rank). Raises ValueError for none.

    Never between two: a percentile that nobody waited for is not a wait.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table(figures: Sequence[Figure], before: Machine, after: Machine) -> str:
    """Markdown, with the machine's state at both ends of the run."""
    rows = [f"| {one.name} | {one.measured} | {one.promise} | {one.ratio:.2f} |" for one in figures]
    head = ["| what | measured | promise | ratio |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, "", f"Before: {before}. After: {after}.", ""])
