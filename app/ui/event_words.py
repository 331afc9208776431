"""What the warehouse notes beside an event, said as people write it."""

import re
from datetime import date

from app.ui.figures import full_day
from app.ui.text import with_minus

_ISO_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_ONE_ATTEMPT = re.compile(r"\b1 attempts ")


def _day(found: re.Match[str]) -> str:
    try:
        return full_day(date.fromisoformat(found.group(0)))
    except ValueError:
        return found.group(0)


def event_detail(detail: str | None) -> str:
    """Codes capitalised, days as days, one attempt."""
    text = (detail or "").strip()
    code, mark, rest = text.partition(" · ")
    if mark and code.islower():
        text = f"{code.replace('_', ' ').capitalize()} · {rest}"
    elif not mark and text.islower() and " " not in text:
        text = text.replace("_", " ").capitalize()
    text = _ISO_DAY.sub(_day, text)
    return with_minus(_ONE_ATTEMPT.sub("1 attempt ", text))
