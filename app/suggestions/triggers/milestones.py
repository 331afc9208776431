"""R9, R10: what should have happened by now in the life of an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.suggestions.rules import Finding, Rule, evidence
from app.wording import listed, on

# in their order; the plan's day of each is a threshold, `<milestone>_by_day`
_MILESTONES = {
    "first_activity": "first key activity",
    "first_campaign": "first campaign",
    "first_automation": "first live automation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingInput:
    """A young account: the day of each milestone it has met, and its key activity by day, oldest first."""

    account_key: str
    as_of: date
    customer_since: date
    met: Mapping[str, date]
    activity: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalInput:
    """The next renewal, and when it was last assessed: an action for this reason closed, or the suggestion refused."""

    account_key: str
    as_of: date
    renewal_date: date
    assessed_on: date | None


def onboarding_stalled(rule: Rule, given: OnboardingInput) -> Finding | None:
    """R9: a milestone of the onboarding is late against its plan."""
    age = given.as_of - given.customer_since
    if age > rule.days("until_day"):
        return None
    late = [name for name in _MILESTONES if name not in given.met and age > rule.days(f"{name}_by_day")]
    if not late:
        return None
    planned = [f"no {_MILESTONES[name]} yet, planned by day {rule.threshold(f'{name}_by_day'):.0f}" for name in late]
    return Finding(
        priority="high",
        sentence=f"Day {age.days} of onboarding: {listed(planned)}.",
        evidence=evidence(
            rule,
            given.as_of,
            series=given.activity,
            series_name="key activity a day",
            unit="events",
            baseline=None,
            figures={"late": late, "day": age.days},
        ),
    )


def milestones_met(rule: Rule, given: OnboardingInput, figures: Mapping[str, Any]) -> bool:
    """R9 clears: every milestone that was late has been met."""
    return set(figures["late"]) <= given.met.keys()


def _checkpoint(rule: Rule, given: RenewalInput) -> timedelta | None:
    """The nearest checkpoint that has been reached; None before the first, and from the renewal on."""
    left = given.renewal_date - given.as_of
    reached = [at for at in (rule.days("second_checkpoint_days"), rule.days("first_checkpoint_days")) if left <= at]
    return reached[0] if reached and left > timedelta(0) else None


def renewal_checkpoint(rule: Rule, given: RenewalInput) -> Finding | None:
    """R10: a checkpoint before the renewal has come, and nobody has assessed it since."""
    checkpoint = _checkpoint(rule, given)
    if checkpoint is None or _is_assessed(given, given.renewal_date - checkpoint):
        return None
    return Finding(
        # a date in the calendar is no alarm: what is wrong with an account has a rule of its own
        priority="medium" if checkpoint == rule.days("second_checkpoint_days") else "low",
        sentence=f"The renewal is on {on(given.renewal_date)}: the checkpoint {checkpoint.days} days before it has not"
        " been assessed.",
        evidence=evidence(
            rule,
            given.as_of,
            series=(),
            series_name="",
            unit="",
            baseline=None,
            figures={
                "renewal_date": given.renewal_date.isoformat(),
                "checkpoint_on": (given.renewal_date - checkpoint).isoformat(),
            },
        ),
    )


def _is_assessed(given: RenewalInput, since: date) -> bool:
    return given.assessed_on is not None and given.assessed_on >= since


def renewal_assessed(rule: Rule, given: RenewalInput, figures: Mapping[str, Any]) -> bool:
    """R10 clears: the checkpoint was assessed, or the renewal lies elsewhere or behind."""
    return _is_assessed(given, date.fromisoformat(figures["checkpoint_on"])) or _checkpoint(rule, given) is None
