"""The figures of a version, reckoned by hand."""

import numpy as np
import pytest

from learning import evaluation
from tests.learning.made import days


def judged(outcomes: list[float | None]):
    frame = days(
        [
            {"account_key": f"{n:02d}", "days_to_churn": np.nan if left is None else left}
            for n, left in enumerate(outcomes)
        ]
    )
    return frame.assign(left=frame["days_to_churn"] <= 90)


def test_auc_counts_pairs_and_ties_half() -> None:
    left = np.array([True, True, False, False])

    assert evaluation.auc(np.array([0.9, 0.4, 0.4, 0.1]), left) == pytest.approx(3.5 / 4)
    assert evaluation.auc(np.array([0.5, 0.5]), np.array([False, False])) is None


def test_lift_calibration_and_lead_are_those_of_the_definition() -> None:
    frame = judged([80, 20, *[None] * 18])
    said = np.array([0.6, 0.1, *[0.05] * 18])

    found = evaluation.quality(frame, said)

    # of twenty the top tenth is two: one of them by 0.6, the other by 0.1, both left
    assert (found.day_count, found.left_count, found.churn_rate) == (20, 2, 0.1)
    assert (found.top_decile_lift, found.top_decile_share) == (10.0, 1.0)
    assert found.brier == pytest.approx((0.4**2 + 0.9**2 + 18 * 0.05**2) / 20)
    # ten bins of two: nine said 0.05 and lost nobody, one said 0.35 and lost both
    assert found.ece == pytest.approx((18 * 0.05 + 2 * 0.65) / 20)
    assert (found.called_share, found.median_lead_days) == (0.5, 80.0)
    assert [one.count for one in found.bins] == [2] * 10


def test_the_lead_is_from_the_first_day_an_account_was_called() -> None:
    frame = judged([85, 55, 25]).assign(account_key="a")
    frame["risk_date"] = frame["risk_date"] + np.array([0, 30, 60], dtype="timedelta64[D]")

    assert evaluation.quality(frame, np.array([0.1, 0.3, 0.4])).median_lead_days == 55
