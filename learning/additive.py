"""The model itself: a number per feature, added up. What explains it is the model, not a second model about it.

Whatever fitted it, a model is kept as plain JSON: an intercept and one shape per feature. Nothing is unpickled, so who
could write the table could make a figure wrong but could not run code.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from learning.features import NAMES, PERIOD
from learning.frames import Array, numbers
from learning.periods import PERIODS, at_period


class ArtefactBroken(Exception):
    """A stored model is not what its hash or its shape says."""


@dataclass(frozen=True)
class Term:
    """The points of one feature, in log-odds.

    A `line` runs straight between the points (at, scores) and stays level outside; `steps` hold scores[i] from
    at[i - 1] inclusive to at[i] exclusive, so there is one score more than there are steps. `missing` is for NaN.
    """

    feature: str
    shape: Literal["line", "steps"]
    at: tuple[float, ...]
    scores: tuple[float, ...]
    missing: float

    def points(self, values: Array) -> Array:
        """Points of each value."""
        at, scores = np.asarray(self.at), np.asarray(self.scores)
        if self.shape == "line":
            known = np.interp(np.nan_to_num(values), at, scores)
        else:
            known = scores[np.searchsorted(at, np.nan_to_num(values), side="right")]
        return np.where(np.isnan(values), self.missing, known)

    def changed(self, *, factor: float = 1.0, shift: float = 0.0) -> "Term":
        """All points times `factor`, plus `shift`."""
        scores = tuple(float(score * factor + shift) for score in self.scores)
        return Term(self.feature, self.shape, self.at, scores, float(self.missing * factor + shift))


@dataclass(frozen=True)
class Additive:
    """A hazard: log-odds of leaving within one period = intercept + the points of every term."""

    intercept: float
    terms: tuple[Term, ...]

    def points(self, rows: pd.DataFrame) -> Array:
        """Points by row and term, shape (rows, terms)."""
        columns = [term.points(numbers(rows, term.feature)) for term in self.terms]
        return np.column_stack(columns) if columns else np.zeros((len(rows), 0))

    def log_odds(self, rows: pd.DataFrame) -> Array:
        """Log-odds of leaving within the period that each row is about."""
        return self.intercept + self.points(rows).sum(axis=1)

    def calibrated(self, *, intercept: float, slope: float) -> "Additive":
        """The model whose log-odds are `intercept + slope` times this one's; still one shape per feature."""
        return Additive(
            float(intercept + slope * self.intercept), tuple(term.changed(factor=slope) for term in self.terms)
        )

    def centred(self, rows: pd.DataFrame) -> "Additive":
        """The same model with every term at zero on average over `rows`: points then compare with the usual account."""
        means = self.points(rows).mean(axis=0)
        terms = tuple(term.changed(shift=-mean) for term, mean in zip(self.terms, means, strict=True))
        return Additive(float(self.intercept + means.sum()), terms)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` takes them back without loss."""
        return {
            "intercept": self.intercept,
            "terms": [
                {"feature": t.feature, "shape": t.shape, "at": [*t.at], "scores": [*t.scores], "missing": t.missing}
                for t in self.terms
            ],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Additive":
        """Raises ArtefactBroken on a feature or a shape that this version does not know."""
        terms = []
        for term in stored["terms"]:
            steps = len(term["scores"]) - (0 if term["shape"] == "line" else 1)
            if term["feature"] not in (*NAMES, PERIOD) or term["shape"] not in ("line", "steps"):
                raise ArtefactBroken(f"The term {term['feature']} ({term['shape']}) is not known to this version.")
            if len(term["at"]) != steps or sorted(term["at"]) != term["at"]:
                raise ArtefactBroken(f"The term {term['feature']} has {steps} steps at {len(term['at'])} places.")
            terms.append(
                Term(term["feature"], term["shape"], tuple(term["at"]), tuple(term["scores"]), term["missing"])
            )
        return cls(stored["intercept"], tuple(terms))


def sha256(artefact: Mapping[str, Any]) -> str:
    """Hash of the canonical JSON of an artefact."""
    return hashlib.sha256(json.dumps(artefact, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def logistic(log_odds: Array) -> Array:
    """Probability of log-odds, safe for large ones."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))


def within_horizon(log_odds: Array) -> Array:
    """P(left within all periods) from log-odds per period, shape (periods, ...)."""
    return 1.0 - np.prod(1.0 - logistic(log_odds), axis=0)


def points_ahead(model: Additive, days: pd.DataFrame) -> Array:
    """Points of account-days for every period ahead, shape (periods, days, terms)."""
    return np.stack([model.points(at_period(days, period)) for period in range(PERIODS)])


def probability(model: Additive, days: pd.DataFrame) -> Array:
    """P(churn within 90 days) of each account-day."""
    return within_horizon(model.intercept + points_ahead(model, days).sum(axis=-1))
