"""The shapes that actions travel in. Frozen; timestamps are UTC, dates those of Europe/London."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.actions.lifecycle import CancelReason, Category, Result, Status
from app.actions.vocabulary import (
    ActionType,
    ActorKind,
    Channel,
    CustomerResponse,
    EventKind,
    Execution,
    Intervention,
    Priority,
    Source,
    StakeholderRole,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDraft:
    """What a person fills in for a new action.

    Closed-list fields may be plain strings; the service checks them. `owner_user_id` None is the person themself for a
    CSM and nobody (the unassigned queue) for an admin.
    """

    account_key: str
    title: str
    action_type: str
    intervention: str
    priority: str = Priority.MEDIUM
    due_date: date | None = None
    reason: str | None = None
    owner_user_id: UUID | None = None
    stakeholder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDraft:
    """What closing records: the first three layers of an outcome. The fourth is measured, never typed.

    No layer has a default: a guess would be learnt from as if somebody had said it.

    `done_date` None is today; `minutes` is time spent, 0 to 6,000.
    """

    result: str
    done_intervention: str
    closing_note: str
    execution: str
    customer_response: str
    channel: str | None = None
    done_date: date | None = None
    minutes: int | None = None
    stakeholder_role_reached: str | None = None


@dataclass(frozen=True, kw_only=True)
class Action:
    """One row of app.actions. `version` starts at 1 and grows by one with every change; notes and contacts do not
    change it. `escalation_level` counts the thresholds of lateness that were passed, 0 to 3."""

    action_id: UUID
    account_key: str
    account_name: str
    title: str
    action_type: ActionType
    reason: str | None
    intervention: Intervention
    priority: Priority
    status: Status
    status_before_snooze: Status | None
    owner_user_id: UUID | None
    due_date: date | None
    source: Source
    stakeholder: str | None
    suggestion_id: UUID | None
    decision_id: UUID
    snoozed_until: date | None
    snooze_reason: str | None
    result: Result | None
    cancel_reason: CancelReason | None
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    version: int
    playbook_run_id: UUID | None
    playbook_step: int | None
    escalation_level: int
    archived_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ActionRow(Action):
    """An action as a list shows it. `returned_from_snooze_at` is the last time it came back by itself, while it is
    open."""

    owner_name: str | None
    owner_email: str | None
    note_count: int
    newest_note_at: datetime | None
    returned_from_snooze_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """One change of one field, or one thing that happened. `version` is the action's version after it.

    `before` and `after` are JSON values: for `created` after is the whole row, for `note_added` {"note_id": ...}, for
    `contact_logged` {"contact_id": ...}, else the field's own value (an ISO string for dates). `reason` is what the
    person said of a move.
    """

    event_id: int
    action_id: UUID
    at: datetime
    actor_user_id: UUID | None
    actor_name: str
    actor_kind: ActorKind
    kind: EventKind
    field: str | None
    before: Any
    after: Any
    reason: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note; never changed. A correction is a new note that names the old one."""

    note_id: UUID
    action_id: UUID
    account_key: str
    author_user_id: UUID
    author_name: str
    body: str
    corrects_note_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was recorded at a closing; of several, after reopening, the newest counts."""

    outcome_id: UUID
    action_id: UUID
    execution: Execution
    customer_response: CustomerResponse
    result: Result
    done_intervention: Intervention
    channel: Channel | None
    done_date: date
    minutes: int | None
    stakeholder_role_reached: StakeholderRole | None
    closing_note: str
    recorded_by: UUID
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDraft:
    """One attempt to reach the customer. `contacted_on` None is today; `minutes` is time spent, 0 to 6,000.

    Who was reached may be named only where somebody was.
    """

    channel: str
    was_reached: bool
    contacted_on: date | None = None
    minutes: int | None = None
    person_reached: str | None = None
    stakeholder_role_reached: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One attempt to reach the customer, never changed. `logged_at` may be days after `contacted_on`."""

    contact_id: UUID
    action_id: UUID
    account_key: str
    channel: Channel
    contacted_on: date
    minutes: int | None
    was_reached: bool
    person_reached: str | None
    stakeholder_role_reached: StakeholderRole | None
    logged_by: UUID
    logged_by_name: str
    logged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDetail:
    """An action with its story. Notes, contacts and outcomes newest first, events oldest first."""

    action: ActionRow
    notes: tuple[Note, ...]
    contacts: tuple[Contact, ...]
    events: tuple[ActionEvent, ...]
    outcomes: tuple[Outcome, ...]
    legal_moves: tuple[Status, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilter:
    """Which actions; every given field narrows, None and empty do not.

    `due_before` and `due_from` are half open: from <= due date < before. `text` looks in title and account name.
    `closed_from` asks for actions that ended at or after that moment. What was archived is left out unless asked for,
    by `with_archived` or by its id. `with_withdrawn` False leaves out what was cancelled by undoing the acceptance of
    its suggestion.
    """

    owner_user_id: UUID | None = None
    is_unassigned: bool = False
    account_key: str | None = None
    statuses: tuple[Status, ...] = ()
    categories: tuple[Category, ...] = ()
    priorities: tuple[Priority, ...] = ()
    action_types: tuple[ActionType, ...] = ()
    sources: tuple[Source, ...] = ()
    due_from: date | None = None
    due_before: date | None = None
    closed_from: datetime | None = None
    text: str | None = None
    action_ids: tuple[UUID, ...] = ()
    playbook_run_id: UUID | None = None
    least_escalation_level: int = 0
    with_archived: bool = False
    with_withdrawn: bool = True


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where an action stood in a list when a page ended with it: the values that the order looks at."""

    closed_at: datetime | None
    due_date: date | None
    priority: Priority
    created_at: datetime
    action_id: UUID

    @classmethod
    def of(cls, action: Action) -> "ListPlace":
        """The place of an action as it is now."""
        return cls(action.closed_at, action.due_date, action.priority, action.created_at, action.action_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An action that a bulk change left as it was, and why, in one sentence."""

    action_id: UUID
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignResult:
    """What a bulk reassignment did: the changed actions as they are now, and those refused."""

    changed: tuple[Action, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One person's load. The week is Monday to Sunday in Europe/London.

    `minutes_this_week` are those recorded at closing; `booked_minutes` the expected effort of open actions due by the
    end of this week, overdue ones included and snoozed ones not. While somebody else has their book `covered_by` is
    that person's name, and `away_until` the last day of it, None while the end is open.
    """

    user_id: UUID
    display_name: str
    owner_email: str | None
    weekly_capacity_minutes: int
    open_count: int
    started_count: int
    snoozed_count: int
    overdue_count: int
    due_this_week_count: int
    closed_this_week_count: int
    minutes_this_week: int
    booked_minutes: int
    away_until: date | None
    covered_by: str | None
