"""R13: the risk of churn is high, and nothing else speaks for the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.suggestions.rules import Finding, Rule, days_back, evidence
from app.suggestions.wording import listed

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
            series_name="churn risk within 90 days",
            unit="percent",
            baseline=None,
            figures={"churn_probability_90d": probability, "band": band},
        ),
    )


def risk_fallen(rule: Rule, given: RiskInput, figures: Mapping[str, Any]) -> bool:
    """R13 clears: the band is Medium or lower."""
    _, band = given.days.get(given.as_of, (None, None))
    return band is not None and band not in _HIGH
