"""Which actions the tracker shows: one set, whatever it is looked at as.

Every control is bound to the address, so that back, reload, a shared link and a saved view give the same set. Without a
status chosen it is what is open and what ended this week: a board without its last column would hide what was done. An
acceptance that was undone is not in it: it was never work. With its status chosen, or the archive, it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import streamlit as st

from app.actions.lifecycle import OPEN, Category, Status
from app.actions.model import ActionFilter
from app.actions.vocabulary import ActionType, Priority, Source
from app.auth import Role
from app.calendar import DISPLAY_ZONE, week_start
from app.ui import action_data, choices, figures, frame, visit, words

WHO = {"mine": "Mine", "unassigned": "Unassigned", "all": "Everybody"}
VIEWS = {"list": "List", "board": "Board", "calendar": "Calendar"}
DUES = {
    "overdue": "Overdue",
    "today": "Today",
    "week": "This week",
    "next_week": "Next week",
    "month": "Next 30 days",
}
# every parameter of the address that a saved view keeps; the first group holds one value, the second several
SINGLE = ("who", "as", "owner", "find", "due", "archived", "group", "span")
SEVERAL = ("status", "type", "priority", "source")
AWAKE = tuple(sorted(OPEN - {Status.SNOOZED}))
DAY = "day"  # of the address, where one day of the calendar is looked at as a list
_TO_DAY = "filters:day"
ENDED = (Category.CLOSED, Category.CANCELLED)
_OPEN = (Category.NOT_STARTED, Category.STARTED, Category.PAUSED)


@dataclass(frozen=True)
class Wanted:
    """The set: actions of any of `parts`. `is_this_week` says that of those that ended only this week's are in it."""

    who: str
    parts: tuple[ActionFilter, ...]
    is_this_week: bool
    is_narrowed: bool

    def due_within(self, start: date | None, end: date | None) -> "Wanted":
        """The same set, with a due date from `start` on and before `end`; None leaves a side open."""
        return replace(self, parts=tuple(_within(part, start, end) for part in self.parts))


def _within(part: ActionFilter, start: date | None, end: date | None) -> ActionFilter:
    starts = [day for day in (part.due_from, start) if day]
    ends = [day for day in (part.due_before, end) if day]
    return replace(part, due_from=max(starts, default=None), due_before=min(ends, default=None))


def whose_control() -> str:
    """Mine, nobody's, or everybody's; drawn beside the page's heading."""
    start = "mine" if visit.current().identity.role is Role.CSM else "all"
    return choices.one("Whose", WHO, "who", start=start)


def view_control() -> str:
    """List, board or calendar of the same set."""
    return choices.one("Look at it as", VIEWS, "as", start="list")


def choose_day(day: date | None) -> None:
    """Callback: from now on only what is due on this day; None for any."""
    st.session_state[_TO_DAY] = day.isoformat() if day else ""


def _day() -> date | None:
    """The one day of the address, as a chip that a click takes away. A calendar has its own days and drops it."""
    to = st.session_state.pop(_TO_DAY, None)
    if to:
        st.query_params[DAY] = to
    elif to == "" or st.session_state.get("as") == "calendar":
        st.query_params.pop(DAY, None)
    try:
        day = date.fromisoformat(st.query_params.get(DAY, ""))
    except ValueError:
        return None
    shown = f"Due on {figures.day(day)}"
    st.button(shown, icon=":material/close:", key="day_chip", on_click=choose_day, args=(None,), help="Any day again")
    return day


def controls(who: str) -> Wanted:
    """Search and chips; call it inside a horizontal container."""
    here = visit.current()
    text = st.text_input(
        "Search actions",
        placeholder="Search actions",
        type="search",
        live="300ms",
        icon=":material/search:",
        key="find",
        bind="query-params",
        label_visibility="collapsed",
        width=136,
    )
    statuses = choices.chip("Status", [words.STATUSES[status] for status in words.STATUSES], "status")
    types = choices.chip("Type", list(words.ACTION_TYPES.values()), "type")
    priorities = choices.chip("Priority", list(words.PRIORITIES.values()), "priority")
    due = choices.chip_of_one("Due", list(DUES.values()), "due")
    day = _day()
    sources = choices.chip("Source", list(words.SOURCES.values()), "source")
    owners = action_data.owners() if who == "all" else {}
    owner = choices.chip_of_one("Owner", list(owners), "owner") if owners else None
    is_archived = st.toggle("Archived too", key="archived", bind="query-params")
    base = ActionFilter(
        owner_user_id=here.identity.user_id if who == "mine" else owners.get(owner or ""),
        is_unassigned=who == "unassigned",
        action_types=tuple(ActionType(code) for code in _codes(words.ACTION_TYPES, types)),
        priorities=tuple(Priority(code) for code in _codes(words.PRIORITIES, priorities)),
        sources=tuple(Source(code) for code in _codes(words.SOURCES, sources)),
        text=(text or "").strip() or None,
        with_archived=is_archived,
    )
    base = _due(base, due, here.today)
    if day is not None:
        base = _within(base, day, day + timedelta(days=1))
    chosen = tuple(Status(code) for code in _codes(words.STATUSES, statuses))
    is_narrowed = bool(chosen or types or priorities or sources or due or day or owner or base.text)
    return wanted(base, chosen, who=who, today=here.today, is_late=due == DUES["overdue"], is_narrowed=is_narrowed)


def wanted(
    base: ActionFilter,
    chosen: tuple[Status, ...],
    *,
    who: str,
    today: date,
    is_late: bool = False,
    is_narrowed: bool = False,
) -> Wanted:
    """The set of what the controls hold. What is asleep or has ended is never late."""
    if is_late:
        late = tuple(status for status in AWAKE if not chosen or status in chosen)
        parts = (replace(base, statuses=late),) if late else ()
        return Wanted(who, parts, False, is_narrowed)
    if chosen:
        return Wanted(who, (replace(base, statuses=chosen),), False, is_narrowed)
    monday = None if base.with_archived else datetime.combine(week_start(today), time(), DISPLAY_ZONE)
    ended = replace(base, categories=ENDED, closed_from=monday, with_withdrawn=base.with_archived)
    parts = (replace(base, categories=_OPEN), ended)
    return Wanted(who, parts, monday is not None, is_narrowed)


def _codes(names: Mapping[str, str], shown: Sequence[str]) -> list[str]:
    return [code for code, name in names.items() if name in shown]


def _due(base: ActionFilter, name: str | None, today: date) -> ActionFilter:
    monday = week_start(today)
    tomorrow, week = today + timedelta(days=1), timedelta(days=7)
    spans: dict[str, tuple[date | None, date]] = {
        "overdue": (None, today),
        "today": (today, tomorrow),
        "week": (monday, monday + week),
        "next_week": (monday + week, monday + 2 * week),
        "month": (today, today + timedelta(days=30)),
    }
    found = next((code for code, shown in DUES.items() if shown == name), None)
    return base if found is None else _within(base, *spans[found])


def nothing(wanted: Wanted) -> None:
    """What an empty set says, and what to do about it."""
    if wanted.is_narrowed:
        frame.empty("No action matches.", "Take a filter away.", icon=":material/filter_alt_off:")
    elif wanted.who == "unassigned":
        frame.empty("The queue is empty.", "Everything has an owner.", icon=":material/inbox:")
    elif wanted.who == "mine":
        frame.empty("Nothing is open.", "Add an action, or take one from the queue under Unassigned.")
    else:
        frame.empty("No action is open.", "Add the first one.")
