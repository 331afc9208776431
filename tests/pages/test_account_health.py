"""Account, overview: what the score is made of, and what was left out."""

import pytest

from app.marts.health import MEASURES, HealthDay
from app.ui import account_health
from tests.app.factories import Estate
from tests.pages.conftest import Browser, texts

POINTS = {"seat_use": 100, "key_activity": 60, "recency": 0, "nps": None}
VALUES = {"seat_use": 0.9, "key_activity": -0.12, "recency": 20.0, "nps": None}


def _scored(estate: Estate) -> str:
    """An account with product usage and without everything else."""
    estate.publish()
    key = estate.account()
    given = {f"{measure}_points": points for measure, points in POINTS.items()}
    given |= {f"{measure}_value": value for measure, value in VALUES.items()}
    given |= {"seat_use_contribution": 45.0, "key_activity_contribution": 27.0, "recency_contribution": 0.0}
    estate.health(key, [72.0], **given, product_usage_score=72.0, profile="default")
    estate.set("fct_account_health_daily", key, coverage_ratio=0.4)
    return key


def _row(**values: object) -> HealthDay:
    fields = dict.fromkeys(HealthDay.__dataclass_fields__)
    return HealthDay(**(fields | values))  # pyright: ignore[reportArgumentType]


def test_a_dimension_tells_score_letter_and_weight_and_opens_to_its_measures(browser: Browser, estate: Estate) -> None:
    key = _scored(estate)

    page = browser.sign_in(estate.user("Maya Lind")).open("account", account=key)

    titles = [panel.label for panel in page.expander]
    assert len(titles) == 6
    assert "Product usage :yellow-badge[**Y** 72] :gray[yellow · weight 100%, gives 72 of 100 points]" in titles
    assert "Commercial :gray-badge[**–**] :gray[no data, counts for nothing]" in titles
    written = texts(page)
    assert "| Seat use | 90% of paid seats in 28 days | :green-badge[Good] | 45% |" in written
    assert "| Key activity | −12% against the 30 days before | :yellow-badge[Average] | 45% |" in written
    assert "| Recency | last used 20 days before | :red-badge[Poor] | 10% |" in written


def test_coverage_names_what_is_missing_and_says_when_there_is_no_band() -> None:
    known = {f"{measure}_points": 100 for measure in MEASURES}

    assert account_health.coverage_sentence(_row(**known, coverage_ratio=1.0)) == "Every measure had data."
    partly = account_health.coverage_sentence(
        _row(**(known | {"nps_points": None, "first_reply_points": None}), coverage_ratio=0.855)
    )
    assert "86%" in partly
    assert "14% of the weight had no data (first reply and NPS)" in partly
    assert "there is no band" not in partly
    assert "Under 60% there is no band" in account_health.coverage_sentence(_row(coverage_ratio=0.4))


@pytest.mark.parametrize(("score", "letter"), [(50.4, "R"), (50.6, "Y"), (75.4, "Y"), (75.6, "G"), (None, None)])
def test_a_dimension_takes_the_limits_of_the_whole_score(score: float | None, letter: str | None) -> None:
    assert account_health.level(score) == letter


def test_every_measure_has_a_word_for_its_value() -> None:
    assert all(account_health._SAID[measure](1.0) for measure in MEASURES)
