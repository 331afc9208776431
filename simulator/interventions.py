"""What a CSM's deed does to an account: it shifts latents, and the shift decays as they do (`latents.RHO`).

Effects differ by account: who lacks depth gains by training, who is at ease with the price is only reminded of it. No
process but this one knows them; the product sees what follows, if anything.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.latents import B, F, P, R, V, sigmoid
from simulator.world import World

Array = NDArray[np.float64]
FAMILIES = ("executive_check_in", "training", "adoption", "pricing", "escalation")
REGIMES = ("visible", "hidden", "randomised", "null", "harm", "broken_logging")
"""How CSMs choose and what works. Visible: by what the sources show; hidden: by what they alone know; randomised: by
lot; null: nothing works; harm: talk of price harms everybody; broken logging: half of what is done is never written
down. The last three choose as in hidden."""
CARRIES: dict[str, tuple[str, float]] = {
    "executive_reach_out": ("executive_check_in", 1.0),
    "champion_onboarding": ("executive_check_in", 0.8),
    "business_review": ("executive_check_in", 0.7),
    "value_report": ("executive_check_in", 0.4),
    "roadmap_talk": ("executive_check_in", 0.4),
    "diagnostic_call": ("executive_check_in", 0.4),
    "training": ("training", 1.0),
    "onboarding_rescue": ("training", 1.0),
    "configuration_audit": ("adoption", 1.0),
    "integration_help": ("adoption", 0.8),
    "reengagement_email": ("adoption", 0.3),
    "commercial_offer": ("pricing", 1.0),
    "billing_fix": ("pricing", 0.6),
    "support_escalation": ("escalation", 1.0),
}
"""Family and strength of each treatment that the product's API names; one that is not here does nothing."""
SEGMENT = {"SMB": 0.7, "Mid-market": 1.0, "Enterprise": 1.3}
HARM = 0.6


class Setting(NamedTuple):
    """What of an account its response depends on, arrays over accounts: weight of its segment, newness of its users
    (1.3 new to 0.4 old), whether it renews by itself."""

    segment: Array
    newness: Array
    renews_itself: NDArray[np.bool_]


def setting(world: World, day: int) -> Setting:
    """The setting of every account on a day."""
    accounts = world.accounts
    return Setting(
        np.array([SEGMENT[account.segment] for account in accounts]),
        np.clip(1.4 - (day - world.columns.start) / 540, 0.4, 1.3),
        np.array([account.collection == "charge_automatically" for account in accounts], np.bool_),
    )


def shift(family: str, latents: Array, where: Setting, regime: str) -> Array:
    """What one deed of full strength adds to the latents, shape (accounts, 5)."""
    moved = np.zeros_like(latents)
    if regime == "null":
        return moved
    v, b, r, f, p = latents.T
    if family == "executive_check_in":
        is_woken = where.renews_itself & (r > 0.4) & (v < -0.3)
        moved[:, R] = np.where(is_woken, -1.5, 1.5 * sigmoid(-2 * r) * where.segment)
    elif family == "training":
        moved[:, V] = 1.9 * sigmoid(-2.2 * (v + 0.3)) * where.newness
    elif family == "adoption":
        moved[:, B] = 2.0 * sigmoid(-2.2 * b)
        moved[:, V] = 0.4 * sigmoid(-2 * v)
    elif family == "pricing":
        moved[:, P] = HARM if regime == "harm" else np.where(p > 0.2, -1.9 * sigmoid(2 * (p - 0.3)), 0.35)
    elif family == "escalation":
        moved[:, F] = -2.0 * sigmoid(2.2 * (f - 0.3))
    return moved


def take_effect(world: World, deeds: list[tuple[int, str, float]], day: int, regime: str) -> None:
    """Let deeds (account number, family, strength) work on a day, one after the other."""
    if not deeds:
        return
    where = setting(world, day)
    for number, family, strength in deeds:
        one = slice(number - 1, number)
        part = Setting(where.segment[one], where.newness[one], where.renews_itself[one])
        world.columns.deviation[one] += strength * shift(family, world.latents()[one], part, regime)
