"""What holiday regions and time zones are called, and which public holidays come next in one: so that a choice of
`GB-SCT` can be recognised as Scotland before it moves anybody's due dates.
"""

import re
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from holidays import registry

from app.calendar import holiday_regions

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COUNTRIES = {codes[1]: codes[0] for codes in registry.COUNTRIES.values()}


def _part_name(country: str, part: str) -> str:
    """A part's own name where the library has one, else its code."""
    aliases = getattr(getattr(holidays, _COUNTRIES[country], None), "subdivisions_aliases", {})
    return next((name for name, code in aliases.items() if code == part and len(name) > len(part)), part)


@lru_cache(maxsize=2048)
def region_name(region: str) -> str:
    """`GB-SCT` as `United Kingdom: Scotland (GB-SCT)`."""
    country, _, part = region.partition("-")
    if country not in _COUNTRIES:
        return region
    name = _WORDS.sub(" ", _COUNTRIES[country])
    return f"{name}: {_part_name(country, part)} ({region})" if part else f"{name} ({region})"


@lru_cache(maxsize=1)
def regions() -> tuple[str, ...]:
    """Every region, in the order of their names."""
    return tuple(sorted(holiday_regions(), key=region_name))


def next_holidays(region: str, *, after: date, count: int = 3) -> list[tuple[date, str]]:
    """The next public holidays of a region that fall on a weekday, with their English names where there are any."""
    country, _, part = region.partition("-")
    known = holidays.country_holidays(
        country, subdiv=part or None, years=(after.year, after.year + 1), language="en_US"
    )
    coming = sorted((day, name) for day, name in known.items() if day > after and day.weekday() < 5)
    return coming[:count]


def clock_there(zone: str, now: datetime) -> str:
    """What the clock on the wall of a zone shows: `14:05 on Sunday`."""
    local = now.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M} on {local:%A}"
