"""R1: health fell, and what did it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.suggestions.rules import Finding, Rule, days_back, evidence, held_back


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthInput:
    """Daily scores of one account, oldest first, and the contributions (points of score) by measure of the newest
    day and of the day a window before it."""

    account_key: str
    as_of: date
    scores: Mapping[date, float | None]
    contributions: Mapping[str, float]
    contributions_before: Mapping[str, float]


def _drop(scores: Mapping[date, float | None], day: date, window: timedelta) -> float | None:
    before, after = scores.get(day - window), scores.get(day)
    return None if before is None or after is None else before - after


def _blame(given: HealthInput) -> str:
    measures = given.contributions.keys() | given.contributions_before.keys()
    moved = sorted(
        (given.contributions.get(name, 0.0) - given.contributions_before.get(name, 0.0), name) for name in measures
    )
    worst = [f"{name.replace('_', ' ')} ({change:+.0f})" for change, name in moved[:2] if change <= -1]
    return f", mostly {' and '.join(worst)}" if worst else ""


def health_drop(rule: Rule, given: HealthInput) -> Finding | None:
    """R1: health fell by the threshold within the window, and that has held."""
    window = timedelta(days=int(rule.threshold("window_days")))
    held = [_drop(given.scores, day, window) for day in days_back(given.as_of, rule.hold_days)]
    if any(drop is None or drop < rule.threshold("drop_high") for drop in held):
        return None
    before, now = given.scores[given.as_of - window], given.scores[given.as_of]
    if before is None or now is None:
        return None
    return Finding(
        priority="critical" if before - now >= rule.threshold("drop_critical") else "high",
        sentence=f"Health fell from {before:.0f} to {now:.0f} in {window.days} days{_blame(given)}.",
        evidence=evidence(
            rule,
            given.as_of,
            series=[(day, score) for day, score in sorted(given.scores.items()) if score is not None],
            series_name="health score",
            unit="points",
            baseline=before,
            figures={"before": before, "now": now, "change": now - before, "window_days": window.days},
        ),
    )


def drop_back(rule: Rule) -> Iterable[int]:
    """How many days back R1 looks: the days it must have held, and the day a window before each."""
    window = int(rule.threshold("window_days"))
    return {back + before for back in held_back(rule) for before in (0, window)}


def health_recovered(rule: Rule, given: HealthInput, figures: Mapping[str, Any]) -> bool:
    """R1 clears: the score is back within a few points of what it was before."""
    now = given.scores.get(given.as_of)
    return now is not None and now >= float(figures["before"]) - rule.threshold("recovered_within")
