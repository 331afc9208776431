"""What the reports call things, and how they spell shares."""

from datetime import date

from app.reports.interventions import HELD_OUT, NOT_DONE
from app.reports.migration import NO_CUSTOMER
from app.ui import words

MOVES = {**words.MRR_MOVEMENTS, "churned": "Churn"}


def share(ratio: float | None) -> str:
    """`96.2%`, an en dash for none."""
    return "–" if ratio is None else f"{ratio:.1%}"


def cohort(month: date | None) -> str:
    """`Nov 2026`, and `Earlier` for those of before the history."""
    return "Earlier" if month is None else f"{month:%b %Y}"


def person(name: str | None) -> str:
    """The owner of actions; who is nobody's waits in the queue."""
    return name or "Nobody yet"


def band(code: str) -> str:
    """`Red`, `Insufficient data`, `Not a customer`."""
    return "Not a customer" if code == NO_CUSTOMER else words.BAND_NAMES.get(code, code)


def intervention(code: str) -> str:
    """What was done, or why nothing was."""
    return {HELD_OUT: "Held out: none", NOT_DONE: "Nothing done"}.get(code) or words.word(words.INTERVENTIONS, code)


def group(code: str | None, by: str) -> str:
    """One of what rows are counted by, as people call it."""
    if code is None:
        return {"csm": "Nobody yet", "rule": "People's own"}.get(by, "None")
    if by == "rule":
        return f"{code} {words.RULES.get(code, '')}".strip()
    if by == "intervention":
        return "Held out: none" if code == "none" else words.word(words.INTERVENTIONS, code)
    return code
