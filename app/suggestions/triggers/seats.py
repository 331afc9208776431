"""R8, R12: seats that are paid and not used, and seats that run out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from app.suggestions.rules import Finding, Rule, days_back, evidence
from app.wording import counted


class SeatsDay(NamedTuple):
    """One day: people active in 28 days over paid seats (None without seats), and key activity of 30 days and of the 30
    before. A tuple as `UsageDay` is, and for the same reason."""

    day: date
    seat_use_ratio: float | None
    count_30d: int
    previous_30d: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatsInput:
    """Seat use of one account by day, oldest first."""

    account_key: str
    as_of: date
    customer_since: date | None
    seats_paid: int | None
    days: tuple[SeatsDay, ...]


def _held(rule: Rule, given: SeatsInput) -> list[SeatsDay | None]:
    by_day = {day.day: day for day in given.days}
    return [by_day.get(day) for day in days_back(given.as_of, rule.hold_days)]


def _said(rule: Rule, given: SeatsInput, now: SeatsDay, ratio: float, **figures: Any) -> dict[str, Any]:
    return evidence(
        rule,
        given.as_of,
        series=[(day.day, day.seat_use_ratio * 100) for day in given.days if day.seat_use_ratio is not None],
        series_name="paid seats in use, %",
        unit="percent",
        baseline=ratio * 100,
        figures={"seat_use_ratio": now.seat_use_ratio, "seats_paid": given.seats_paid, **figures},
    )


def low_seat_use(rule: Rule, given: SeatsInput) -> Finding | None:
    """R8: well after the start, too few of the paid seats are used, and that has held."""
    least, held = rule.threshold("least_ratio"), _held(rule, given)
    if given.customer_since is None or given.as_of - given.customer_since < rule.days("from_day"):
        return None
    if any(day is None or day.seat_use_ratio is None or day.seat_use_ratio >= least for day in held):
        return None
    now = held[0]
    if now is None or now.seat_use_ratio is None:
        return None
    of = f" of {counted(given.seats_paid, 'paid seat')}" if given.seats_paid else " of the paid seats"
    return Finding(
        priority="medium",
        sentence=f"Only {now.seat_use_ratio:.0%}{of} were used in 28 days; it has been under {least:.0%} for"
        f" {counted(rule.hold_days, 'day')} at least.",
        evidence=_said(rule, given, now, least),
    )


def seats_used_again(rule: Rule, given: SeatsInput, figures: Mapping[str, Any]) -> bool:
    """R8 clears: enough of the seats are used."""
    ratio = given.days[-1].seat_use_ratio if given.days and given.days[-1].day == given.as_of else None
    return ratio is not None and ratio >= rule.threshold("recovered_ratio")


def growth(rule: Rule, given: SeatsInput) -> Finding | None:
    """R12: nearly every seat is used while activity grows, and that has held."""
    full, more = rule.threshold("full_ratio"), 1 + rule.threshold("growth_ratio")
    held = _held(rule, given)
    if any(
        day is None
        or (day.seat_use_ratio or 0) <= full
        or day.previous_30d < rule.threshold("least_previous_30d")
        or day.count_30d < day.previous_30d * more
        for day in held
    ):
        return None
    now = held[0]
    if now is None or now.seat_use_ratio is None:
        return None
    change = now.count_30d / now.previous_30d - 1
    of = f" of {counted(given.seats_paid, 'paid seat')}" if given.seats_paid else " of the paid seats"
    return Finding(
        priority="medium",
        sentence=f"{now.seat_use_ratio:.0%}{of} are used and key activity is up {change:.0%} in 30 days:"
        f" {now.count_30d:,} against {now.previous_30d:,}.",
        evidence=_said(rule, given, now, full, change_ratio=round(change, 4)),
    )


def room_again(rule: Rule, given: SeatsInput, figures: Mapping[str, Any]) -> bool:
    """R12 clears: there is room in the seats again, be it that more were bought."""
    ratio = given.days[-1].seat_use_ratio if given.days and given.days[-1].day == given.as_of else None
    return ratio is not None and ratio < rule.threshold("room_ratio")
