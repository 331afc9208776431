"""Actions in groups, for the list: by account, by type, or by when they are due. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.actions.lifecycle import Status, is_open
from app.actions.model import ActionRow
from app.calendar import week_start
from app.ui import words

GROUPINGS = {"none": "No groups", "account": "By account", "type": "By type", "due": "By due date"}
DUE_ORDER = ("Overdue", "Today", "This week", "Next week", "Later", "No due date", "Snoozed", "Ended")


@dataclass(frozen=True)
class Group:
    """One group with its actions in the order they came in."""

    name: str
    rows: tuple[ActionRow, ...]


def due_group(action: ActionRow, today: date) -> str:
    """Which part of the future an action belongs to; what sleeps or has ended is in none of it."""
    if not is_open(action.status):
        return "Ended"
    if action.status is Status.SNOOZED:
        return "Snoozed"
    if action.due_date is None:
        return "No due date"
    if action.due_date < today:
        return "Overdue"
    if action.due_date == today:
        return "Today"
    next_monday = week_start(today) + timedelta(days=7)
    if action.due_date < next_monday:
        return "This week"
    return "Next week" if action.due_date < next_monday + timedelta(days=7) else "Later"


def grouped(rows: Sequence[ActionRow], by: str, today: date) -> list[Group]:
    """Non-empty groups: those by due in the order of time, those by type in the order of the types, accounts in the
    order of their first action. With another `by`, one group without a name."""
    names: dict[str, Callable[[ActionRow], str]] = {
        "account": lambda action: action.account_name,
        "type": lambda action: words.word(words.ACTION_TYPES, action.action_type),
        "due": lambda action: due_group(action, today),
    }
    if by not in names:
        return [Group("", tuple(rows))] if rows else []
    found: dict[str, list[ActionRow]] = {}
    for action in rows:
        found.setdefault(names[by](action), []).append(action)
    order = {"due": DUE_ORDER, "type": tuple(words.ACTION_TYPES.values())}.get(by, tuple(found))
    return [Group(name, tuple(found[name])) for name in order if name in found]
