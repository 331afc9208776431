"""Learning from account-days whose cause is known: what is found, what is refused, and what is said."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from learning import evaluation, fitting, periods, training
from learning.additive import Additive, probability, sha256
from learning.features import FEATURES, PERIOD
from learning.frames import numbers, only
from learning.training import Recipe, train
from tests.learning.made import AS_OF, days, history

SMALL = Recipe(least_accounts=100, least_churns=30, boosted_churns=10_000)


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    return history(260)


@pytest.fixture(scope="module")
def learned(known: pd.DataFrame) -> training.Training:
    return train(known, known_until=AS_OF, recipe=SMALL)


def model_of(made: training.Training) -> Additive:
    assert made.model is not None
    return made.model


def test_what_is_there_to_learn_is_learned_and_calibrated_on_later_days(learned: training.Training) -> None:
    figures = learned.metrics["logistic"]

    assert learned.kind == "logistic"
    assert figures["auc"] > 0.65
    assert figures["top_decile_lift"] > 1.5
    assert figures["ece"] < 0.05
    assert abs(figures["mean_probability"] - figures["churn_rate"]) < 0.05
    assert learned.basis == f"Learned from {learned.churn_count} churned accounts up to 31 Oct 2026"


def test_the_boosting_machine_takes_over_with_enough_churns(known: pd.DataFrame) -> None:
    made = train(known, known_until=AS_OF, recipe=replace(SMALL, boosted_churns=30))

    assert made.kind == "boosted"
    assert made.metrics["boosted"]["auc"] > 0.65
    assert model_of(made).terms[0].shape == "steps"


@pytest.mark.parametrize("fit", [fitting.fit_logistic, fitting.fit_boosted])
def test_no_line_runs_against_the_sign_a_person_gave_it(fit: fitting.Fit, known: pd.DataFrame) -> None:
    model = fit(periods.account_periods(known, known_until=AS_OF))

    signs = {feature.name: feature.sign for feature in FEATURES}
    for term in model.terms:
        steps = np.diff(np.asarray(term.scores))
        if signs.get(term.feature):
            assert (steps * signs[term.feature] >= -1e-9).all(), term.feature


@pytest.mark.parametrize("fit", [fitting.fit_logistic, fitting.fit_boosted])
def test_the_same_days_in_another_order_give_the_same_model(fit: fitting.Fit) -> None:
    frame = history(80)
    shuffled = frame.sample(frac=1.0, random_state=3)

    def learn(given: pd.DataFrame) -> str:
        ordered = given.sort_values(["risk_date", "account_key"], ignore_index=True)
        return sha256(fit(periods.account_periods(ordered, known_until=AS_OF)).to_json())

    assert learn(frame) == learn(shuffled)


def test_too_few_churns_and_too_few_accounts_leave_the_rules_and_say_so(known: pd.DataFrame) -> None:
    few = train(days([{"account_key": str(n), "days_to_churn": 12} for n in range(12)]), known_until=AS_OF)
    small = train(known, known_until=AS_OF, recipe=replace(SMALL, least_accounts=300))

    assert (few.kind, few.model, few.basis) == ("rules", None, "Rules: too little history (12 of 50 churned accounts)")
    assert small.basis == "Rules: too little history (260 of 300 accounts)"


def test_a_history_that_can_not_be_judged_by_time_leaves_the_rules(known: pd.DataFrame) -> None:
    made = train(known, known_until=AS_OF, recipe=replace(SMALL, least_side_churns=1000))

    assert made.kind == "rules"
    assert "too short to be judged by time" in made.basis


def test_a_model_that_does_worse_than_the_rules_is_not_published(known: pd.DataFrame) -> None:
    knowing = known.assign(rule_probability_90d=np.where(known["days_to_churn"] <= 90, 0.9, 0.01))

    made = train(knowing, known_until=AS_OF, recipe=SMALL)

    assert (made.kind, made.model) == ("rules", None)
    assert made.basis.startswith("Rules: the learned model did worse than they on ")
    assert "against rules AUC 1.000" in made.chosen_because
    assert made.metrics["logistic"]["auc"] < 1


def test_nothing_is_learned_where_there_is_nothing_to_learn() -> None:
    chance = history(260, effect=0.0, rate=-3.8)

    parted = training.split(chance, known_until=AS_OF)
    rows = periods.account_periods(chance, known_until=parted.learned_until)
    judged = periods.mature(chance[chance["risk_date"] >= pd.Timestamp(parted.judged_from)], known_until=AS_OF)  # pyright: ignore[reportArgumentType]
    said = probability(fitting.fit_calibrated(fitting.fit_logistic, rows), judged)

    assert said.std() < 0.08
    assert 0.3 < (evaluation.auc(said, judged["left"].to_numpy(dtype=bool)) or 0) < 0.7


def test_what_is_judged_lies_after_what_was_learned_with_a_gap_between(known: pd.DataFrame) -> None:
    parted = training.split(known, known_until=AS_OF)

    assert (parted.judged_from - parted.learned_until).days == training.RECIPE.gap_days
    assert parted.judged_until == date(2026, 8, 2)
    assert 150 < (parted.judged_until - parted.judged_from).days <= training.RECIPE.longest_test_days


def test_what_happens_later_changes_nothing_that_was_learned_before(known: pd.DataFrame) -> None:
    until = date(2026, 2, 28)
    ends = known["risk_date"] + pd.to_timedelta(numbers(known, "days_to_churn"), unit="D")
    forgotten = known.assign(days_to_churn=known["days_to_churn"].where(ends <= pd.Timestamp(until)))
    rewritten = only(forgotten, known["risk_date"] <= pd.Timestamp(until)).reset_index(drop=True)

    rows, again = (periods.account_periods(frame, known_until=until) for frame in (known, rewritten))

    assert rows.equals(again)


def test_young_days_do_not_make_the_model_promise_too_much() -> None:
    frame = history(260, rate=-3.4)
    rows = periods.account_periods(frame, known_until=AS_OF)
    model = fitting.fit_calibrated(fitting.fit_logistic, rows)

    assert model.log_odds(rows).shape == (len(rows),)
    recent = rows[rows["risk_date"] > rows["risk_date"].max() - pd.Timedelta(days=365)]
    said = 1 / (1 + np.exp(-model.log_odds(recent)))  # pyright: ignore[reportArgumentType]
    assert said.mean() == pytest.approx(recent["left"].mean(), abs=1e-4)
    assert set(rows[PERIOD]) == {0.0, 1.0, 2.0}
