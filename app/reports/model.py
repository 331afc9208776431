"""What a report is: its question, its definition in words, what it may be narrowed by, and how its rows are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection

from app.reports.reach import Reach
from app.reports.wanted import Wanted


class Filter(StrEnum):
    """What a report may be narrowed by."""

    PERIOD = "period"
    CSM = "csm"
    PLAN = "plan"
    SEGMENT = "segment"
    HORIZON = "horizon"


ACCOUNT_FILTERS = frozenset({Filter.CSM, Filter.PLAN, Filter.SEGMENT})


class Members(Protocol):
    """The day on whose end a saved segment holds whom a report is about; None for today. `as_of` as for `Read`."""

    def __call__(self, wanted: Wanted, as_of: date) -> date | None: ...


def now(wanted: Wanted, as_of: date) -> None:
    """Whoever belongs to a segment today."""


def before_the_period(wanted: Wanted, as_of: date) -> date:
    """Whoever belonged to a segment when the period began: who left in it did, and must not be missing."""
    return min(wanted.start - timedelta(days=1), as_of)


class Read(Protocol):
    """One statement: the rows of a report in their order. `as_of` is the last day of the build."""

    def __call__(self, db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> Sequence[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report. `formula` is its definition as our own Markdown, `sources` the tables it is counted from, `groups`
    what it can be counted by, the first at first; `months` how long its period is at first, None for no period.
    `tells_of_people`: narrowed to one CSM it tells how that person follows through. `members`: None when no saved
    segment can narrow it.
    """

    title: str
    question: str
    formula: str
    sources: tuple[str, ...]
    row_type: type
    read: Read
    filters: frozenset[Filter] = ACCOUNT_FILTERS
    groups: Mapping[str, str] = field(default_factory=dict)
    months: int | None = None
    tells_of_people: bool = False
    members: Members | None = None
    period: tuple[str, str] = ("Made from", "to")
