"""Bodies and answers of /actions. Rows are the service's own (`app.actions.model`), which have no defaults here."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.values import LARGEST_WHOLE, Day, Flag, Text, Whole
from app.actions.defaults import Defaults
from app.actions.lifecycle import Result, Status
from app.actions.model import Action, ActionDraft, ContactDraft, OutcomeDraft
from app.actions.vocabulary import (
    ActionType,
    Channel,
    CustomerResponse,
    Execution,
    Intervention,
    Priority,
    StakeholderRole,
)

Version = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=LARGEST_WHOLE,
        description="The version this change is based on; 409 when it is an older one.",
    ),
]


class Body(BaseModel):
    """A request body. A field that is not listed is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class NewAction(Body):
    """A new action. Without an owner it is the CSM's own; an admin's goes to the unassigned queue."""

    account_key: Text
    title: str
    action_type: ActionType
    intervention: Intervention
    priority: Priority = Priority.MEDIUM
    due_date: Day | None = None
    reason: str | None = None
    owner_user_id: UUID | None = None
    stakeholder: str | None = None

    def draft(self) -> ActionDraft:
        """As the service takes it."""
        return ActionDraft(**self.model_dump())


class ActionChanges(Body):
    """Fields to change; those left out stay. Only an admin may name another owner."""

    version: Version
    title: str | None = None
    action_type: ActionType | None = None
    intervention: Intervention | None = None
    priority: Priority | None = None
    due_date: Day | None = None
    reason: str | None = None
    stakeholder: str | None = None
    owner_user_id: UUID | None = None

    def given(self) -> dict[str, object]:
        """The fields the request named, null included."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"version"}}


class Move(Body):
    """A move to another status. Snoozing needs a date and a reason, cancelling and reopening a reason."""

    version: Version
    to_status: Status
    reason: str | None = None
    snoozed_until: Day | None = None


class Closing(Body):
    """What closing records: result, what was done, and a note of one line at least."""

    version: Version
    result: Result
    done_intervention: Intervention
    closing_note: str
    execution: Execution = Execution.DONE_AS_PLANNED
    customer_response: CustomerResponse = CustomerResponse.NONE
    channel: Channel | None = None
    done_date: Day | None = None
    minutes: Whole | None = None
    stakeholder_role_reached: StakeholderRole | None = None

    def outcome(self) -> OutcomeDraft:
        """As the service takes it."""
        return OutcomeDraft(**self.model_dump(exclude={"version"}))


class NewNote(Body):
    """A note; a correction names the note it corrects."""

    note: str
    corrects_note_id: UUID | None = None


class NewContact(Body):
    """A contact with the customer, or an attempt: nobody reached is worth knowing too."""

    channel: Channel
    was_reached: Flag
    contacted_on: Day | None = None
    minutes: Whole | None = None
    person_reached: str | None = None
    stakeholder_role_reached: StakeholderRole | None = None

    def contact(self) -> ContactDraft:
        """As the service takes it."""
        return ContactDraft(**self.model_dump())


class Claim(Body):
    """The version of the unassigned action that was seen."""

    version: Version


class ClaimedNext(BaseModel):
    """What was taken from the queue; null when the queue is empty."""

    action: Action | None


class Reassignment(Body):
    """Actions that get a new owner, or none."""

    action_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    owner_user_id: UUID | None


class StartingType(BaseModel):
    """A type that may be chosen, and what an action of it starts with; due is counted in the asker's business days."""

    code: ActionType
    label: str
    priority: Priority
    due_date: date


class StartingIntervention(BaseModel):
    """A treatment that may be chosen, and the type it proposes."""

    code: Intervention
    label: str
    action_type: ActionType


class StartingReason(BaseModel):
    """A reason that is offered for a type, stored by its code; another may be typed."""

    code: str
    label: str
    action_type: ActionType


class Starting(BaseModel):
    """What a new action may be, in the order in which to offer it.

    `days_off` are the Mondays to Fridays of the year from `today` on which the asker does not work, so that a form can
    say how many business days away a date is.
    """

    today: date
    days_off: list[date]
    types: list[StartingType]
    interventions: list[StartingIntervention]
    reasons: list[StartingReason]

    @classmethod
    def of(cls, given: Defaults) -> "Starting":
        """As the answer."""
        return cls(
            today=given.today,
            days_off=list(given.days_off()),
            types=[
                StartingType(
                    code=ActionType(code),
                    label=label,
                    priority=Priority(given.priority_of(code)),
                    due_date=given.due_of(code),
                )
                for code, label in given.offered_types().items()
            ],
            interventions=[
                StartingIntervention(code=Intervention(code), label=label, action_type=ActionType(given.type_of(code)))
                for code, label in given.offered_interventions().items()
            ],
            reasons=[
                StartingReason(code=reason, label=label, action_type=ActionType(code))
                for code in given.offered_types()
                for reason, label in given.offered_reasons(code).items()
            ],
        )
