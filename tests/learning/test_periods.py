"""What counts as an answer, and what does not yet."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from learning import periods
from learning.features import PERIOD, RENEWAL
from tests.learning.made import days

FIRST = date(2026, 3, 1)


def answers(frame_days: Sequence[Mapping[str, object]], known_until: date) -> list[tuple[str, float, bool]]:
    rows = periods.account_periods(days(frame_days), known_until=known_until)
    return sorted(zip(rows["account_key"], rows[PERIOD], rows["left"], strict=True))


def test_a_period_that_has_not_ended_is_not_a_retained_one() -> None:
    assert answers([{}], date(2026, 3, 30)) == []
    assert answers([{}], date(2026, 3, 31)) == [("a", 0.0, False)]
    assert answers([{}], date(2026, 5, 29)) == [("a", 0.0, False), ("a", 1.0, False)]
    assert answers([{}], date(2026, 5, 30)) == [("a", 0.0, False), ("a", 1.0, False), ("a", 2.0, False)]


def test_who_left_answers_up_to_the_period_it_left_in() -> None:
    assert answers([{"days_to_churn": 30}], date(2026, 12, 1)) == [("a", 0.0, True)]
    assert answers([{"days_to_churn": 31}], date(2026, 12, 1)) == [("a", 0.0, False), ("a", 1.0, True)]
    assert answers([{"days_to_churn": 0}], date(2026, 12, 1)) == []


def test_a_churn_that_was_not_known_on_the_day_of_learning_is_not_learned() -> None:
    left_in_may = [{"days_to_churn": 75}]

    assert answers(left_in_may, date(2026, 5, 14)) == [("a", 0.0, False), ("a", 1.0, False)]
    assert answers(left_in_may, date(2026, 5, 15)) == [("a", 0.0, False), ("a", 1.0, False), ("a", 2.0, True)]
    assert answers(left_in_may, date(2026, 2, 1)) == []


def test_judged_days_have_their_whole_horizon_behind_them_whatever_happened_in_it() -> None:
    left = {"a": np.nan, "b": 10, "c": 91}
    frame = days([{"account_key": key, "days_to_churn": day} for key, day in left.items()])

    early = periods.mature(frame, known_until=date(2026, 5, 29))
    late = periods.mature(frame, known_until=date(2026, 5, 30))

    assert len(early) == 0
    assert dict(zip(late["account_key"], late["left"], strict=True)) == {"a": False, "b": True, "c": False}


def test_only_the_renewal_comes_nearer_and_then_the_next_one() -> None:
    frame = days([{RENEWAL: 45.0}, {RENEWAL: np.nan}])

    nearer = [periods.at_period(frame, period)[RENEWAL].tolist()[0] for period in range(periods.PERIODS)]

    assert nearer == [45.0, 15.0, 350.0]
    assert periods.at_period(frame, 1)[RENEWAL].isna().tolist() == [False, True]
    assert periods.at_period(frame, 1)["seat_use"].tolist() == frame["seat_use"].tolist()
