"""How a simulated CSM judges: by how an account feels to them, by habit, and not by what will come of it.

Who worries acts, so that risky accounts get the deeds and a naive reading of outcomes has the wrong sign.
"""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.interventions import CARRIES
from simulator.latents import HEALTH_WEIGHTS, B, F, P, R, V

HABIT = {"executive_reach_out": 0.5, "diagnostic_call": 0.4, "business_review": 0.3}
"""What a CSM likes to do whatever is needed."""
NEED = {
    "executive_check_in": (R, -1),
    "training": (V, -1),
    "adoption": (B, -1),
    "pricing": (P, 1),
    "escalation": (F, 1),
}
CHOICES = [
    "executive_reach_out",
    "diagnostic_call",
    "business_review",
    "training",
    "configuration_audit",
    "commercial_offer",
    "support_escalation",
]
SHOWING = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
"""Of V, B, R, F, P, what the sources show well enough to judge by."""
USUAL, SPREAD = 0.3, 1.2
"""Mean and standard deviation of true health over accounts."""
PULSE_SLOPE, PULSE_NOISE = 1.3, 0.35
REASONS = ["already_handled", "known_and_accepted", "bad_timing", "better_action_chosen"]
Latents = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Outcome:
    """What a CSM writes when something is done."""

    was_reached: bool
    result: str
    response: str
    minutes: int
    note: str


def seen(latents: Latents, regime: str) -> NDArray[np.float64]:
    """The latents as a CSM of this regime knows them."""
    return np.array(latents) * (SHOWING if regime == "visible" else 1.0)


def worry(latents: Latents, regime: str) -> float:
    """How worried the CSM is, about N(0, 1); nobody is where the lot decides."""
    if regime == "randomised":
        return 0.0
    return float((USUAL - seen(latents, regime) @ HEALTH_WEIGHTS) / SPREAD)


def pulse(latents: Latents, dice: random.Random) -> int:
    """How the account feels, 1 to 5: better informed than any record."""
    health = float(np.array(latents) @ HEALTH_WEIGHTS)
    return int(np.clip(round(3 + PULSE_SLOPE * (health + dice.gauss(0, PULSE_NOISE))), 1, 5))


def chance_to_accept(worried: float) -> float:
    """Probability of taking a suggestion up: three quarters on the average account."""
    return float(1 / (1 + np.exp(-(1.1 + 0.9 * worried))))


def chance_to_begin(worried: float) -> float:
    """Probability, in a week, of doing something unasked."""
    return float(1 / (1 + np.exp(-(-3.6 + 1.5 * worried))))


def chosen(latents: Latents, regime: str, dice: random.Random) -> str:
    """The treatment of a CSM who begins by themself: by need and habit; by lot where the lot decides."""
    if regime == "randomised":
        return dice.choice(CHOICES)
    known = seen(latents, regime)
    pull = []
    for treatment in CHOICES:
        latent, sign = NEED[CARRIES[treatment][0]]
        pull.append(float(np.exp(sign * known[latent] + HABIT.get(treatment, 0.0))))
    return dice.choices(CHOICES, pull)[0]


def reason_against(worried: float, dice: random.Random) -> str:
    """Why a suggestion is dismissed."""
    return dice.choice([*REASONS, "not_a_real_risk", "not_a_real_risk"] if worried < 0 else REASONS)


def outcome(latents: Latents, treatment: str, dice: random.Random) -> Outcome:
    """What is written at the end: the impression of the day, not what becomes of the account."""
    words = treatment.replace("_", " ")
    if dice.random() > 1 / (1 + np.exp(-(1.7 + 0.9 * latents[R]))):
        return Outcome(False, "unsuccessful", "none", dice.randrange(5, 20), f"Tried a {words} three times, no answer.")
    is_warm = dice.random() < 1 / (1 + np.exp(-(0.6 + 0.8 * latents[R])))
    response = "positive" if is_warm else dice.choice(["neutral", "neutral", "negative"])
    result = dice.choices(
        ["successful", "too_early", "unsuccessful"], [0.7, 0.2, 0.1] if is_warm else [0.25, 0.4, 0.35]
    )
    note = f"The {words} took place; next steps agreed." if is_warm else f"The {words} took place; they will see."
    return Outcome(True, result[0], response, dice.randrange(20, 90), note)
