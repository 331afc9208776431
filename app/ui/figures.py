"""Figures and dates as they stand on a screen: one spelling each, the unit always beside the number.

Thin spaces group thousands (€ 11 480) and money is rounded to whole units, as people read it aloud; exact values are in
the tables and exports. Dates are relative where that is what matters (overdue 4 d) and absolute elsewhere (Thu 19 Nov).
"""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.calendar import shown_hours
from app.suggestions.rates import ENOUGH, Rate

LONDON = ZoneInfo("Europe/London")
SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
THIN_SPACE = "\u202f"
_COUNTS_DAYS = re.compile(r"\b\d+ days?\b")
Number = int | float | Decimal


def grouped(value: Number, digits: int = 0) -> str:
    """1234567.8 as `1 234 568`, with narrow no-break spaces."""
    return f"{value:,.{digits}f}".replace(",", THIN_SPACE).replace("-", "−")


def money(value: Number | None, currency: str = "EUR") -> str:
    """`€ 11 480`; unknown is an en dash. Dollar signs are safe in Markdown: they come escaped."""
    if value is None:
        return "–"
    sign = SIGNS.get(currency.upper(), currency.upper())
    return f"{sign}\u00a0{grouped(value)}".replace("$", r"\$")


def in_euro(value: Number | None, currency: str | None) -> str:
    """`, € 11 480` behind an amount of another currency; nothing behind one that is in euro already."""
    return "" if (currency or "EUR").upper() == "EUR" else f", {money(value)}"


def money_short(value: Number | None) -> str:
    """Euro in thousands or millions: `€ 750 k`, `€ 1.2 M`."""
    if value is None:
        return "–"
    amount = float(value)
    if abs(amount) >= 1_000_000:
        return f"€\u00a0{amount / 1_000_000:.1f}\u00a0M"
    if abs(amount) >= 10_000:
        return f"€\u00a0{amount / 1_000:.1f}\u00a0k".replace(".0\u00a0k", "\u00a0k")
    return money(amount)


def between(ratio: float | None, low: float | None, high: float | None, cases: int) -> str:
    """`62% (51–72%)`, or how many cases are missing before it says anything."""
    if ratio is None or low is None or high is None:
        return f"{cases} of {ENOUGH} needed" if cases else "–"
    return f"{ratio:.0%} ({span(low, high)})"


def rate(value: Rate) -> str:
    """As `between`, of a rate."""
    return between(value.share if value.is_enough else None, *value.interval, value.of)


def span(low: float, high: float) -> str:
    """0.51 and 0.72 as `51–72%`."""
    return f"{low * 100:.0f}–{high:.0%}"


def signed(value: Number, digits: int = 0) -> str:
    """`+5`, `−16`, and `0` when it rounds to nothing."""
    rounded = round(float(value), digits)
    if rounded == 0:
        return "0"
    return ("+" if rounded > 0 else "−") + f"{abs(rounded):.{digits}f}"


def percent(ratio: Number | None) -> str:
    """0.41 as `41%`, −0.2 as `−20%`."""
    return "–" if ratio is None else f"{float(ratio) * 100:.0f}%".replace("-", "−")


def signed_percent(ratio: Number) -> str:
    """0.12 as `+12%`, −0.2 as `−20%`."""
    return f"{signed(float(ratio) * 100)}%"


def duration(minutes: Number | None) -> str:
    """How long something took: `45 min`, `1.5 h`, `3 d`, the largest unit that leaves a number worth reading."""
    if minutes is None:
        return "–"
    amount = float(minutes)
    return f"{amount:.0f} min" if amount < 90 else f"{hours(amount)} h" if amount < 2880 else f"{amount / 1440:.0f} d"


def day(value: date | None, *, today: date | None = None) -> str:
    """`Thu 19 Nov`; with the year once it is another one than `today`'s."""
    if value is None:
        return "–"
    text = f"{value:%a} {value.day} {value:%b}"
    return text if today is None or value.year == today.year else f"{value.day} {value:%b %Y}"


def short_day(value: date, *, today: date) -> str:
    """`19 Nov`; with the year once it is another one than `today`'s."""
    return f"{value.day} {value:%b}" + ("" if value.year == today.year else f" {value.year}")


def full_day(value: date | None) -> str:
    """`19 Nov 2026`."""
    return "–" if value is None else f"{value.day} {value:%b %Y}"


def month(value: date | None) -> str:
    """`November 2026`."""
    return "–" if value is None else f"{value:%B %Y}"


def clock(moment: datetime, *, now: datetime) -> str:
    """`06:10` today, `Sun 22:40` within a week, `19 Nov` this year, else `19 Nov 2025`; London time."""
    local, today = moment.astimezone(LONDON), now.astimezone(LONDON).date()
    age = (today - local.date()).days
    if age == 0:
        return f"{local:%H:%M}"
    if 0 < age < 7:
        return f"{local:%a %H:%M}"
    return f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def event_time(moment: datetime, *, now: datetime) -> str:
    """As `clock`; what a day's build found carries the first or last second of its UTC day and is shown as that day."""
    at = moment.astimezone(UTC)
    if at.time().replace(microsecond=0) in (time(0, 0), time(23, 59, 59)):
        return day(at.date(), today=now.astimezone(LONDON).date())
    return clock(moment, now=now)


def story_time(moment: datetime, *, now: datetime) -> str:
    """`Today 09:58`, else `Wed 18 Nov`, with the year when it is another one; London time."""
    local, today = moment.astimezone(LONDON), now.astimezone(LONDON).date()
    return f"Today {local:%H:%M}" if local.date() == today else day(local.date(), today=today)


def days_until(value: date | None, today: date) -> int | None:
    """Days from today, below zero for the past.

    Every screen counts from today, also where a mart stores a count: that one ends on the last complete day.
    """
    return None if value is None else (value - today).days


def counted_on(text: str, as_of: date) -> str:
    """A sentence of a mart that counts days, with the day it counted from: `Renewal in 18 days, on Sat 21 Nov`."""
    return f"{text}, on {day(as_of)}" if _COUNTS_DAYS.search(text) else text


def ago(value: date | None, today: date) -> str:
    """`today`, `yesterday`, `9 days ago`, `5 months ago`."""
    if value is None:
        return "never"
    days = (today - value).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 60 else f"{days // 30} months ago"


def due(value: date | None, today: date) -> str:
    """How a due date is said in a chip: `Overdue 4 d`, `Today`, `Tomorrow`, `Tue 24 Nov`, `No date`."""
    if value is None:
        return "No date"
    days = (value - today).days
    if days < 0:
        return f"Overdue {-days} d"
    return {0: "Today", 1: "Tomorrow"}.get(days, day(value, today=today))


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 account`, `75 accounts`."""
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def hours(minutes: Number) -> str:
    """Minutes of work as hours with at most one decimal: `21.5`."""
    return shown_hours(float(minutes))
