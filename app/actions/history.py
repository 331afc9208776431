"""The row of an action rebuilt from its events alone, as it is and as it was at any moment.

Pure: the standard library and the shapes of actions. The trap avoided: a story that reads well and cannot be trusted.
Events tell what a person would ask about; the rest follows from them by the rules below, and a test holds the result
equal to the row after random histories.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import takewhile

from app.actions.lifecycle import Status, is_open
from app.actions.model import ActionEvent
from app.actions.vocabulary import EventKind

# columns that came later: the first event of an older action does not name them
_YOUNGER_COLUMNS: dict[str, object] = {
    "playbook_run_id": None,
    "playbook_step": None,
    "escalation_level": 0,
    "archived_at": None,
}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def fold(events: Iterable[ActionEvent]) -> dict[str, object]:
    """The row that the events tell, oldest first, as JSON values: equal to `repository.as_json` of the action.

    A status brings with it the time of the end and, for a snooze, the status before. Every write of the row brings
    its version and its time; notes and contacts are no writes of the row.
    Raises ValueError when the story does not begin with the creation or misses a version.
    """
    row: dict[str, object] = {}
    version = 0
    for event in events:
        if (event.kind is EventKind.CREATED) == bool(row):
            raise ValueError(f"the story of {event.action_id} begins with {event.kind} and is created once")
        if not version <= event.version <= version + 1:
            raise ValueError(f"the story of {event.action_id} goes from version {version} to {event.version}")
        if event.kind is EventKind.CREATED:
            row = _YOUNGER_COLUMNS | event.after
        elif event.version > version:
            row |= {"version": event.version, "updated_at": _moment(event.at)}
        version = event.version
        if event.field == "status":
            row["status_before_snooze"] = event.before if event.after == Status.SNOOZED else None
            row["closed_at"] = None if is_open(Status(event.after)) else _moment(event.at)
        if event.field is not None:
            row[event.field] = event.after
    if not row:
        raise ValueError("a story without events tells no row")
    return row


def state_at(events: Iterable[ActionEvent], moment: datetime) -> dict[str, object] | None:
    """The row as it was at a moment, of events oldest first; None before the action was there.

    Two writers' clocks may differ by their wait for the row: the story is cut at the first event after the moment, so
    that the answer is always a row that really was. Raises ValueError as `fold`.
    """
    known = list(takewhile(lambda event: event.at <= moment, events))
    return fold(known) if known else None
