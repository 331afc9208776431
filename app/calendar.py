"""Business days and calendar days: each person's, by their zone and their country's public holidays, and the product's.

Dates of the product itself (a list, a week of the board) are those of Europe/London and England, so that two people
looking at one list see one list. What concerns a person (late, away, the hour of a digest) asks their own `Calendar`.
The trap avoided: adding 24 hours is not the next day on the two nights a year when the clock moves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import holidays

DISPLAY_ZONE = ZoneInfo("Europe/London")
DISPLAY_REGION = "GB-ENG"
SATURDAY = 5
_DAY = timedelta(days=1)
_NO_END = 366  # a year without one business day is no calendar to reckon with


@lru_cache
def holiday_regions() -> tuple[str, ...]:
    """Every region whose public holidays are known: a country ("DE"), or a part of one ("GB-ENG", "DE-BY"), sorted."""
    countries = holidays.list_supported_countries(include_aliases=False)
    parts = [f"{country}-{part}" for country, subdivisions in countries.items() for part in subdivisions]
    return tuple(sorted([*countries, *parts]))


@lru_cache
def time_zones() -> tuple[str, ...]:
    """Every IANA time zone by name, sorted."""
    return tuple(sorted(available_timezones()))


@lru_cache(maxsize=4096)
def _public_holidays(region: str, year: int) -> frozenset[date]:
    country, _, part = region.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError:
        raise ValueError(f"the public holidays of {region!r} are not known") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of one person: a time zone, the public holidays of a region, and days off of the whole company.

    Raises ValueError, when it is first asked about a day, for a region that `holiday_regions` does not list.
    """

    zone: ZoneInfo = DISPLAY_ZONE
    region: str = DISPLAY_REGION
    days_off: frozenset[date] = frozenset()

    def today(self, now: datetime) -> date:
        """The calendar day at a moment. `now` must carry a zone."""
        if now.tzinfo is None:
            raise ValueError("a moment without a zone has no calendar day")
        return now.astimezone(self.zone).date()

    def start_of_day(self, day: date) -> datetime:
        """The first moment of a day, UTC: midnight, or an hour later where the clock skips midnight."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def end_of_day(self, day: date) -> datetime:
        """The moment a day is over, UTC: the first of the next. A day lasts 23, 24 or 25 hours."""
        return self.start_of_day(day + _DAY)

    def at(self, day: date, wall_clock: time) -> datetime:
        """The moment the clock on the wall shows a time on a day, UTC.

        An hour that happens twice means the first; one that is skipped means as long after midnight as on other days.
        """
        return datetime.combine(day, wall_clock, self.zone).astimezone(UTC)

    def is_business_day(self, day: date) -> bool:
        """Whether this person is expected to work on `day`: Monday to Friday, no public holiday, no day off."""
        return (
            day.weekday() < SATURDAY and day not in self.days_off and day not in _public_holidays(self.region, day.year)
        )

    def _step(self, day: date, by: timedelta) -> date:
        for _ in range(_NO_END):
            day += by
            if self.is_business_day(day):
                return day
        raise ValueError("there is no business day within a year")

    def next_business_day(self, day: date) -> date:
        """`day` itself when it is one, else the next."""
        return day if self.is_business_day(day) else self._step(day, _DAY)

    def add_business_days(self, day: date, count: int) -> date:
        """The date `count` business days after `day`, before it when negative; with 0 `day` or the next business day.

        Counting starts at the next business day when `day` is none, at the one before it when `count` is negative, so
        that going back undoes going forth.
        """
        if count < 0:
            here = day if self.is_business_day(day) else self._step(day, -_DAY)
            for _ in range(-count):
                here = self._step(here, -_DAY)
            return here
        here = self.next_business_day(day)
        for _ in range(count):
            here = self._step(here, _DAY)
        return here

    def business_days_between(self, start: date, end: date) -> int:
        """Business days after `start` up to and including `end`; negative when `end` is before `start`.

        An action due on `start` is this many business days late on `end`.
        """
        if end < start:
            return -self.business_days_between(end, start)
        weeks, rest = divmod((end - start).days, 7)
        tail = sum((start + timedelta(days=offset)).weekday() < SATURDAY for offset in range(1, rest + 1))
        off = set(self.days_off).union(
            *(_public_holidays(self.region, year) for year in range(start.year, end.year + 1))
        )
        return weeks * 5 + tail - sum(start < day <= end and day.weekday() < SATURDAY for day in off)

    def is_first_business_day_of_week(self, day: date) -> bool:
        """Whether `day` is the first day of its week (from Monday) that this person works."""
        monday = week_start(day)
        return self.is_business_day(day) and not any(
            self.is_business_day(monday + timedelta(days=offset)) for offset in range(day.weekday())
        )


class Person(Protocol):
    """Somebody whose days can be told: a `User` is one."""

    @property
    def time_zone(self) -> str:
        """An IANA name."""
        ...

    @property
    def holiday_region(self) -> str:
        """One of `holiday_regions`."""
        ...


def calendar_of(user: Person, company_holidays: Iterable[date] = ()) -> Calendar:
    """A person's own calendar; `company_holidays` are `configuration.active(db, CompanyHolidays).days`."""
    return Calendar(zone=ZoneInfo(user.time_zone), region=user.holiday_region, days_off=frozenset(company_holidays))


DISPLAY = Calendar()


def week_start(day: date) -> date:
    """The Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def is_time_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone of this machine."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return name in time_zones()


def display_date(moment: datetime) -> date:
    """The calendar day in Europe/London at a moment; "today" of a due date. `moment` must carry a zone."""
    return DISPLAY.today(moment)


def is_business_day(day: date) -> bool:
    """Whether somebody in England is expected to work on `day`."""
    return DISPLAY.is_business_day(day)


def add_business_days(day: date, count: int) -> date:
    """The date `count` business days of England after `day`; with 0, `day` itself or the next business day.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("count of business days must not be negative")
    return DISPLAY.add_business_days(day, count)


def business_days_between(start: date, end: date) -> int:
    """Business days of England after `start` up to and including `end`; negative when `end` is before `start`."""
    return DISPLAY.business_days_between(start, end)


def shown_date(day: date) -> str:
    """A date in a message: 20 November 2026."""
    return f"{day.day} {day:%B %Y}"


def shown_hours(minutes: float) -> str:
    """Minutes of work as the hours of a message or a screen, the unit left to the sentence: 21.5, 0.8."""
    return f"{minutes / 60:.1f}".removesuffix(".0")
