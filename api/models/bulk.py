"""Bodies of /actions/bulk: one change to many actions."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.models.actions import Body, Version
from api.models.values import Day, Whole
from app.actions import bulk_plan
from app.actions.bulk_plan import BulkChange
from app.actions.lifecycle import CancelReason


class Snooze(Body):
    """Put away until a day, with a reason."""

    kind: Literal["snooze"]
    until: Day
    reason: str

    def change(self) -> BulkChange:
        """As the service takes it."""
        return bulk_plan.Snooze(until=self.until, reason=self.reason)


class Redate(Body):
    """One due date for all, or each one's own pushed by business days: one of the two."""

    kind: Literal["redate"]
    due_date: Day | None = None
    shift_business_days: Whole | None = None

    def change(self) -> BulkChange:
        """As the service takes it."""
        return bulk_plan.Redate(due_date=self.due_date, shift_business_days=self.shift_business_days)


class Cancel(Body):
    """Cancel for a reason."""

    kind: Literal["cancel"]
    reason: CancelReason

    def change(self) -> BulkChange:
        """As the service takes it."""
        return bulk_plan.Cancel(reason=self.reason)


class Assign(Body):
    """Give to a person, or with null back to the queue; for admins."""

    kind: Literal["assign"]
    owner_user_id: UUID | None

    def change(self) -> BulkChange:
        """As the service takes it."""
        return bulk_plan.Assign(owner_user_id=self.owner_user_id)


Change = Annotated[Snooze | Redate | Cancel | Assign, Field(discriminator="kind")]


class Item(Body):
    """An action at the version that was previewed."""

    action_id: UUID
    version: Version


class Previewed(Body):
    """What would happen to which actions."""

    change: Change
    action_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]


class Applied(Body):
    """What shall happen to which actions."""

    change: Change
    items: Annotated[list[Item], Field(min_length=1, max_length=500)]
