"""R13, R14: the risk of churn is high and no other rule speaks; or the risk and a person say opposite things."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.suggestions.rules import Finding, Rule, days_back, evidence
from app.wording import listed, on

_HIGH = ("High", "Critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskInput:
    """Churn risk of one account by day (probability within 90 days, band), what raises it most, in words, and its kind:
    learned or rules."""

    account_key: str
    as_of: date
    days: Mapping[date, tuple[float | None, str | None]]
    drivers: tuple[str, ...]
    kind: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionInput:
    """The bands of the risk of one account by day, and the newest rating that a person gave it (1 to 5)."""

    account_key: str
    as_of: date
    bands: Mapping[date, str | None]
    probability: float | None
    rating: int
    meaning: str
    rated_on: date
    rated_by: str


def risk_high(rule: Rule, given: RiskInput) -> Finding | None:
    """R13: the band is High or Critical, and that has held."""
    held = [given.days.get(day, (None, None)) for day in days_back(given.as_of, rule.hold_days)]
    probability, band = held[0]
    if probability is None or any(band not in _HIGH for _, band in held):
        return None
    why = f": {listed([one[:1].lower() + one[1:] for one in given.drivers[:3]])}" if given.drivers else ""
    by_rules = ", by rules" if given.kind == "rules" else ""
    return Finding(
        priority="critical" if band == "Critical" else "high",
        sentence=f"Churn risk is {probability:.0%} within 90 days ({band}{by_rules}){why}.",
        evidence=evidence(
            rule,
            given.as_of,
            series=[(day, value * 100) for day, (value, _) in sorted(given.days.items()) if value is not None],
            series_name="churn risk within 90 days, %",
            unit="percent",
            baseline=None,
            figures={"churn_probability_90d": probability, "band": band},
        ),
    )


def risk_fallen(rule: Rule, given: RiskInput, figures: Mapping[str, Any]) -> bool:
    """R13 clears: the band is Medium or lower."""
    _, band = given.days.get(given.as_of, (None, None))
    return band is not None and band not in _HIGH


def opinions_differ(rule: Rule, given: OpinionInput) -> Finding | None:
    """R14: the risk is high and a person thinks well of the account, or low and they do not, and that has held."""
    held = [given.bands.get(day) for day in days_back(given.as_of, rule.hold_days)]
    if given.as_of - given.rated_on > rule.days("rating_valid_days") or given.probability is None:
        return None
    is_brighter = given.rating >= 4 and all(band in _HIGH for band in held)
    is_darker = given.rating <= 2 and all(band == "Low" for band in held)
    if not (is_brighter or is_darker):
        return None
    meaning = given.meaning[:1].lower() + given.meaning[1:]
    return Finding(
        priority="high" if is_darker else "medium",
        sentence=f"{given.rated_by} rated them {given.rating} of 5 on {on(given.rated_on)} ({meaning}), and the churn"
        f" risk says {given.probability:.0%} within 90 days ({held[0]}).",
        evidence=evidence(
            rule,
            given.as_of,
            series=(),
            series_name="",
            unit="",
            baseline=None,
            figures={"rating": given.rating, "rated_on": given.rated_on.isoformat(), "band": held[0]},
        ),
    )


def rated_again(rule: Rule, given: OpinionInput, figures: Mapping[str, Any]) -> bool:
    """R14 clears: somebody rated the account anew, or the two no longer differ."""
    is_new = given.rated_on > date.fromisoformat(figures["rated_on"]) or given.rating != figures["rating"]
    band = given.bands.get(given.as_of)
    differ = (given.rating >= 4 and band in _HIGH) or (given.rating <= 2 and band == "Low")
    return is_new or not differ
