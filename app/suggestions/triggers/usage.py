"""R2, R3: key activity fell, or stopped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from app.suggestions.rules import Finding, Rule, days_back, evidence
from app.wording import counted, on


class UsageDay(NamedTuple):
    """Key activity counts of the 7 and 30 days up to a day, and of as many days before those. A tuple: 100,000 accounts
    have six million of them, and a dataclass takes five times as long to make."""

    day: date
    count_7d: int
    previous_7d: int
    count_30d: int
    previous_30d: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageInput:
    """Usage of one account by day, oldest first. `days_since_activity` is None when there never was any."""

    account_key: str
    as_of: date
    plan: str | None
    days: tuple[UsageDay, ...]
    days_since_activity: int | None


def _fall(rule: Rule, day: UsageDay) -> tuple[int, int, int] | None:
    """The window in days, the count and the one before it, of the first window that fell; None when neither did."""
    for window, count, previous, least in (
        (7, day.count_7d, day.previous_7d, rule.threshold("least_previous_7d")),
        (30, day.count_30d, day.previous_30d, rule.threshold("least_previous_30d")),
    ):
        if previous >= least and count <= previous * (1 - rule.threshold("drop_ratio")):
            return window, count, previous
    return None


def usage_decline(rule: Rule, given: UsageInput) -> Finding | None:
    """R2: key activity fell against the days before, and that has held. Too little activity before says nothing."""
    by_day = {day.day: day for day in given.days}
    held = [by_day.get(day) for day in days_back(given.as_of, rule.hold_days)]
    falls = [_fall(rule, day) if day else None for day in held]
    if any(fall is None for fall in falls) or falls[0] is None:
        return None
    window, count, previous = falls[0]
    change = count / previous - 1
    before = "the 7 days before" if window == 7 else "the 30 days before"
    return Finding(
        priority="high" if -change >= rule.threshold("high_drop_ratio") else "medium",
        sentence=f"Key activity is down {-change:.0%} in {window} days: {count:,} against {previous:,} in {before}.",
        evidence=evidence(
            rule,
            given.as_of,
            series=[(day.day, day.count_7d) for day in given.days],
            series_name="key activity in 7 days",
            unit="events",
            baseline=previous * 7 / window,
            figures={
                "window_days": window,
                "now": count,
                "before": previous,
                "change_ratio": round(change, 4),
                "baseline_7d": previous * 7 / window,
            },
        ),
    )


def decline_back(rule: Rule) -> Iterable[int]:
    """How many days back R2 looks, to fire and to clear."""
    return range(max(rule.hold_days + 1, int(rule.threshold("recovered_days"))))


def usage_recovered(rule: Rule, given: UsageInput, figures: Mapping[str, Any]) -> bool:
    """R2 clears: activity has been near its old level on each of the last days."""
    by_day = {day.day: day for day in given.days}
    last = [by_day.get(day) for day in days_back(given.as_of, int(rule.threshold("recovered_days")) - 1)]
    enough = rule.threshold("recovered_ratio") * float(figures["baseline_7d"])
    return all(day is not None and day.count_7d >= enough for day in last)


def no_activity(rule: Rule, given: UsageInput) -> Finding | None:
    """R3: no key activity for as long as is unusual on the account's plan. Who never was active is not meant."""
    quiet = given.days_since_activity
    is_low_frequency = given.plan in rule.thresholds.get("low_frequency_plans", ())
    if quiet is None or quiet < rule.threshold("low_frequency_days" if is_low_frequency else "quiet_days"):
        return None
    last = given.as_of - timedelta(days=quiet)
    usual = next((day.count_7d for day in given.days if day.day == last), None)
    before = f", after {counted(usual, 'event')} in the 7 days up to then" if usual else ""
    return Finding(
        priority="high" if quiet >= rule.threshold("high_quiet_days") else "medium",
        sentence=f"No key activity for {counted(quiet, 'day')}, since {on(last)}{before}.",
        evidence=evidence(
            rule,
            given.as_of,
            series=[(day.day, day.count_7d) for day in given.days],
            series_name="key activity in 7 days",
            unit="events",
            baseline=usual,
            figures={"quiet_days": quiet, "last_activity_on": last.isoformat()},
        ),
    )


def activity_seen(rule: Rule, given: UsageInput, figures: Mapping[str, Any]) -> bool:
    """R3 clears: somebody did something since."""
    quiet = given.days_since_activity
    return quiet is not None and given.as_of - timedelta(days=quiet) > date.fromisoformat(figures["last_activity_on"])
