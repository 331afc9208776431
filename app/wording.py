"""How sentences say numbers, days and lists."""

from collections.abc import Sequence
from datetime import date


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 ticket", "12 tickets"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def on(day: date) -> str:
    """A day as it is read: "5 Nov 2026"."""
    return f"{day.day} {day:%b %Y}"


def listed(parts: Sequence[str]) -> str:
    """Parts as one phrase: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""
