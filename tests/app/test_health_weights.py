"""Weights of a score told from what its measures contributed."""

from typing import Any

import pytest

from app.marts import health
from tests.app.factories import AS_OF, Estate

FULL = {"seat_use": 0.5, "recency": 0.3, "nps": 0.2}


def _row(estate: Estate, name: str, points: dict[str, int | None], weights: dict[str, float] = FULL) -> str:
    """One day on which these measures scored these points; contributions follow, what has no points is left out."""
    key = estate.account(name)
    present = sum(weights[measure] for measure, got in points.items() if got is not None)
    columns: dict[str, Any] = {"seat_use_contribution": None}
    for measure, got in points.items():
        columns[f"{measure}_points"] = got
        columns[f"{measure}_contribution"] = None if got is None else got * weights[measure] / present
    score = sum(value for name, value in columns.items() if name.endswith("_contribution") and value is not None)
    estate.health(key, [float(score)], profile="default", **columns)
    return key


def _weights(estate: Estate, key: str) -> dict[str, float]:
    with estate.work() as db:
        row = health.on(db, key, AS_OF)
        assert row is not None
        return dict(health.weights(db, row))


def test_a_weight_is_what_a_point_contributed_and_one_poor_measure_has_the_rest(estate: Estate) -> None:
    estate.publish()
    key = _row(estate, "One", {"seat_use": 100, "recency": 60, "nps": 0})

    assert _weights(estate, key) == pytest.approx(FULL)


def test_what_was_left_out_has_no_weight_and_the_rest_carries_it(estate: Estate) -> None:
    estate.publish()
    key = _row(estate, "One", {"seat_use": 100, "recency": 60, "nps": None})

    assert _weights(estate, key) == pytest.approx({"seat_use": 0.625, "recency": 0.375})


def test_two_poor_measures_are_told_by_an_account_that_misses_the_same(estate: Estate) -> None:
    estate.publish()
    key = _row(estate, "One", {"seat_use": 0, "recency": 0, "nps": 100})
    _row(estate, "Misses another", {"seat_use": 100, "recency": 100, "nps": None})
    assert _weights(estate, key) == pytest.approx({"nps": 0.2}), "the weights of a score without NPS are not these"

    _row(estate, "Same", {"seat_use": 100, "recency": 60, "nps": 0})

    assert _weights(estate, key) == pytest.approx(FULL)
