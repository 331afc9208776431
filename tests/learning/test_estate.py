"""On the demo's estate, as the warehouse tells it: does what was learned hold on days nobody had seen?"""

from datetime import date

import pandas as pd
import pytest

from learning import training
from learning.features import NAMES
from tests.learning.record import ESTATE


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return pd.read_parquet(ESTATE).astype(dict.fromkeys(NAMES, "float64"))


@pytest.fixture(scope="module")
def made(days: pd.DataFrame) -> training.Training:
    known_until: date = days["as_of_date"].iloc[0]
    return training.train(days, known_until=known_until)


def test_the_model_beats_chance_and_the_rules_on_later_days_and_before_any_notice(made: training.Training) -> None:
    learned, rules = made.metrics["logistic"], made.metrics["rules"]

    assert made.kind == "logistic"
    assert learned["auc"] > 0.8
    assert learned["before_notice"]["auc"] > 0.75
    assert learned["auc"] > rules["auc"]
    assert learned["top_decile_lift"] > 4
    assert learned["brier"] <= rules["brier"]


def test_what_is_said_comes_true_within_bounds(made: training.Training) -> None:
    learned = made.metrics["logistic"]

    assert learned["ece"] < 0.03
    assert abs(learned["mean_probability"] - learned["churn_rate"]) < 0.025
    assert all(abs(one["mean_probability"] - one["churn_rate"]) < 0.12 for one in learned["bins"])


def test_who_leaves_is_called_a_month_ahead(made: training.Training) -> None:
    assert made.metrics["logistic"]["median_lead_days"] >= 30
    assert made.metrics["logistic"]["called_share"] > 0.4


def test_boosted_trees_do_not_show_that_an_interaction_is_missed(made: training.Training) -> None:
    assert made.metrics["challenger_auc"] - made.metrics["logistic"]["auc"] <= made.recipe.challenger_lead


def test_the_demo_says_how_much_it_learned_from(made: training.Training, days: pd.DataFrame) -> None:
    assert made.basis == f"Learned from {made.churn_count} churned accounts up to 22 Nov 2026"
    assert made.recipe.least_churns <= made.churn_count <= days["account_key"].nunique()
