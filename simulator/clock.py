"""Time inside the simulation.

A day is an integer (days since 1970-01-01, UTC) and a moment is epoch seconds: numpy, Stripe and arithmetic agree on
both. Simulated now = real now + whole days of offset; `advance` raises the offset, nothing ever lowers it.
"""

import time
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate

DAY_SECONDS = 86_400


def day_of(moment: date) -> int:
    """Day number of a calendar date."""
    return (moment - date(1970, 1, 1)).days


def date_of(day: int) -> date:
    """Calendar date of a day number."""
    return date(1970, 1, 1) + timedelta(days=day)


def start_of(day: int) -> int:
    """Epoch second at which a day begins (UTC)."""
    return day * DAY_SECONDS


def end_of(day: int) -> int:
    """Last epoch second of a day (UTC)."""
    return day * DAY_SECONDS + DAY_SECONDS - 1


def weekday(day: int) -> int:
    """0 = Monday … 6 = Sunday."""
    return (day + 3) % 7


def iso_ms(second: float) -> str:
    """HubSpot's form: 2026-11-20T08:15:30.123Z."""
    moment = datetime.fromtimestamp(second, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def iso(second: float) -> str:
    """Zendesk's form: 2026-11-20T08:15:30Z."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def add_months(second: int, months: int, anchor_day: int) -> int:
    """The same time of day `months` later, on `anchor_day` of the month or the month's last day."""
    moment = datetime.fromtimestamp(second, UTC)
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return int(moment.replace(year=year, month=month + 1, day=min(anchor_day, last)).timestamp())


class Clock:
    """Simulated now for a running server; `offset_days` is refreshed from the database."""

    def __init__(self, offset_days: int = 0) -> None:
        self.offset_days = offset_days

    def now(self) -> float:
        """Simulated epoch seconds."""
        return time.time() + self.offset_days * DAY_SECONDS

    def today(self) -> int:
        """Simulated day number."""
        return int(self.now() // DAY_SECONDS)

    def http_date(self) -> str:
        """Simulated now as an HTTP `Date` header."""
        return formatdate(self.now(), usegmt=True)
