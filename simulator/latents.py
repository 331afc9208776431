"""The hidden causes: five latents per account, moved once a week, and the shocks that hit them.

V depth of use, B breadth, R relationship, F friction, P price pressure; AR(1) around a mean of the account's own. Nothing outside
this process ever sees them: they show only through usage, tickets, invoices, answers and what people write.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

V, B, R, F, P = range(5)
RHO = 0.95
INNOVATION = 0.22
MEAN_SD = 0.6
DEVIATION_SD = 0.8
HEALTH_WEIGHTS = np.array([0.55, 0.35, 0.60, -0.65, -0.55])

Array = NDArray[np.float64]


class Shock(NamedTuple):
    """Something that happened to one account (its index) this week."""

    index: int
    kind: str


WEEKLY_SHOCKS: list[tuple[str, float, dict[int, float]]] = [
    ("champion_left", 0.004, {R: -1.2, V: -0.35}),
    ("incident", 0.006, {F: 1.2}),
    ("price_event", 0.0015, {P: 1.0}),
    ("team_change", 0.002, {V: -1.1}),
]
STARTING: list[tuple[float, dict[int, float]]] = [(0.06, {R: -1.0}), (0.08, {F: 1.0}), (0.10, {P: 1.0})]


def draw_means(rng: np.random.Generator, count: int) -> Array:
    """Account means, shape (count, 5). The vendor's customers are a little better than neutral: the worst never signed."""
    means = rng.normal(0.0, MEAN_SD, (count, 5))
    return means + np.array([0.22, 0.12, 0.22, -0.18, -0.12])


def draw_deviations(rng: np.random.Generator, count: int) -> Array:
    """Deviation from the mean on the first day, shape (count, 5), some accounts with a shock still fading."""
    deviations = rng.normal(0.0, DEVIATION_SD * 0.8, (count, 5))
    for share, moves in STARTING:
        hit = rng.random(count) < share
        for latent, size in moves.items():
            deviations[hit, latent] += size
    return deviations


def step(
    rng: np.random.Generator, deviations: Array, active: NDArray[np.bool_], leaving: NDArray[np.bool_]
) -> list[Shock]:
    """One week: decay, innovate, shock. Changes `deviations` in place; accounts under notice wind down (V falls)."""
    count = len(deviations)
    deviations *= RHO
    deviations += rng.normal(0.0, INNOVATION, (count, 5))
    deviations[leaving, V] -= 0.38
    shocks: list[Shock] = []
    for kind, rate, moves in WEEKLY_SHOCKS:
        hit = (rng.random(count) < rate) & active & ~leaving
        for latent, size in moves.items():
            deviations[hit, latent] += size
        shocks.extend(Shock(int(index), kind) for index in np.nonzero(hit)[0])
    return shocks


def health(latents: Array) -> Array:
    """True health H, shape (count,): about N(0.3, 1.2)."""
    return latents @ HEALTH_WEIGHTS


def sigmoid(value: Array) -> Array:
    """Logistic function, safe for large values."""
    return 1.0 / (1.0 + np.exp(-np.clip(value, -30, 30)))
