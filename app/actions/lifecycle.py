"""The life of an action as data: statuses, their fixed categories, and which may follow which.

Pure: `now` and all facts are arguments. The server enforces this table for every face; the database repeats its
invariants as check constraints. The trap avoided: an action that cleared by itself is cancelled as `auto_resolved`,
never closed as successful, because a polluted label poisons everything learnt from it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.calendar import Calendar
from app.errors import IllegalTransition, InvalidInput


class Status(StrEnum):
    """Where an action stands."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    WAITING_ON_CUSTOMER = "waiting_on_customer"
    SNOOZED = "snoozed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Category(StrEnum):
    """Fixed groups of statuses; boards have one column each."""

    NOT_STARTED = "not_started"
    STARTED = "started"
    PAUSED = "paused"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Result(StrEnum):
    """Third layer of an outcome: the CSM's own close code."""

    SUCCESSFUL = "successful"
    UNSUCCESSFUL = "unsuccessful"
    FALSE_ALARM = "false_alarm"
    TOO_EARLY = "too_early"


class CancelReason(StrEnum):
    """Why an action ended without being done."""

    DUPLICATE = "duplicate"
    NO_LONGER_RELEVANT = "no_longer_relevant"
    AUTO_RESOLVED = "auto_resolved"
    ACCOUNT_CHURNED = "account_churned"
    RULE_WITHDRAWN = "rule_withdrawn"


# What clears by itself is said by rules and jobs alone: a person who could say it would hide work that was given up.
CANCELLED_BY_PEOPLE = (CancelReason.DUPLICATE, CancelReason.NO_LONGER_RELEVANT, CancelReason.ACCOUNT_CHURNED)

CATEGORY: dict[Status, Category] = {
    Status.NEW: Category.NOT_STARTED,
    Status.IN_PROGRESS: Category.STARTED,
    Status.BLOCKED: Category.STARTED,
    Status.WAITING_ON_CUSTOMER: Category.STARTED,
    Status.SNOOZED: Category.PAUSED,
    Status.CLOSED: Category.CLOSED,
    Status.CANCELLED: Category.CANCELLED,
}

# A snoozed action goes back where it was, so its moves depend on where that is: see `legal_moves`.
TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    Status.NEW: (Status.IN_PROGRESS, Status.SNOOZED, Status.CLOSED, Status.CANCELLED),
    Status.IN_PROGRESS: (
        Status.BLOCKED, Status.WAITING_ON_CUSTOMER, Status.SNOOZED, Status.CLOSED, Status.CANCELLED,
    ),
    Status.BLOCKED: (
        Status.IN_PROGRESS, Status.WAITING_ON_CUSTOMER, Status.SNOOZED, Status.CLOSED, Status.CANCELLED,
    ),
    Status.WAITING_ON_CUSTOMER: (
        Status.IN_PROGRESS, Status.BLOCKED, Status.SNOOZED, Status.CLOSED, Status.CANCELLED,
    ),
    Status.CLOSED: (Status.IN_PROGRESS,),
    Status.CANCELLED: (Status.IN_PROGRESS,),
}  # fmt: skip

OPEN: frozenset[Status] = frozenset(
    status for status, category in CATEGORY.items() if category not in (Category.CLOSED, Category.CANCELLED)
)
SNOOZABLE: tuple[Status, ...] = (Status.NEW, Status.IN_PROGRESS, Status.BLOCKED, Status.WAITING_ON_CUSTOMER)
LONGEST_SNOOZE = timedelta(days=365)
REASON_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an action stands now, as far as the lifecycle cares."""

    status: Status
    status_before_snooze: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing needs: a result, the intervention actually done, and a note of one line at least."""

    result: str
    done_intervention: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A legal move, ready to be written: the columns it sets and the reason to keep with the event."""

    to_status: Status
    changes: dict[str, object] = field(default_factory=dict)
    reason: str | None = None


def is_open(status: Status) -> bool:
    """Whether work is still to be done, a snoozed action included."""
    return status in OPEN


def legal_moves(status: Status, *, status_before_snooze: Status | None = None) -> tuple[Status, ...]:
    """The statuses that may follow, in the order a menu shows them.

    From `snoozed` only the one before the snooze; without it, every one that may be snoozed.
    """
    if status is Status.SNOOZED:
        return (status_before_snooze,) if status_before_snooze else SNOOZABLE
    return TRANSITIONS[status]


def snooze_end(until: date, calendar: Calendar, *, today: date) -> date:
    """The day a snooze until a day to come really ends: that day, or the next business day of who snoozes, so that
    nothing comes back to an empty desk."""
    return calendar.next_business_day(until) if until > today else until


def _needed_text(field_name: str, value: str | None, sentence: str) -> str:
    if value is None or not value.strip():
        raise InvalidInput(field_name, sentence, value=value)
    if len(value) > REASON_LIMIT:
        raise InvalidInput(field_name, f"At most {REASON_LIMIT} characters are allowed here.", value=value)
    return value.strip()


def _snooze(standing: Standing, *, reason: str | None, snoozed_until: date | None, today: date) -> dict[str, object]:
    if snoozed_until is None:
        raise InvalidInput("snoozed_until", "Snoozing needs a date to come back on.")
    if not today < snoozed_until <= today + LONGEST_SNOOZE:
        raise InvalidInput(
            "snoozed_until", "The date to come back on must be after today and within a year.", value=snoozed_until
        )
    return {
        "status_before_snooze": standing.status,
        "snoozed_until": snoozed_until,
        "snooze_reason": _needed_text("reason", reason, "Snoozing needs a reason."),
    }


def _cancel(reason: str | None) -> CancelReason:
    try:
        return CancelReason(reason or "")
    except ValueError:
        allowed = ", ".join(CancelReason)
        raise InvalidInput(
            "reason", "Cancelling needs a reason from the list.", value=reason, hint=f"One of: {allowed}."
        ) from None


def check_cancelled_by_person(reason: str | None) -> None:
    """Raise InvalidInput unless this is a reason that people may give."""
    if _cancel(reason) not in CANCELLED_BY_PEOPLE:
        allowed = ", ".join(CANCELLED_BY_PEOPLE)
        raise InvalidInput(
            "reason", "Only the product itself cancels for this reason.", value=reason, hint=f"One of: {allowed}."
        )


def _close(closing: Closing | None) -> Result:
    if closing is None:
        raise InvalidInput("outcome", "Closing needs a result, what was actually done, and a note.")
    _needed_present = {
        "result": (closing.result, "Closing needs a result."),
        "done_intervention": (closing.done_intervention, "Closing needs the intervention that was actually done."),
        "closing_note": (closing.note, "Closing needs a note of one line at least."),
    }
    for field_name, (value, sentence) in _needed_present.items():
        if not value or not value.strip():
            raise InvalidInput(field_name, sentence, value=value)
    try:
        return Result(closing.result)
    except ValueError:
        raise InvalidInput(
            "result", "The result is not one of the list.", value=closing.result, hint=f"One of: {', '.join(Result)}."
        ) from None


def plan_move(
    standing: Standing,
    to_status: Status,
    *,
    now: datetime,
    today: date,
    reason: str | None = None,
    snoozed_until: date | None = None,
    closing: Closing | None = None,
) -> Move:
    """What a move writes, after checking that it is legal and that all it needs is there.

    `today` is the calendar day of `now` in the display zone. Every column that the move touches is in `changes`,
    `status` included. Raises IllegalTransition with the legal moves, or InvalidInput naming what is missing.
    """
    legal = legal_moves(standing.status, status_before_snooze=standing.status_before_snooze)
    if to_status not in legal:
        raise IllegalTransition(standing.status, to_status, legal)
    changes: dict[str, object] = {"status": to_status}
    kept_reason = reason.strip() if reason and reason.strip() else None
    if standing.status is Status.SNOOZED:
        changes |= {"status_before_snooze": None, "snoozed_until": None, "snooze_reason": None}
    if standing.status in (Status.CLOSED, Status.CANCELLED):
        kept_reason = _needed_text("reason", reason, "Reopening needs a reason.")
        changes |= {"result": None, "cancel_reason": None, "closed_at": None, "archived_at": None}
    if to_status is Status.SNOOZED:
        changes |= _snooze(standing, reason=reason, snoozed_until=snoozed_until, today=today)
    elif to_status is Status.CANCELLED:
        changes |= {"cancel_reason": _cancel(reason), "closed_at": now}
    elif to_status is Status.CLOSED:
        changes |= {"result": _close(closing), "closed_at": now}
    return Move(to_status=to_status, changes=changes, reason=kept_reason)
