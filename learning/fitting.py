"""Two ways to the same kind of model, both seeded: the same rows give the same terms, bit for bit.

With few churns a spline logistic: straight lines between fixed knots, held to the features' signs, drawn towards zero
(L2). With enough of them an explainable boosting machine, monotone where a sign is known. Both then get the two
parameters of Platt, never isotonic steps: a staircase of a hundred churns shows noise as certainty.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from learning.additive import Additive, Term, logistic
from learning.features import FEATURES, PERIOD, Feature, Unit
from learning.frames import Array, numbers, only, truths, varying

Fit = Callable[[pd.DataFrame], Additive]

_PERIOD = Feature(PERIOD, 0, (0.0, 1.0, 2.0), Unit.COUNT, "", "")
_MODELLED = (*FEATURES, _PERIOD)
L2 = 2.0
FOLDS = 5
SEED = 24


def _ramps(feature: Feature, values: Array) -> Array:
    """Between each two knots a ramp from 0 to 1, then one column for NaN; shape (rows, knots)."""
    known = np.nan_to_num(values, nan=feature.knots[0])
    pairs = zip(feature.knots, feature.knots[1:], strict=False)
    columns = [np.clip((known - low) / (high - low), 0.0, 1.0) for low, high in pairs]
    is_missing = np.isnan(values)
    return np.column_stack([*(np.where(is_missing, 0.0, column) for column in columns), is_missing.astype(float)])


def _bounds(feature: Feature) -> list[tuple[float | None, float | None]]:
    signed = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}[feature.sign]
    return [*[signed] * (len(feature.knots) - 1), (None, None)]


def fit_logistic(rows: pd.DataFrame) -> Additive:
    """The spline logistic on account-periods; every signed line runs its way or lies flat."""
    blocks = [_ramps(feature, numbers(rows, feature.name)) for feature in _MODELLED]
    design, answers = np.column_stack(blocks), numbers(rows, "left")
    rate = float(np.clip(answers.mean(), 1e-6, 1 - 1e-6))

    def loss(weights: Array) -> tuple[float, Array]:
        odds = weights[0] + design @ weights[1:]
        residual = logistic(odds) - answers
        value = np.logaddexp(0.0, odds).sum() - answers @ odds + L2 / 2 * weights[1:] @ weights[1:]
        return float(value), np.concatenate([[residual.sum()], design.T @ residual + L2 * weights[1:]])

    start = np.concatenate([[np.log(rate / (1 - rate))], np.zeros(design.shape[1])])
    bounds = [(None, None), *(bound for feature in _MODELLED for bound in _bounds(feature))]
    with threadpool_limits(1):  # threads gain nothing on so little, and wait for each other on a busy machine
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    terms, place = [], 1
    for feature in _MODELLED:
        weights = found.x[place : place + len(feature.knots)]
        place += len(feature.knots)
        scores = tuple(float(score) for score in np.concatenate([[0.0], np.cumsum(weights[:-1])]))
        terms.append(Term(feature.name, "line", tuple(map(float, feature.knots)), scores, float(weights[-1])))
    return Additive(float(found.x[0]), tuple(terms)).centred(rows)


def fit_boosted(rows: pd.DataFrame) -> Additive:
    """The explainable boosting machine on account-periods, without interactions (they add nothing: `DECISIONS.md`)."""
    from interpret.glassbox import ExplainableBoostingClassifier  # a second of imports, needed by this branch only

    names = varying(rows, [feature.name for feature in _MODELLED])
    signs = {feature.name: feature.sign for feature in _MODELLED}
    machine = ExplainableBoostingClassifier(
        feature_names=names,
        feature_types=["continuous"] * len(names),
        max_bins=32,
        interactions=0,
        outer_bags=4,
        learning_rate=0.02,
        max_rounds=2000,
        min_samples_leaf=20,
        monotone_constraints=[signs[name] for name in names],
        random_state=SEED,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Missing values detected")  # its pictures leave them out; our terms do not
        machine.fit(rows[names].to_numpy(dtype=float), rows["left"].to_numpy(dtype=int))
    terms = []
    for index, name in enumerate(names):
        cuts = tuple(float(cut) for cut in machine.bins_[index][0])
        scores = machine.term_scores_[index]
        terms.append(Term(name, "steps", cuts, tuple(float(s) for s in scores[1:-1]), float(scores[0])))
    return Additive(float(machine.intercept_[0]), tuple(terms)).centred(rows)


def _fold(rows: pd.DataFrame) -> Array:
    """A fold per row, by account: periods of one account are alike, and would vouch for each other."""
    accounts = sorted(set(rows["account_key"]))
    fold_of = dict(zip(accounts, np.random.default_rng(SEED).permutation(len(accounts)) % FOLDS, strict=True))
    return np.array([fold_of[account] for account in rows["account_key"]])


def _platt(log_odds: Array, answers: Array) -> tuple[float, float]:
    """Intercept and slope of the best logistic line through out-of-fold log-odds; the slope stays in 0.2 to 2."""

    def loss(line: Array) -> tuple[float, Array]:
        odds = line[0] + line[1] * log_odds
        residual = logistic(odds) - answers
        return float(np.logaddexp(0.0, odds).sum() - answers @ odds), np.array([residual.sum(), residual @ log_odds])

    found = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.2, 2.0)])
    return float(found.x[0]), float(found.x[1])


def _recentred(model: Additive, rows: pd.DataFrame) -> Additive:
    """The intercept moved until the rows are expected to lose as many as they did."""
    odds, wanted = model.log_odds(rows), float(truths(rows, "left").mean())
    low, high = -5.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if logistic(odds + middle).mean() < wanted else (low, middle)
    return model.calibrated(intercept=(low + high) / 2, slope=1.0)


def fit_calibrated(fit: Fit, rows: pd.DataFrame) -> Additive:
    """`fit` on all rows, corrected by Platt's line through out-of-fold log-odds, and centred on the newest year."""
    folds, out_of_fold = _fold(rows), np.zeros(len(rows))
    for fold in range(FOLDS):
        held_out = folds == fold
        out_of_fold[held_out] = fit(only(rows, ~held_out)).log_odds(only(rows, held_out))
    intercept, slope = _platt(out_of_fold, numbers(rows, "left"))
    model = fit(rows).calibrated(intercept=intercept, slope=slope)
    newest = only(rows, rows["risk_date"] > rows["risk_date"].max() - pd.Timedelta(days=365))
    return _recentred(model, newest if truths(newest, "left").any() else rows)
