"""Account-days made by a known rule, so that a test knows what there is to learn. Nothing of the simulator is read."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from learning.additive import logistic
from learning.features import NAMES, RENEWAL

AS_OF = date(2026, 10, 31)

USUAL = {
    "seat_use": 0.8, "seat_use_change": 0.0, "key_activity_change": 0.0, "days_since_use": 1.0, "campaigns_ratio": 1.0,
    "feature_families": 5.0, "live_automations": 2.0, "ticket_count": 1.0, "urgent_unresolved": 0.0,
    "days_since_contact": 10.0, "known_roles": 3.0, "champions": 1.0, "nps": 8.0, "overdue_days": 0.0,
    "failed_payments": 0.0, RENEWAL: np.nan, "has_notice": 0.0, "customer_age_days": 400.0,
}  # fmt: skip


def days(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Account-days as the learner reads them; what a row leaves out is as usual."""
    usual = {
        "account_key": "a", "risk_date": "2026-03-01", "days_to_churn": np.nan, "churn_kind": None,
        "rule_probability_90d": 0.05, **USUAL,
    }  # fmt: skip
    frame = pd.DataFrame([{**usual, **row} for row in rows])
    return frame.assign(risk_date=pd.to_datetime(frame["risk_date"])).astype(
        dict.fromkeys([*NAMES, "days_to_churn", "rule_probability_90d"], "float64")
    )


def history(accounts: int, *, seed: int = 7, months: int = 22, effect: float = 3.0, rate: float = -4.6) -> pd.DataFrame:
    """Monthly days of accounts that leave the more the less they use their seats; `effect` 0 makes it pure chance.

    Everything else is noise. The rules guess 5% for everybody.
    """
    rng = np.random.default_rng(seed)
    firsts = [moment.date() for moment in pd.date_range(end="2026-10-01", periods=months, freq="MS")]
    made: list[dict[str, object]] = []
    for number in range(accounts):
        use, left = float(np.clip(rng.normal(0.7, 0.25), 0.0, 1.2)), None
        seen: list[tuple[date, float]] = []
        for first in firsts:
            use = float(np.clip(use + rng.normal(0, 0.05), 0.0, 1.2))
            seen.append((first, use))
            if rng.random() < logistic(np.array(rate + effect * (0.7 - use))):
                left = date.fromordinal(first.toordinal() + int(rng.integers(1, 28)))
                break
        made += [
            {
                "account_key": f"{number:04d}",
                "risk_date": day.isoformat(),
                "seat_use": value,
                "nps": float(rng.integers(0, 11)) if rng.random() < 0.7 else np.nan,
                "ticket_count": float(rng.poisson(2)),
                "days_to_churn": (left - day).days if left and left <= AS_OF else np.nan,
                "churn_kind": "voluntary" if left and left <= AS_OF else None,
            }
            for day, value in seen
        ]
    return days(made)
