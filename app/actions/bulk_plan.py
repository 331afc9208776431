"""What a bulk change means for one action, and how a preview says it. Pure: all facts are arguments."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.actions.drafts import changed_columns
from app.actions.lifecycle import (
    REASON_LIMIT,
    Move,
    Standing,
    Status,
    check_cancelled_by_person,
    is_open,
    plan_move,
    snooze_end,
)
from app.actions.model import Action, ActionRow
from app.calendar import Calendar, display_date
from app.errors import InvalidInput
from app.inputs import optional_text

LONGEST_SHIFT = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Put away until a day after today and within a year, with a reason; a day off of who snoozes means the next
    business day."""

    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redate:
    """Another due date: one for all, today at the earliest; or each one's own pushed by 1 to 250 business days of the
    person who pushes, counted from today where it has passed."""

    due_date: date | None = None
    shift_business_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Cancel with one of the reasons that people may give (`CANCELLED_BY_PEOPLE`)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Give to a person, or with None back to the queue."""

    owner_user_id: UUID | None


BulkChange = Snooze | Redate | Cancel | Assign


def check(change: BulkChange, *, now: datetime) -> None:
    """Raise InvalidInput for what no action could take. Whether an owner may be given work is for the database."""
    if isinstance(change, Snooze | Cancel):
        optional_text("reason", change.reason, limit=REASON_LIMIT)
        _move(Standing(status=Status.NEW), change, now=now)
    if isinstance(change, Cancel):
        check_cancelled_by_person(change.reason)
    if isinstance(change, Redate):
        days = change.shift_business_days
        if (change.due_date is None) == (days is None):
            raise InvalidInput("due_date", "Re-dating needs a due date, or a number of business days.")
        if days is not None and not 1 <= days <= LONGEST_SHIFT:
            raise InvalidInput(
                "shift_business_days", f"The number of business days must be 1 to {LONGEST_SHIFT}.", value=days
            )
        if change.due_date is not None and change.due_date < display_date(now):
            raise InvalidInput("due_date", "The due date is in the past.", value=change.due_date)
        changed_columns({"due_date": change.due_date}, today=display_date(now))


def plan(action: Action, change: BulkChange, *, now: datetime, calendar: Calendar) -> Move | dict[str, object]:
    """The move that a change is for this action, or the fields that it sets. Business days are those of `calendar`.

    Raises IllegalTransition or InvalidInput with the reason why this action stays as it is.
    """
    if isinstance(change, Snooze):
        change = replace(change, until=snooze_end(change.until, calendar, today=display_date(now)))
    if isinstance(change, Snooze | Cancel):
        standing = Standing(status=action.status, status_before_snooze=action.status_before_snooze)
        return _move(standing, change, now=now)
    if not is_open(action.status):
        raise InvalidInput("status", "This action has ended.", hint="Reopen it to change it.")
    if isinstance(change, Assign):
        if action.owner_user_id == change.owner_user_id:
            words = "This action is theirs already." if change.owner_user_id else "This action is nobody's already."
            raise InvalidInput("owner_user_id", words)
        return {"owner_user_id": change.owner_user_id}
    due_date = _due_date(action, change, today=display_date(now), calendar=calendar)
    if due_date == action.due_date:
        raise InvalidInput("due_date", "This action is due then already.")
    return changed_columns({"due_date": due_date}, today=display_date(now))


def words_before(action: ActionRow, change: BulkChange) -> str:
    """What a preview says of an action as it stands."""
    if isinstance(change, Assign):
        return action.owner_name or "Nobody"
    return _day(action.due_date) if isinstance(change, Redate) else _status(action.status)


def words_after(planned: Move | dict[str, object], change: BulkChange, *, receiver: str | None) -> str:
    """What a preview says of an action after the change; `receiver` is the name of who gets it."""
    if isinstance(planned, Move) and planned.to_status is Status.SNOOZED:
        until = planned.changes["snoozed_until"]
        return f"Snoozed until {_day(until if isinstance(until, date) else None)}"
    if isinstance(change, Cancel):
        return f"Cancelled: {change.reason.replace('_', ' ')}"
    if isinstance(change, Assign):
        return receiver or "Nobody"
    due_date = planned["due_date"] if isinstance(planned, dict) else None
    return _day(due_date if isinstance(due_date, date) else None)


def _move(standing: Standing, change: Snooze | Cancel, *, now: datetime) -> Move:
    today = display_date(now)
    if isinstance(change, Cancel):
        return plan_move(standing, Status.CANCELLED, now=now, today=today, reason=change.reason)
    return plan_move(standing, Status.SNOOZED, now=now, today=today, reason=change.reason, snoozed_until=change.until)


def _due_date(action: Action, change: Redate, *, today: date, calendar: Calendar) -> date | None:
    if change.shift_business_days is None:
        return change.due_date
    if action.due_date is None:
        raise InvalidInput("due_date", "This action has no due date to push.")
    return calendar.add_business_days(max(action.due_date, today), change.shift_business_days)


def _day(value: date | None) -> str:
    return f"{value.day} {value:%b %Y}" if value else "No due date"


def _status(status: Status) -> str:
    return status.value.replace("_", " ").capitalize()
