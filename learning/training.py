"""From account-days to a version: what may be learned, how well it does, and what is in force from then on.

Every training ends in a version, also one that says "the rules stay, because …". What a version promises was measured
by time: learned up to a day, a gap, then judged on the days after it, never on a random half; a random split would let
an account's June vouch for its July.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from learning import evaluation, fitting, periods
from learning.additive import Additive, probability, within_horizon
from learning.evaluation import Quality
from learning.features import FEATURE_SET, NAMES, PERIOD
from learning.frames import Array, account_count, left_count, numbers, only, truths, varying

Kind = Literal["rules", "logistic", "boosted"]


@dataclass(frozen=True)
class Recipe:
    """Limits and shares, stored with every version. Days in days, shares 0 to 1.

    Under `least_accounts` accounts or `least_churns` accounts that left nothing is learned; `boosted_churns` is where
    the boosting machine takes over. The newest `test_share` of the days observed, less than `longest_test_days`, is
    for judging, `gap_days` after what was learned; both sides need `least_side_churns`.
    """

    version: str = "churn-recipe-1"
    least_accounts: int = 300
    least_churns: int = 50
    boosted_churns: int = 150
    least_side_churns: int = 10
    gap_days: int = 30
    test_share: float = 0.33
    longest_test_days: int = 270
    challenger_lead: float = 0.02


RECIPE = Recipe()


@dataclass(frozen=True)
class Candidate:
    """A kind of model on the time split. `days` is when what it learned from ends and its judging begins and ends."""

    kind: Kind
    quality: Quality
    before_notice: Quality


@dataclass(frozen=True)
class Training:
    """What a training came to. `model` is None when the rules stay; `basis` is the sentence for pages.

    `churn_count` counts accounts that left, among `account_count`. `metrics` is plain JSON.
    """

    kind: Kind
    model: Additive | None
    trained_until: date
    account_count: int
    churn_count: int
    basis: str
    chosen_because: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = RECIPE

    def features(self) -> dict[str, Any]:
        """What the version was made from."""
        return {"feature_set": FEATURE_SET, "features": [*NAMES], "recipe": asdict(self.recipe)}


def day_words(day: date) -> str:
    """As pages write a day, e.g. "1 Oct 2026"."""
    return f"{day.day} {day:%b %Y}"


def _fits(recipe: Recipe, churns: int) -> list[tuple[Kind, fitting.Fit]]:
    """Kinds that may be tried, the preferred one first."""
    few: list[tuple[Kind, fitting.Fit]] = [("logistic", fitting.fit_logistic)]
    return [("boosted", fitting.fit_boosted), *few] if churns >= recipe.boosted_churns else few


@dataclass(frozen=True)
class Split:
    """Learned from what was known on `learned_until`; judged on the days from `judged_from` to `judged_until`."""

    learned_until: date
    judged_from: date
    judged_until: date


def split(days: pd.DataFrame, *, known_until: date, recipe: Recipe = RECIPE) -> Split:
    """Where the days are parted. The judged ones end where the last whole horizon begins."""
    judged_until = known_until - timedelta(days=periods.HORIZON_DAYS)
    span = (judged_until - days["risk_date"].min().date()).days
    judged_from = judged_until - timedelta(days=int(min(recipe.longest_test_days, max(span, 0) * recipe.test_share)))
    return Split(judged_from - timedelta(days=recipe.gap_days), judged_from, judged_until)


def _challenger(rows: pd.DataFrame, judged: pd.DataFrame) -> float | None:
    """AUC of shallow boosted trees, which may use any interaction: a lead of theirs says what the terms can not."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = varying(rows, (*NAMES, PERIOD))  # binning breaks on a column without values
    trees = HistGradientBoostingClassifier(
        max_depth=3, max_iter=150, learning_rate=0.05, min_samples_leaf=40, random_state=fitting.SEED
    )
    with threadpool_limits(1):
        trees.fit(rows[names], rows["left"])
    hazards = np.stack(
        [
            np.clip(trees.predict_proba(periods.at_period(judged, period)[names])[:, 1], 1e-9, 1 - 1e-9)
            for period in range(periods.PERIODS)
        ]
    )
    return evaluation.auc(within_horizon(np.log(hazards / (1 - hazards))), truths(judged, "left"))


def _judge(kind: Kind, judged: pd.DataFrame, probabilities: Array) -> Candidate:
    open_ended = numbers(judged, "has_notice") != 1
    return Candidate(
        kind,
        evaluation.quality(judged, probabilities),
        evaluation.quality(only(judged, open_ended), probabilities[open_ended]),
    )


def is_worse(model: Candidate, rules: Candidate) -> bool:
    """Whether a model orders worse than the rules or its probabilities are further off.

    Asked of all days and of those before any notice: after one, everybody knows.
    """
    pairs = ((model.quality, rules.quality), (model.before_notice, rules.before_notice))
    return any((ours.auc or 0.0) < (theirs.auc or 0.0) or ours.brier > theirs.brier for ours, theirs in pairs)


def _told(candidate: Candidate) -> str:
    return f"{candidate.kind} AUC {candidate.quality.auc or 0:.3f} and Brier {candidate.quality.brier:.4f}"


def train(
    days: pd.DataFrame, *, known_until: date, recipe: Recipe = RECIPE, say: Callable[[str], None] = lambda _: None
) -> Training:
    """Learn from monthly account-days what was known on `known_until`, or say why the rules stay.

    `days`: one row per account and first of a month with account_key, risk_date (timestamp), the features,
    days_to_churn (NaN while a customer), churn_kind and rule_probability_90d. The same days give the same model.
    """
    days = days.sort_values(["risk_date", "account_key"], ignore_index=True)
    rows = periods.account_periods(days, known_until=known_until)
    accounts, churns = account_count(rows), left_count(rows)

    def rules_stay(basis: str, because: str, metrics: Mapping[str, Any] | None = None) -> Training:
        return Training("rules", None, known_until, accounts, churns, basis, because, metrics or {}, recipe)

    if churns < recipe.least_churns:
        told = f"too little history ({churns} of {recipe.least_churns} churned accounts)"
        return rules_stay(f"Rules: {told}", f"The rules stay: {told}.")
    if accounts < recipe.least_accounts:
        told = f"too little history ({accounts} of {recipe.least_accounts} accounts)"
        return rules_stay(f"Rules: {told}", f"The rules stay: {told}.")

    parted = split(days, known_until=known_until, recipe=recipe)
    learned = periods.account_periods(days, known_until=parted.learned_until)
    later = only(days, days["risk_date"] >= pd.Timestamp(parted.judged_from))
    judged = periods.mature(later, known_until=known_until)
    sides = [left_count(side) for side in (learned, judged)]
    if min(sides) < recipe.least_side_churns:
        told = f"history too short to be judged by time ({sides[0]} churned accounts before, {sides[1]} after)"
        return rules_stay(f"Rules: {told}", f"The rules stay: {told}.")

    rules = _judge("rules", judged, numbers(judged, "rule_probability_90d"))
    metrics: dict[str, Any] = {
        "split": {name: value.isoformat() for name, value in asdict(parted).items()},
        "learned_churn_count": sides[0],
        "judged_churn_count": sides[1],
        "involuntary_churn_count": account_count(only(days, days["churn_kind"] == "involuntary")),
        "rules": _metrics(rules),
    }
    tried: list[Candidate] = []
    for kind, fit in _fits(recipe, churns):
        candidate = _judge(kind, judged, probability(fitting.fit_calibrated(fit, learned), judged))
        say(f"{_told(candidate)}; {_told(rules)}")
        tried.append(candidate)
        metrics[kind] = _metrics(candidate)
        if not is_worse(candidate, rules):
            break
    metrics["challenger_auc"] = _challenger(learned, judged)
    chosen, compared = tried[-1], ", ".join(_told(one) for one in tried)
    if is_worse(chosen, rules):
        told = f"the learned model did worse than they on {day_words(parted.judged_from)} to {day_words(known_until)}"
        return rules_stay(f"Rules: {told}", f"The rules stay: {compared} against {_told(rules)}.", metrics)

    fit = dict(_fits(recipe, churns))[chosen.kind]
    because = f"{compared} against {_told(rules)}, judged on days after {day_words(parted.judged_from)}."
    lead = (metrics["challenger_auc"] or 0.0) - (chosen.quality.auc or 0.0)
    if lead > recipe.challenger_lead:
        because += f" Boosted trees lead by {lead:.3f} AUC: an interaction is missed."
    return Training(
        kind=chosen.kind,
        model=fitting.fit_calibrated(fit, rows),
        trained_until=known_until,
        account_count=accounts,
        churn_count=churns,
        basis=f"Learned from {churns} churned accounts up to {day_words(known_until)}",
        chosen_because=because,
        metrics=metrics,
        recipe=recipe,
    )


def _metrics(candidate: Candidate) -> dict[str, Any]:
    return candidate.quality.to_json() | {"before_notice": candidate.before_notice.to_json()}
