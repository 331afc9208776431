"""Percentiles, and what a figure promises."""

import pytest

from bench import cache
from bench.cache import Spent
from bench.report import percentile


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        (range(1, 101), 0.99, 99),
        (range(1, 101), 0.5, 50),
        (range(1, 16), 0.95, 15),  # one of fifteen is more than a twentieth
        ([7.0], 0.5, 7.0),
        ([3, 1, 2], 0.0, 1),
        ([3, 1, 2], 1.0, 3),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(list(values), share) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.95)


def test_a_read_that_is_twenty_times_cheaper_just_keeps_the_promise() -> None:
    told = cache.figure("x", Spent(10, reading=1.0, whole=2.0), Spent(10, reading=20.0, whole=21.0))

    assert told.ratio == pytest.approx(1.0)
    assert "(20 times)" in told.measured
    assert "(10.5 times)" in told.measured


def test_routes_count_together_by_what_they_cost() -> None:
    both = cache.together([Spent(10, reading=1.0, whole=2.0), Spent(10, reading=3.0, whole=6.0)])

    assert both.each() == (0.2, 0.4)
