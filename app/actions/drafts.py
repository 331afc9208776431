"""What a person typed into an action, checked field by field and turned into columns."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.actions.model import ActionDraft, ContactDraft, OutcomeDraft
from app.actions.vocabulary import (
    ActionType,
    Channel,
    CustomerResponse,
    Execution,
    Intervention,
    Priority,
    StakeholderRole,
)
from app.errors import InvalidInput
from app.inputs import member, optional_text, required_text

TITLE_LIMIT = 200
SHORT_TEXT_LIMIT = 200
NOTE_LIMIT = 20_000
MOST_MINUTES = 6_000
FURTHEST_DUE = timedelta(days=3 * 366)

_CLOSED_LISTS: dict[str, type[StrEnum]] = {
    "action_type": ActionType,
    "intervention": Intervention,
    "priority": Priority,
}
EDITABLE = ("title", "action_type", "intervention", "priority", "due_date", "reason", "stakeholder", "owner_user_id")


def _due_date(value: object, *, today: date) -> date | None:
    if value is None or value == "":
        return None
    if not isinstance(value, date):
        try:
            value = date.fromisoformat(str(value))
        except ValueError:
            raise InvalidInput("due_date", "The due date is not a date.", value=value) from None
    if value > today + FURTHEST_DUE:
        raise InvalidInput("due_date", "The due date is more than three years away.", value=value)
    return value


def _owner(value: object) -> UUID | None:
    if value is None or isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidInput("owner_user_id", "This is not a person's id.", value=value) from None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def changed_columns(changes: Mapping[str, object], *, today: date) -> dict[str, object]:
    """Columns to set, each checked. Raises InvalidInput naming the first field that cannot be taken or edited."""
    columns: dict[str, object] = {}
    for name, value in changes.items():
        if name not in EDITABLE:
            raise InvalidInput(name, f"The {name.replace('_', ' ')} of an action cannot be edited.", value=value)
        if name in _CLOSED_LISTS:
            columns[name] = member(name, value, _CLOSED_LISTS[name]).value
        elif name == "due_date":
            columns[name] = _due_date(value, today=today)
        elif name == "owner_user_id":
            columns[name] = _owner(value)
        elif name == "title":
            columns[name] = required_text(name, _text(value), limit=TITLE_LIMIT).strip()
        else:
            columns[name] = optional_text(name, _text(value), limit=SHORT_TEXT_LIMIT)
    return columns


def draft_columns(draft: ActionDraft, *, today: date) -> dict[str, object]:
    """The columns of a new action that the person chose, the owner as given. A due date in the past is refused."""
    columns = changed_columns({name: getattr(draft, name) for name in EDITABLE}, today=today)
    if draft.due_date is not None and draft.due_date < today:
        raise InvalidInput("due_date", "The due date is in the past.", value=draft.due_date)
    return columns


def note_body(body: str) -> str:
    """A note as typed: 1 to 20,000 characters, never cut. Raises InvalidInput that carries the text."""
    return required_text("note", body, limit=NOTE_LIMIT)


def _minutes(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MOST_MINUTES:
        raise InvalidInput("minutes", f"Minutes must be 0 to {MOST_MINUTES:,}.", value=value)
    return value


def contact_columns(contact: ContactDraft, *, today: date) -> dict[str, object]:
    """The columns of a logged contact. Raises InvalidInput, also when somebody is named and nobody was reached."""
    contacted_on = contact.contacted_on or today
    if contacted_on > today:
        raise InvalidInput("contacted_on", "A contact cannot lie in the future.", value=contacted_on)
    person = optional_text("person_reached", contact.person_reached, limit=SHORT_TEXT_LIMIT)
    role = contact.stakeholder_role_reached
    if not contact.was_reached and (person or role):
        raise InvalidInput(
            "was_reached",
            "Somebody is named as reached, and nobody was reached.",
            value=contact.was_reached,
            hint="Say that they were reached, or leave out who.",
        )
    return {
        "channel": member("channel", contact.channel, Channel).value,
        "contacted_on": contacted_on,
        "minutes": _minutes(contact.minutes),
        "was_reached": contact.was_reached,
        "person_reached": person,
        "stakeholder_role_reached": member("stakeholder_role_reached", role, StakeholderRole).value if role else None,
    }


def outcome_columns(outcome: OutcomeDraft, *, today: date) -> dict[str, object]:
    """The columns of a recorded outcome but the result, which the lifecycle checks. Raises InvalidInput."""
    done_date = outcome.done_date or today
    if done_date > today:
        raise InvalidInput("done_date", "What was done cannot lie in the future.", value=done_date)
    role = outcome.stakeholder_role_reached
    return {
        "execution": member("execution", outcome.execution, Execution).value,
        "customer_response": member("customer_response", outcome.customer_response, CustomerResponse).value,
        "done_intervention": member("done_intervention", outcome.done_intervention, Intervention).value,
        "channel": member("channel", outcome.channel, Channel).value if outcome.channel else None,
        "done_date": done_date,
        "minutes": _minutes(outcome.minutes),
        "stakeholder_role_reached": member("stakeholder_role_reached", role, StakeholderRole).value if role else None,
        "closing_note": required_text("closing_note", outcome.closing_note, limit=NOTE_LIMIT),
    }
