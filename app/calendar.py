"""Business days: Monday to Friday without the public holidays of England. Dates are those of Europe/London."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

DISPLAY_ZONE = ZoneInfo("Europe/London")


@lru_cache
def _public_holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("GB", subdiv="ENG")


def display_date(moment: datetime) -> date:
    """The calendar day in Europe/London at a moment; "today" of a due date. `moment` must carry a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone has no calendar day")
    return moment.astimezone(DISPLAY_ZONE).date()


def is_business_day(day: date) -> bool:
    """Whether somebody is expected to work on `day`."""
    return day.weekday() < 5 and day not in _public_holidays()


def add_business_days(day: date, count: int) -> date:
    """The date `count` business days after `day`; with 0, `day` itself or the next business day.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("count of business days must not be negative")
    while not is_business_day(day):
        day += timedelta(days=1)
    for _ in range(count):
        day += timedelta(days=1)
        while not is_business_day(day):
            day += timedelta(days=1)
    return day


def business_days_between(start: date, end: date) -> int:
    """Business days after `start` up to and including `end`; negative when `end` is before `start`.

    An action due on `start` is this many business days late on `end`.
    """
    if end < start:
        return -business_days_between(end, start)
    return sum(is_business_day(start + timedelta(days=offset)) for offset in range(1, (end - start).days + 1))
