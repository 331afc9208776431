"""The sealed truth: what would have become of an account after each deed, and after none.

Only evaluation reads it. Paired Monte-Carlo: all arms of a moment share their luck, so that a difference is the deed's.
A week is linear in the deviation (`latents.step`), hence luck is drawn once, beside all accounts.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from simulator import latents, store
from simulator.clock import DAY_SECONDS
from simulator.interventions import FAMILIES, Setting, shift
from simulator.lifecycle import DECISION_DAYS, monthly_odds, yearly_odds
from simulator.world import World

Array = NDArray[np.float64]
WEEKS = 26
PATHS = 400
ARMS = ("none", *FAMILIES)
CHUNK = 200


def state_of(world: World, index: int, day: int, where: Setting) -> dict[str, Any]:
    """What the potential outcomes of one account on a day depend on; `where` is the setting of all on that day."""
    account = world.accounts[index]
    return {
        "mean": world.columns.mean[index].tolist(),
        "deviation": world.columns.deviation[index].tolist(),
        "is_monthly": account.interval == "month",
        "days_to_end": account.subscriptions[0].period_end // DAY_SECONDS - day,
        "segment": float(where.segment[index]),
        "newness": float(where.newness[index]),
        "renews_itself": bool(where.renews_itself[index]),
    }


def luck(seed: int) -> Array:
    """What chance adds to true health, shape (WEEKS, PATHS)."""
    rng = np.random.default_rng([seed, 180])
    deviations = np.zeros((PATHS, 5))
    is_active, is_leaving = np.ones(PATHS, np.bool_), np.zeros(PATHS, np.bool_)
    weeks = []
    for _ in range(WEEKS):
        latents.step(rng, deviations, is_active, is_leaving)
        weeks.append(latents.health(deviations))
    return np.array(weeks)


def stays(states: list[dict[str, Any]], regime: str, chance: Array) -> Array:
    """Probability that no decision to leave falls within 26 weeks, shape (states, ARMS)."""
    mean, deviation = (np.array([state[name] for state in states]) for name in ("mean", "deviation"))
    segment, newness, renews_itself = (np.array([state[name] for state in states]) for name in Setting._fields)
    where = Setting(segment, newness, renews_itself)
    is_monthly = np.array([state["is_monthly"] for state in states])
    to_end = np.array([state["days_to_end"] for state in states])
    moved = np.stack(
        [np.zeros_like(mean), *(shift(family, mean + deviation, where, regime) for family in FAMILIES)], axis=1
    )
    settled = latents.health(mean)[:, None]
    fading = latents.health(deviation[:, None, :] + moved)
    kept = np.ones((len(states), len(ARMS), PATHS))
    for week in range(WEEKS):
        health = (settled + fading * latents.RHO ** (week + 1))[:, :, None] + chance[week]
        left = (to_end - 7 * (week + 1)) % 365
        yearly = np.where(np.isin(left, DECISION_DAYS)[:, None, None], yearly_odds(health), 0.0)
        kept *= 1 - np.where(is_monthly[:, None, None], monthly_odds(health), yearly)
    return kept.mean(axis=2)


def write(db: psycopg.Connection, file: Path) -> int:
    """Write one line per moment at which a CSM could have acted; returns how many.

    A line has id, day (number), account, arm taken, the CSM's probability of acting, and `stays` by arm. The file is
    readable by its owner only. Raises FileExistsError rather than writing over an older one, LookupError without an
    estate.
    """
    row = db.execute("select seed, regime from estate").fetchone()
    if row is None:
        raise LookupError("No estate: run `python -m simulator seed` first.")
    seed, regime = row
    chance = luck(seed)
    moments = store.moments(db)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        for first in range(0, len(moments), CHUNK):
            chunk = moments[first : first + CHUNK]
            for moment, outcomes in zip(chunk, stays([one.state for one in chunk], regime, chance), strict=True):
                line = {
                    "id": moment.id,
                    "day": moment.day,
                    "account": moment.account,
                    "arm": moment.arm,
                    "probability": moment.probability,
                    "regime": regime,
                    "stays": dict(zip(ARMS, outcomes.round(5).tolist(), strict=True)),
                }
                out.write(json.dumps(line) + "\n")
    return len(moments)
