"""What a playbook must be like, and what starting it would make. Pure: calendars and people are arguments.

The order of steps is that of their days, so a step that is added at the end of a list finds its own place.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.actions.vocabulary import ActionType, Intervention, Priority
from app.errors import InvalidInput
from app.inputs import member, optional_text, required_text
from app.playbooks.model import PlannedStep, PlaybookDraft, Step, StepDraft, StepOwner

MOST_STEPS = 30
NAME_LIMIT = 60
DESCRIPTION_LIMIT = 500
TITLE_LIMIT = 120
GUIDANCE_LIMIT = 1_000
LONGEST_OFFSET_BD = 260
LATEST_START = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a draft says once it is known to be sound: trimmed, its steps in order and numbered."""

    name: str
    description: str
    action_type: ActionType
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Somebody a step goes to."""

    user_id: UUID
    name: str


def id_of(name: str) -> str:
    """The id of a new playbook: its name in lower case, words joined by underscores; empty when no letter is left."""
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return re.sub(r"^[^a-z]+", "", words)[:61].rstrip("_")


def _refused(work: Callable[[], object]) -> Iterator[InvalidInput]:
    try:
        work()
    except InvalidInput as error:
        yield error


def _step_faults(place: int, step: StepDraft) -> Iterator[InvalidInput]:
    def text(field: str, value: str, limit: int, *, needed: bool = False) -> Iterator[InvalidInput]:
        yield from _refused(lambda: (required_text if needed else optional_text)(field, value, limit=limit))

    def listed(field: str, value: str, closed: type[StrEnum]) -> Iterator[InvalidInput]:
        yield from _refused(lambda: member(field, value, closed))

    found = [
        *text("title", step.title, TITLE_LIMIT, needed=True),
        *text("guidance", step.guidance, GUIDANCE_LIMIT),
        *listed("intervention", step.intervention, Intervention),
        *listed("priority", step.priority, Priority),
        *listed("owner", step.owner, StepOwner),
    ]
    offset = step.offset_bd
    if offset is None or not 0 <= offset <= LONGEST_OFFSET_BD:
        sentence = f"Due must be 0 to {LONGEST_OFFSET_BD} business days after the start."
        found.append(InvalidInput("offset_bd", sentence, value=offset))
    for error in found:
        # which row it is: in a table of thirty steps "the title is empty" helps nobody
        yield InvalidInput(f"steps[{place}].{error.field}", f"Row {place}: {_lower(error.message)}", value=error.value)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def faults(draft: PlaybookDraft) -> list[InvalidInput]:
    """Everything that keeps a draft from being published, in the order of its fields; empty when nothing does."""
    found = [
        *_refused(lambda: required_text("name", draft.name, limit=NAME_LIMIT)),
        *_refused(lambda: optional_text("description", draft.description, limit=DESCRIPTION_LIMIT)),
        *_refused(lambda: member("action_type", draft.action_type, ActionType)),
    ]
    if draft.playbook_id is None and draft.name.strip() and len(id_of(draft.name)) < 2:
        found.append(InvalidInput("name", "The name needs at least two letters.", value=draft.name))
    if not 1 <= len(draft.steps) <= MOST_STEPS:
        sentence = f"A playbook has 1 to {MOST_STEPS} steps."
        found.append(InvalidInput("steps", sentence, value=len(draft.steps), hint="Add a row, or remove some."))
    for place, step in enumerate(draft.steps, start=1):
        found += _step_faults(place, step)
    return found


def check(draft: PlaybookDraft) -> Checked:
    """The draft as it would be stored. Raises InvalidInput, the first of `faults`."""
    for error in faults(draft):
        raise error
    in_order = sorted(draft.steps, key=lambda step: step.offset_bd or 0)
    return Checked(
        name=draft.name.strip(),
        description=draft.description.strip(),
        action_type=ActionType(draft.action_type),
        steps=tuple(
            Step(
                number=number,
                title=step.title.strip(),
                intervention=Intervention(step.intervention),
                priority=Priority(step.priority),
                offset_bd=step.offset_bd or 0,
                owner=StepOwner(step.owner),
                guidance=step.guidance.strip(),
            )
            for number, step in enumerate(in_order, start=1)
        ),
    )


def check_start(starts_on: date | None, *, today: date) -> date:
    """The day a run starts, today when none is given. Raises InvalidInput for a day past or over a year away."""
    day = starts_on or today
    if day < today:
        raise InvalidInput("starts_on", "The start is in the past.", value=starts_on, hint="Choose today or later.")
    if day > today + LATEST_START:
        raise InvalidInput("starts_on", "The start is more than a year away.", value=starts_on)
    return day


def planned(
    steps: Sequence[Step],
    *,
    starts_on: date,
    owner_of: Callable[[StepOwner], Owner],
    add_business_days: Callable[[UUID, date, int], date],
) -> tuple[PlannedStep, ...]:
    """The steps with their dates and people, in order.

    `add_business_days` takes a person, since holidays are theirs; with 0 it answers the day itself or the next one of
    work.
    """
    made = []
    for step in steps:
        owner = owner_of(step.owner)
        made.append(
            PlannedStep(
                number=step.number,
                title=step.title,
                due_date=add_business_days(owner.user_id, starts_on, step.offset_bd),
                owner_user_id=owner.user_id,
                owner_name=owner.name,
                intervention=step.intervention,
                priority=step.priority,
                guidance=step.guidance,
            )
        )
    return tuple(made)


def reason_of(name: str, number: int, total: int) -> str:
    """Why the action of a step is there, until somebody gives it a reason of their own."""
    return f"Playbook {name}, step {number} of {total}"


def differences(before: Sequence[Step], after: Sequence[Step]) -> list[str]:
    """What publishing would change of the steps, one plain sentence a step, steps told apart by their titles."""
    old, new = ({step.title: step for step in steps} for steps in (before, after))
    told = [f"Added: {title}" for title in new if title not in old]
    told += [f"Removed: {title}" for title in old if title not in new]
    for title in (title for title in new if title in old):
        parts = [words for field, words in _FIELDS.items() if getattr(old[title], field) != getattr(new[title], field)]
        if parts:
            told.append(f"Changed: {title} ({', '.join(parts)})")
    return told


_FIELDS = {
    "intervention": "what to do",
    "priority": "priority",
    "offset_bd": "due",
    "owner": "owner",
    "guidance": "guidance",
}
