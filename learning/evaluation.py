"""How good probabilities are, on days that nobody has learned from: order, lift, calibration, lead time."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from learning.frames import Array, Mask, left_count, numbers, only, truths

HIGH = 0.25
"""Above it an account is called High (`domain.md`)."""
BINS = 10


@dataclass(frozen=True)
class Bin:
    """A tenth of the days, by probability: what was said and what came."""

    count: int
    mean_probability: float
    churn_rate: float


@dataclass(frozen=True)
class Quality:
    """Figures over account-days whose 90 days have passed. `left_count` counts accounts, `day_count` days.

    `auc` is None without both outcomes. `top_decile_lift` is the churn rate of the tenth with the highest
    probabilities over the rate of all; `top_decile_share` how much of the churn it holds. `ece` is the mean distance
    between said and come over ten bins of equal count. `median_lead_days`: from the first day of the test on which an
    account that left was called High to its end, over those called at all (`called_share`).
    """

    day_count: int
    left_count: int
    churn_rate: float
    mean_probability: float
    auc: float | None
    top_decile_lift: float | None
    top_decile_share: float | None
    brier: float
    ece: float
    called_share: float | None
    median_lead_days: float | None
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded to what they can bear."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
            if name != "bins"
        } | {"bins": [{name: round(value, 4) for name, value in asdict(one).items()} for one in self.bins]}


def auc(probabilities: Array, left: Mask) -> float | None:
    """The chance that one who left had the higher probability of two; ties count half."""
    gone, stayed = int(left.sum()), int((~left).sum())
    if not gone or not stayed:
        return None
    ranks = rankdata(probabilities)
    return float((ranks[left].sum() - gone * (gone + 1) / 2) / (gone * stayed))


def _bins(probabilities: Array, left: Mask) -> tuple[Bin, ...]:
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return tuple(Bin(len(p), float(probabilities[p].mean()), float(left[p].mean())) for p in parts)


def quality(days: pd.DataFrame, probabilities: Array) -> Quality:
    """Figures of `probabilities` over mature days: account_key, risk_date, days_to_churn, left (`periods.mature`)."""
    left = truths(days, "left")
    bins = _bins(probabilities, left)
    rate = float(left.mean()) if len(left) else 0.0
    top = np.argsort(-probabilities, kind="stable")[: max(1, round(len(left) / 10))]
    called = only(days, left & (probabilities > HIGH)).sort_values("risk_date").drop_duplicates("account_key")
    gone = left_count(days)
    return Quality(
        day_count=len(left),
        left_count=gone,
        churn_rate=rate,
        mean_probability=float(probabilities.mean()) if len(left) else 0.0,
        auc=auc(probabilities, left),
        top_decile_lift=float(left[top].mean() / rate) if rate else None,
        top_decile_share=float(left[top].sum() / left.sum()) if rate else None,
        brier=float(np.mean((probabilities - left) ** 2)) if len(left) else 0.0,
        ece=float(sum(b.count * abs(b.mean_probability - b.churn_rate) for b in bins) / max(1, len(left))),
        called_share=len(called) / gone if gone else None,
        median_lead_days=float(np.median(numbers(called, "days_to_churn"))) if len(called) else None,
        bins=bins,
    )
