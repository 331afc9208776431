"""Business days, holidays and the two nights a year when the clock moves."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar import add_business_days, business_days_between, display_date, is_business_day

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31))


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
