"""From a model and account-days to probabilities and their drivers, in words."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from learning.additive import Additive, points_ahead, within_horizon
from learning.features import PERIOD, words
from learning.frames import numbers

LEAST_EFFECT = 0.001
"""A driver that moves the probability by less is not told."""
DIGITS = 6
"""Probabilities and points are stored with as many digits: a hash of a score must not hang on the last bit of a sum."""


@dataclass(frozen=True)
class Score:
    """One account-day. `drivers` as in `marts.fct_churn_risk_daily`, strongest first, each with its points."""

    account_key: str
    score_date: date
    churn_probability_90d: float
    drivers: list[dict[str, Any]]


def scores(model: Additive, days: pd.DataFrame) -> list[Score]:
    """A score per account-day, in the order of `days` (account_key, risk_date, the features).

    The effect of a driver is what the probability would lose without it: with its points at zero, where the usual
    account is. `points` are its log-odds, averaged over the periods ahead; with those of the other terms they add up to
    the model.
    """
    if days.empty:
        return []
    points = points_ahead(model, days)
    total = model.intercept + points.sum(axis=-1)
    probabilities = within_horizon(total)
    without = np.stack([within_horizon(total - points[..., index]) for index in range(len(model.terms))], axis=-1)
    effects, mean_points = probabilities[:, None] - without, points.mean(axis=0)
    told = {index: numbers(days, term.feature) for index, term in enumerate(model.terms) if term.feature != PERIOD}
    made = []
    for row, (account_key, day) in enumerate(zip(days["account_key"], days["risk_date"], strict=True)):
        drivers = [
            _driver(model.terms[index].feature, values[row], mean_points[row, index], effects[row, index])
            for index, values in told.items()
            if abs(effects[row, index]) >= LEAST_EFFECT
        ]
        drivers.sort(key=lambda driver: (-abs(driver["effect"]), -abs(driver["points"]), driver["driver"]))
        made.append(Score(account_key, day.date(), round(float(probabilities[row]), DIGITS), drivers))
    return made


def _driver(feature: str, value: float, points: float, effect: float) -> dict[str, Any]:
    return {
        "driver": feature,
        "direction": "raises" if effect > 0 else "lowers",
        "effect": round(float(effect), 4),
        "points": round(float(points), 4),
        "text": words(feature, value),
        "value": None if np.isnan(value) else round(float(value), 4),
    }
