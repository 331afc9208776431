"""What somebody asks of a report, as data: it comes from the address and leads back to the same report. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from urllib.parse import urlencode
from uuid import UUID

MOST_CHOSEN = 50  # of one filter; an address may hold anything
MOST_MONTHS = 36  # that a period may begin before the end of the build's
IN_SEGMENT = "in_segment"
_LISTS = {"csms": "csm", "plans": "plan", "segments": "segment"}


def first_of_month(day: date) -> date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def months_before(month: date, count: int) -> date:
    """The first day of the month that many months earlier; later for a count below zero."""
    at = month.year * 12 + month.month - 1 - count
    return date(at // 12, at % 12 + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    """First days of all months from one to another, both included, oldest first."""
    count = (last.year - first.year) * 12 + last.month - first.month
    return [months_before(last, back) for back in range(count, -1, -1)]


def code_of(month: date) -> str:
    """A month as the address says it: `2026-11`."""
    return f"{month:%Y-%m}"


def month_of(code: str) -> date | None:
    """The month of a code of `code_of`; None for anything else."""
    try:
        return datetime.strptime(code, "%Y-%m").date()  # noqa: DTZ007 -- a month has no zone
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A period of whole months and what narrows it; an empty tuple means any.

    `start` and `end` are the first days of the first and the last month. `csms` are names. `by` is what rows are
    counted by, `horizon_days` after how long outcomes are measured; a report that knows neither ignores them.
    `in_segment` is a filter that somebody saved, `account_keys` whom it holds (`catalogue.within`), None without one.
    """

    start: date
    end: date
    csms: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    in_segment: UUID | None = None
    account_keys: tuple[str, ...] | None = None
    by: str = ""
    horizon_days: int = 30

    @property
    def since(self) -> datetime:
        """The moment at which the period begins, UTC."""
        return datetime.combine(self.start, time(), UTC)

    @property
    def until(self) -> datetime:
        """The moment at which the period is over, UTC."""
        return datetime.combine(months_before(self.end, -1), time(), UTC)

    def query(self) -> str:
        """As a query string, what is not narrowed left out."""
        parts = [("from", code_of(self.start)), ("to", code_of(self.end))]
        parts += [(short, value) for name, short in _LISTS.items() for value in getattr(self, name)]
        if self.in_segment:
            parts.append((IN_SEGMENT, str(self.in_segment)))
        if self.by:
            parts.append(("by", self.by))
        if self.horizon_days != 30:
            parts.append(("horizon", str(self.horizon_days)))
        return urlencode(parts)


def _texts(given: Sequence[str]) -> tuple[str, ...]:
    """Without what PostgreSQL has no text for."""
    return tuple(one for one in given[:MOST_CHOSEN] if "\0" not in one)


def _id(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def from_query(single: Mapping[str, str], many: Mapping[str, Sequence[str]], *, otherwise: Wanted) -> Wanted:
    """What a query string asks for; what it leaves out, or nobody can mean, is as in `otherwise`.

    A period that ends before it begins is the one month in which it begins; none goes beyond the month in which
    `otherwise` ends, nor further back than MOST_MONTHS.
    """
    newest = otherwise.end
    oldest = months_before(newest, MOST_MONTHS - 1)
    start = min(max(month_of(single.get("from", "")) or otherwise.start, oldest), newest)
    end = min(month_of(single.get("to", "")) or newest, newest)
    horizon = single.get("horizon", "")
    return replace(
        otherwise,
        start=start,
        end=max(start, end),
        by=single.get("by", otherwise.by)[:40],
        in_segment=_id(single.get(IN_SEGMENT, "")),
        horizon_days=int(horizon) if horizon in ("30", "60", "90") else otherwise.horizon_days,
        **{name: _texts(many.get(short, ())) for name, short in _LISTS.items()},
    )
