"""Business days, holidays and the two nights a year when the clock moves, for several countries and zones."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar import (
    Calendar,
    add_business_days,
    business_days_between,
    calendar_of,
    display_date,
    holiday_regions,
    is_business_day,
    is_time_zone,
)

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31))
REGIONS = ("GB-ENG", "GB-SCT", "GB-NIR", "DE", "DE-BY", "US", "FR", "ES", "JP", "AE", "IL")
ZONES = (
    "Europe/London", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Kathmandu",
    "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "America/Havana",
    "America/Santiago", "Atlantic/Azores", "UTC",
)  # fmt: skip
CALENDARS = st.builds(
    Calendar,
    zone=st.sampled_from([ZoneInfo(name) for name in ZONES]),
    region=st.sampled_from(REGIONS),
    days_off=st.frozensets(DAYS, max_size=12),
)


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
        (date(2026, 11, 21), 2, date(2026, 11, 25)),
        (date(2026, 12, 24), 1, date(2026, 12, 29)),  # Christmas, and Boxing Day moved to the Monday
        (date(2026, 4, 2), 1, date(2026, 4, 7)),  # Good Friday and Easter Monday
        (date(2024, 2, 28), 1, date(2024, 2, 29)),
    ],
)
def test_due_dates_step_over_weekends_and_holidays_of_england(start: date, count: int, due: date) -> None:
    assert add_business_days(start, count) == due


def test_a_negative_number_of_business_days_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_business_days(date(2026, 11, 20), -1)


@given(day=DAYS, count=st.integers(min_value=0, max_value=60))
def test_a_due_date_is_a_business_day_and_as_many_business_days_away_as_asked(day: date, count: int) -> None:
    due = add_business_days(day, count)

    assert is_business_day(due)
    assert business_days_between(day, due) == count + (0 if is_business_day(day) else 1)


@given(a=DAYS, b=DAYS)
def test_business_days_between_change_sign_with_the_order(a: date, b: date) -> None:
    assert business_days_between(a, b) == -business_days_between(b, a)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), date(2026, 7, 2)),
        (datetime(2026, 12, 1, 23, 30, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), date(2026, 10, 25)),
    ],
)
def test_today_is_that_of_london(moment: datetime, day: date) -> None:
    assert display_date(moment) == day


def test_a_moment_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        display_date(datetime(2026, 1, 1))  # noqa: DTZ001


@given(hours=st.integers(min_value=0, max_value=24 * 365 * 5))
def test_a_day_never_lasts_over_25_hours_and_none_is_skipped(hours: int) -> None:
    moment = datetime(2024, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hours)

    assert display_date(moment + timedelta(hours=25)) > display_date(moment)
    assert display_date(moment + timedelta(hours=23)) <= display_date(moment) + timedelta(days=1)


# --- each person's own calendar --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "day", "is_worked"),
    [
        ("GB-SCT", date(2026, 11, 30), False),  # St Andrew's Day
        ("GB-ENG", date(2026, 11, 30), True),
        ("GB-ENG", date(2026, 4, 6), False),  # Easter Monday
        ("GB-SCT", date(2026, 4, 6), True),
        ("DE", date(2026, 10, 3), False),
        ("DE-BY", date(2026, 1, 6), False),  # Epiphany
        ("DE", date(2026, 1, 6), True),
        ("US", date(2026, 11, 26), False),  # Thanksgiving
        ("US", date(2026, 12, 28), True),
        ("US", date(2027, 12, 31), False),  # New Year's Day of 2028, a Saturday, is kept the day before
        ("FR", date(2026, 7, 14), False),
        ("FR", date(2026, 12, 28), True),
    ],
)
def test_every_country_and_part_of_one_has_its_own_holidays(region: str, day: date, is_worked: bool) -> None:
    assert Calendar(region=region).is_business_day(day) is is_worked


def test_nobody_works_on_a_day_off_of_the_company() -> None:
    calendar = Calendar(days_off=frozenset({date(2026, 11, 23)}))

    assert calendar.add_business_days(date(2026, 11, 20), 1) == date(2026, 11, 24)
    assert calendar.business_days_between(date(2026, 11, 20), date(2026, 11, 24)) == 1


@given(calendar=CALENDARS, day=DAYS, count=st.integers(min_value=0, max_value=60))
def test_going_back_undoes_going_forth(calendar: Calendar, day: date, count: int) -> None:
    start = calendar.next_business_day(day)

    there = calendar.add_business_days(start, count)

    assert calendar.add_business_days(there, -count) == start
    assert calendar.business_days_between(start, there) == count
    assert calendar.is_business_day(there)


@given(calendar=CALENDARS, day=DAYS, first=st.integers(0, 40), then=st.integers(0, 40))
def test_so_many_days_and_so_many_more_are_their_sum(calendar: Calendar, day: date, first: int, then: int) -> None:
    there = calendar.add_business_days(calendar.add_business_days(day, first), then)

    assert there == calendar.add_business_days(day, first + then)


@given(calendar=CALENDARS, days=st.tuples(DAYS, DAYS, DAYS))
def test_business_days_add_up_over_any_day_in_between(calendar: Calendar, days: tuple[date, date, date]) -> None:
    a, b, c = days

    assert calendar.business_days_between(a, b) + calendar.business_days_between(
        b, c
    ) == calendar.business_days_between(a, c)


@given(calendar=CALENDARS, start=DAYS, length=st.integers(0, 800))
def test_counting_in_weeks_finds_what_counting_day_by_day_finds(calendar: Calendar, start: date, length: int) -> None:
    end = start + timedelta(days=length)

    counted = sum(calendar.is_business_day(start + timedelta(days=offset)) for offset in range(1, length + 1))

    assert calendar.business_days_between(start, end) == counted


@given(calendar=CALENDARS, day=DAYS)
def test_every_week_has_at_most_one_first_business_day(calendar: Calendar, day: date) -> None:
    monday = day - timedelta(days=day.weekday())
    week = [monday + timedelta(days=offset) for offset in range(7)]

    firsts = [one for one in week if calendar.is_first_business_day_of_week(one)]

    assert firsts == [one for one in week if calendar.is_business_day(one)][:1]


@given(calendar=CALENDARS, day=DAYS)
def test_a_day_begins_with_its_first_moment_and_days_follow_without_a_gap(calendar: Calendar, day: date) -> None:
    start, end = calendar.start_of_day(day), calendar.end_of_day(day)

    assert calendar.today(start) == day
    assert calendar.today(start - timedelta(microseconds=1)) == day - timedelta(days=1)
    assert calendar.today(end - timedelta(microseconds=1)) == day
    assert end == calendar.start_of_day(day + timedelta(days=1))
    assert timedelta(hours=22) < end - start < timedelta(hours=26)


@given(calendar=CALENDARS, moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_lies_within_its_own_day(calendar: Calendar, moment: datetime) -> None:
    today = calendar.today(moment)

    assert calendar.start_of_day(today) <= moment < calendar.end_of_day(today)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # midnight itself is skipped
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Europe/London", date(2024, 2, 29), 24),
    ],
)
def test_a_day_lasts_as_long_as_its_clock_says(zone: str, day: date, hours: float) -> None:
    calendar = Calendar(zone=ZoneInfo(zone))

    assert calendar.end_of_day(day) - calendar.start_of_day(day) == timedelta(hours=hours)


def test_seven_in_the_morning_is_seven_by_the_clock_on_the_wall() -> None:
    berlin = Calendar(zone=ZoneInfo("Europe/Berlin"))

    assert berlin.at(date(2026, 3, 28), time(7)) == datetime(2026, 3, 28, 6, tzinfo=UTC)
    assert berlin.at(date(2026, 3, 29), time(7)) == datetime(2026, 3, 29, 5, tzinfo=UTC)


def test_the_last_day_of_february_is_a_business_day_when_it_is_a_weekday() -> None:
    assert Calendar().add_business_days(date(2028, 2, 28), 1) == date(2028, 2, 29)
    assert Calendar().add_business_days(date(2027, 2, 26), 1) == date(2027, 3, 1)
    assert Calendar().business_days_between(date(2028, 2, 28), date(2028, 3, 1)) == 2


@dataclass(frozen=True)
class Somebody:
    time_zone: str
    holiday_region: str


def test_a_person_has_the_zone_the_holidays_and_the_company_days_they_are_given() -> None:
    calendar = calendar_of(Somebody("Asia/Tokyo", "JP"), [date(2026, 11, 24)])

    assert calendar.today(datetime(2026, 11, 19, 16, tzinfo=UTC)) == date(2026, 11, 20)
    assert not calendar.is_business_day(date(2026, 11, 23))  # Labour Thanksgiving
    assert calendar.add_business_days(date(2026, 11, 20), 1) == date(2026, 11, 25)


def test_a_calendar_without_one_business_day_a_year_is_refused() -> None:
    never = frozenset(date(2026, 1, 1) + timedelta(days=offset) for offset in range(1200))

    with pytest.raises(ValueError, match="no business day"):
        Calendar(days_off=never).add_business_days(date(2026, 1, 1), 1)


def test_an_unknown_region_or_zone_is_told_from_a_known_one() -> None:
    assert {"GB-ENG", "GB-SCT", "DE", "US", "FR"} <= set(holiday_regions())
    assert is_time_zone("Europe/London")
    for name in ("Europe/Nowhere", "", "../../etc/passwd", "localtime\x00", "Europe"):
        assert not is_time_zone(name)
    with pytest.raises(ValueError, match="not known"):
        Calendar(region="XX").is_business_day(date(2026, 11, 20))
