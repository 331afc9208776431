"""Bodies and answers of /suggestions."""

from dataclasses import fields
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.models.actions import Body, NewAction, Version
from api.models.values import Day
from app.actions.model import Action
from app.suggestions.model import AcceptedAction, DismissalReason, Suggestion


class Acceptance(Body):
    """Accepting as it is, or with the action as edited. Whose account it is can not be edited."""

    version: Version
    edits: NewAction | None = None


class Dismissal(Body):
    """Saying no, and why: the reason is the rule's report card. A note says what is wrong with the data and
    goes with no other reason."""

    version: Version
    reason: DismissalReason
    note: str | None = None


class Snooze(Body):
    """Not now: back on that day."""

    version: Version
    until: Day


class AnswerUndo(Body):
    """Taking one's dismissal or snooze back within a minute; the version is that of the answer."""

    version: Version


class NewExposures(Body):
    """Suggestions that a person has on their screen (`shown`), or has opened (`viewed`)."""

    kind: Literal["shown", "viewed"]
    suggestion_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class Exposures(BaseModel):
    """How many of them were not on record so before. Those of somebody else's accounts are never counted."""

    recorded: int


class SuggestionList(BaseModel):
    """Open suggestions, best first."""

    items: list[Suggestion]


class Accepted(BaseModel):
    """The action of an accepted suggestion. `already_accepted_by` is set when somebody had accepted it before."""

    action: Action
    already_accepted_by: str | None
    already_accepted_at: datetime | None

    @classmethod
    def of(cls, accepted: AcceptedAction) -> "Accepted":
        """The service's answer as an answer of ours."""
        columns = {field.name: getattr(accepted, field.name) for field in fields(Action)}
        return cls(
            action=Action(**columns),
            already_accepted_by=accepted.already_accepted_by,
            already_accepted_at=accepted.already_accepted_at,
        )
