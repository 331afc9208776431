"""The model is its explanation: points add up, survive storage, and are told in words."""

import json
import math

import numpy as np
import pytest

from learning.additive import Additive, ArtefactBroken, Term, probability, sha256, within_horizon
from learning.features import NAMES, PERIOD, words
from learning.scoring import scores
from tests.learning.made import days

USE = Term("seat_use", "line", (0.2, 0.8), (1.0, -1.0), 0.5)
NPS = Term("nps", "steps", (7.0, 9.0), (0.75, 0.0, -0.5), 0.25)
MODEL = Additive(-4.0, (USE, NPS, Term(PERIOD, "line", (0.0, 1.0, 2.0), (0.0, 0.1, 0.2), 0.0)))


def test_a_line_runs_between_its_knots_and_stays_level_outside() -> None:
    assert USE.points(np.array([0.0, 0.2, 0.5, 0.8, 2.0, math.nan])).tolist() == pytest.approx([1, 1, 0, -1, -1, 0.5])


def test_a_step_begins_at_its_edge() -> None:
    assert NPS.points(np.array([0, 6.99, 7, 8.99, 9, math.nan])).tolist() == [0.75, 0.75, 0.0, 0.0, -0.5, 0.25]


def test_three_periods_make_the_horizon() -> None:
    even = np.zeros((3, 1))

    assert within_horizon(even).tolist() == [1 - 0.5**3]


def test_calibrating_and_centring_change_no_figure_they_should_not() -> None:
    frame = days([{"seat_use": use, "nps": nps} for use, nps in ((0.1, 3), (0.5, 8), (0.9, math.nan))])
    rows = frame.assign(**{PERIOD: 0.0})

    centred = MODEL.centred(rows)
    calibrated = MODEL.calibrated(intercept=0.3, slope=0.8)

    assert centred.log_odds(rows) == pytest.approx(MODEL.log_odds(rows))
    assert centred.points(rows).mean(axis=0) == pytest.approx([0, 0, 0])
    assert calibrated.log_odds(rows) == pytest.approx(0.3 + 0.8 * MODEL.log_odds(rows))


def test_a_stored_model_is_the_same_model() -> None:
    stored = json.loads(json.dumps(MODEL.to_json()))

    assert Additive.from_json(stored) == MODEL
    assert sha256(stored) == sha256(MODEL.to_json())
    assert sha256({**stored, "intercept": -4.1}) != sha256(stored)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"feature": "__import__"}, "not known"),
        ({"shape": "pickle"}, "not known"),
        ({"at": [0.8, 0.2]}, "steps at"),
        ({"at": [0.2]}, "steps at"),
    ],
)
def test_a_stored_model_of_another_shape_is_refused(change: dict[str, object], told: str) -> None:
    stored = MODEL.to_json()
    stored["terms"][0] |= change

    with pytest.raises(ArtefactBroken, match=told):
        Additive.from_json(stored)


def test_the_effect_of_a_driver_is_what_the_probability_would_lose_without_it() -> None:
    frame = days([{"seat_use": 0.2, "nps": 9.0}])

    [score] = scores(MODEL, frame)

    without_use = Additive(MODEL.intercept, MODEL.terms[1:])
    assert score.churn_probability_90d == pytest.approx(float(probability(MODEL, frame)[0]), abs=1e-6)
    assert [driver["driver"] for driver in score.drivers] == ["seat_use", "nps"]
    raising, lowering = score.drivers
    lost = score.churn_probability_90d - float(probability(without_use, frame)[0])
    assert raising["effect"] == pytest.approx(lost, abs=1e-4)
    assert (raising["direction"], raising["points"], raising["value"]) == ("raises", 1.0, 0.2)
    assert raising["text"] == "20% of paid seats in use"
    assert (lowering["direction"], lowering["points"]) == ("lowers", -0.5)


def test_the_points_of_all_drivers_add_up_to_the_model() -> None:
    frame = days([{"seat_use": 0.31, "nps": math.nan}])
    flat = Additive(-3.0, (USE, NPS))

    [score] = scores(flat, frame)

    hazard = 1 / (1 + math.exp(3.0 - sum(driver["points"] for driver in score.drivers)))
    assert score.churn_probability_90d == pytest.approx(1 - (1 - hazard) ** 3, abs=1e-4)


@pytest.mark.parametrize(
    ("feature", "value", "sentence"),
    [
        ("seat_use", 0.423, "42% of paid seats in use"),
        ("key_activity_change", -0.25, "Key activity -25% against the 30 days before"),
        ("days_since_use", 1.0, "Last used 1 day ago"),
        ("days_since_contact", 33.0, "Last two-way contact 33 days ago"),
        ("days_to_renewal", 18.0, "Yearly renewal in 18 days"),
        ("days_to_renewal", math.nan, "Billed by the month"),
        ("has_notice", 1.0, "Notice of cancellation given"),
        ("has_notice", 0.0, "No notice given"),
        ("nps", math.nan, "No NPS answer in 180 days"),
    ],
)
def test_a_driver_is_a_sentence_for_people(feature: str, value: float, sentence: str) -> None:
    assert words(feature, value) == sentence


def test_every_feature_has_words_for_any_value() -> None:
    assert all(words(name, value) for name in NAMES for value in (0.0, 1.0, math.nan))
