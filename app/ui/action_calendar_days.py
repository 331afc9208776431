"""Which days the calendar of actions shows, and what lies on each. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.actions.lifecycle import Status
from app.actions.model import ActionRow
from app.calendar import Calendar, week_start

SPANS = {"month": "Month", "week": "Week"}
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Day:
    """One day of the grid. `is_off` are weekends, public holidays and days off of the company; `is_outside` days of
    another month."""

    day: date
    actions: tuple[ActionRow, ...]
    is_off: bool
    is_holiday: bool
    is_outside: bool


def first_day(span: str, around: date) -> date:
    """The Monday that the week or month around a day begins with."""
    return week_start(around.replace(day=1) if span == "month" else around)


def end_day(span: str, around: date) -> date:
    """The Monday after the last day shown."""
    if span == "week":
        return week_start(around) + _WEEK
    return week_start(_next_month(around) - _DAY) + _WEEK


def moved(span: str, around: date, by: int) -> date:
    """A day in the week or month before (-1) or after (1) the one around a day."""
    if span == "week":
        return around + by * _WEEK
    return _next_month(around) if by > 0 else around.replace(day=1) - _DAY


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def weeks(span: str, around: date, actions: Iterable[ActionRow], calendar: Calendar) -> list[list[Day]]:
    """Weeks from Monday to Sunday; each day's actions in the order they came in."""
    lying: dict[date, list[ActionRow]] = {}
    for action in actions:
        # what sleeps lies where it wakes, or nobody would look for it
        day = action.snoozed_until if action.status is Status.SNOOZED else action.due_date
        if day is not None:
            lying.setdefault(day, []).append(action)
    start, end = first_day(span, around), end_day(span, around)
    days: Sequence[date] = [start + timedelta(days=place) for place in range((end - start).days)]
    found = [
        Day(
            day=day,
            actions=tuple(lying.get(day, ())),
            is_off=not calendar.is_business_day(day),
            is_holiday=day.weekday() < 5 and not calendar.is_business_day(day),
            is_outside=span == "month" and day.month != around.month,
        )
        for day in days
    ]
    return [found[place : place + 7] for place in range(0, len(found), 7)]
