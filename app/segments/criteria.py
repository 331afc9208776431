"""What makes an account part of a segment: the filter of the Accounts page as plain data, checked on its way in.

Pure. A filter that says "mine" means another set for every reader, so whose accounts those are is written down when
the segment is saved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from app.errors import InvalidInput
from app.inputs import optional_text

SILENT_DAYS = 90
RENEWAL_WINDOWS: Mapping[str, tuple[int, int]] = {
    "30 days": (0, 30),
    "90 days": (0, 90),
    "180 days": (0, 180),
    "later": (181, 10_000),
    "overdue": (-10_000, -1),
}
VIEWS = ("mine", "renewals", "silent", "idle", "all")
BANDS = ("R", "Y", "G", "–")
RISKS = ("Critical", "High", "Medium", "Low")
_CLOSED: Mapping[str, Sequence[str]] = {"bands": BANDS, "risks": RISKS, "renewals": tuple(RENEWAL_WINDOWS)}
MOST_VALUES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """A view and what narrows it; empty means any. Values are those of the mart's columns, a band of `–` is no band.

    `owner_emails` are whose accounts "mine" means; they count in that view only.
    """

    view: str = "all"
    owner_emails: tuple[str, ...] = ()
    search: str = ""
    bands: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    renewals: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    is_idle: bool = False

    def stored(self) -> dict[str, Any]:
        """As JSON keeps it: what says nothing is left out."""
        held = {name: value for name, value in asdict(self).items() if value}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}


def criteria_from(stored: Mapping[str, object]) -> Criteria:
    """Criteria of what was stored or sent. Raises InvalidInput for anything that no filter of the page can hold."""
    known = {field.name for field in fields(Criteria)}
    if strange := sorted(str(name) for name in stored.keys() - known):
        raise InvalidInput("criteria", f"A segment knows no {strange[0][:40]}.")
    view, is_idle = stored.get("view", "all"), stored.get("is_idle", False)
    if view not in VIEWS:
        raise InvalidInput("view", "This view of accounts does not exist.", value=view)
    if not isinstance(is_idle, bool):
        raise InvalidInput("is_idle", "No next action is either asked for or not.", value=is_idle)
    lists = {name: _texts(name, stored.get(name, ())) for name in known - {"view", "is_idle", "search"}}
    search = _texts("search", [stored.get("search") or ""])[0]
    return Criteria(view=str(view), is_idle=is_idle, search=search, **lists)


def _texts(field: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or len(given) > MOST_VALUES:
        raise InvalidInput(field, f"The {field.replace('_', ' ')} cannot be kept: at most {MOST_VALUES} values.")
    allowed = _CLOSED.get(field)
    for value in given:
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            raise InvalidInput(field, f"The {field.replace('_', ' ')} hold a value that is no choice.", value=value)
        optional_text(field, value, limit=200)
    return tuple(given)


def of_today(criteria: Criteria) -> tuple[str, ...]:
    """What of it is taken as of today when a past day is looked at, in words: nothing daily is kept of it."""
    return tuple(
        words
        for is_asked, words in (
            (bool(criteria.search), "name"),
            (bool(criteria.owners) or criteria.view == "mine", "owner"),
            (bool(criteria.segments), "customer segment"),
            (bool(criteria.plans), "plan"),
            (criteria.is_idle or criteria.view == "idle", "next action"),
        )
        if is_asked
    )
