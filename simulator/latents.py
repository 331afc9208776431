"""The hidden causes: five latents per account, moved once a week, and the shocks that hit them.

V depth of use, B breadth, R relationship, F friction, P price pressure; AR(1) around a mean of the account's own.
Nothing outside this process ever sees them: they show only through usage, tickets, invoices, answers and what people
write.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

V, B, R, F, P = range(5)
RHO = 0.95
INNOVATION = 0.22
MEAN_SD = 0.75
DEVIATION_SD = 0.8
LOADING = np.array([0.78, 0.60, 0.72, -0.62, -0.55])
"""How much of each latent is the account's common fortune: what goes wrong rarely goes wrong alone."""
THRIVING = np.array([0.22, 0.12, 0.18, -0.10, -0.05])
STRUGGLING = np.array([-1.9, -1.5, -1.5, 1.5, 1.0])
STRUGGLING_SHARE = 0.24
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
    ("pause", 0.009, {}),
    ("team_change", 0.003, {V: -1.5}),
]
STARTING: list[tuple[float, dict[int, float]]] = [(0.06, {R: -1.0}), (0.08, {F: 1.0}), (0.10, {P: 1.0})]


def correlated(rng: np.random.Generator, count: int) -> Array:
    """Standard normal draws, shape (count, 5), that share a common factor by LOADING."""
    own, common = rng.normal(size=(count, 5)), rng.normal(size=(count, 1))
    return own * np.sqrt(1 - LOADING**2) + common * LOADING


def draw_means(rng: np.random.Generator, count: int) -> Array:
    """Account means, shape (count, 5); some accounts bought what they never came to use well."""
    struggling = rng.random((count, 1)) < STRUGGLING_SHARE
    return MEAN_SD * correlated(rng, count) + np.where(struggling, STRUGGLING, THRIVING)


def draw_deviations(rng: np.random.Generator, count: int) -> Array:
    """Deviation from the mean on the first day, shape (count, 5), some accounts with a shock still fading."""
    deviations = DEVIATION_SD * correlated(rng, count)
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
    deviations += INNOVATION * correlated(rng, count)
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
