"""R5: more trouble at the support desk than an account should have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.suggestions.rules import Finding, Rule, days_back, evidence
from app.wording import counted

WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket; `solved_on` is None while it is not."""

    is_urgent: bool
    created_on: date
    solved_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportInput:
    """Tickets of one account that are open or were created in the last two months, oldest first."""

    account_key: str
    as_of: date
    tickets: tuple[Ticket, ...]


def _urgent_on(given: SupportInput, day: date) -> list[Ticket]:
    return [
        one
        for one in given.tickets
        if one.is_urgent and one.created_on <= day and (one.solved_on is None or one.solved_on > day)
    ]


def _new_by(given: SupportInput, day: date) -> int:
    return sum(day - WINDOW < one.created_on <= day for one in given.tickets)


def _is_pressing(rule: Rule, given: SupportInput, day: date) -> bool:
    return len(_urgent_on(given, day)) > rule.threshold("most_urgent") or _new_by(given, day) > rule.threshold(
        "most_new_30d"
    )


def support_pressure(rule: Rule, given: SupportInput) -> Finding | None:
    """R5: too many urgent tickets unresolved, or too many tickets in 30 days, and that has held."""
    if not all(_is_pressing(rule, given, day) for day in days_back(given.as_of, rule.hold_days)):
        return None
    urgent, new = _urgent_on(given, given.as_of), _new_by(given, given.as_of)
    said = f"{counted(new, 'ticket')} in 30 days"
    if urgent:
        oldest = (given.as_of - min(one.created_on for one in urgent)).days
        said += f"; {counted(len(urgent), 'urgent one')} unresolved, the oldest for {counted(oldest, 'day')}"
    return Finding(
        priority="critical" if len(urgent) > rule.threshold("critical_urgent") else "high",
        sentence=f"{said}.",
        evidence=evidence(
            rule,
            given.as_of,
            series=[(day, _new_by(given, day)) for day in reversed(days_back(given.as_of, 30))],
            series_name="tickets in 30 days",
            unit="tickets",
            baseline=rule.threshold("most_new_30d"),
            figures={"urgent_unresolved_count": len(urgent), "ticket_count_30d": new},
        ),
    )


def support_calm(rule: Rule, given: SupportInput, figures: Mapping[str, Any]) -> bool:
    """R5 clears: nothing urgent is open, and there are no more tickets than an account may have."""
    return not _urgent_on(given, given.as_of) and _new_by(given, given.as_of) <= rule.threshold("most_new_30d")
