"""How a change of an action is written: locked, checked against the version it was based on, told in events.

The use cases are in `service.py`; this is what they share.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from app.actions import repository
from app.actions.lifecycle import Move, Standing, Status
from app.actions.model import Action
from app.actions.repository import Change, EventActor
from app.actions.vocabulary import UNDONE, ActorKind, EventKind
from app.auth import Identity, Permission, require
from app.calendar import Calendar, calendar_of, display_date
from app.configuration import CompanyHolidays, active
from app.errors import InvalidInput, StaleVersion
from app.idempotency import once
from app.users import get_user

# what follows from the event of a status, so that the story need not repeat it; `history.fold` puts it back
_FOLLOWS = frozenset({"status", "status_before_snooze", "closed_at"})
# what changes no field of the action, so that nobody's text collides with it
_BESIDE = frozenset({EventKind.NOTE_ADDED, EventKind.CONTACT_LOGGED})
UNDO_WINDOW = timedelta(seconds=60)
UNDO_GRACE = timedelta(seconds=5)  # a click in the last second still has to travel
UNDOABLE_FOR = UNDO_WINDOW + UNDO_GRACE  # what is refused after it, and waits for it


def person(actor: Identity) -> EventActor:
    """The actor of an event that a person caused."""
    return EventActor(user_id=actor.user_id, name=actor.display_name, kind=ActorKind.USER)


def write(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    key: str,
    operation: str,
    request: Mapping[str, object],
    work: Callable[[], Action],
) -> Action:
    return once(
        db, actor=actor.user_id, key=key, operation=operation, request=request, now=now, answer=Action, work=work
    )


def calendar(db: Connection, actor: Identity) -> Calendar:
    """The actor's own business days."""
    return calendar_of(get_user(db, actor.user_id), active(db, CompanyHolidays).days)


def check_owner(db: Connection, owner_user_id: UUID | None) -> None:
    if owner_user_id is not None and repository.active_user(db, owner_user_id) is None:
        raise InvalidInput("owner_user_id", "This person does not exist or is deactivated.", value=owner_user_id)


def insert(
    db: Connection, *, actor: Identity, now: datetime, columns: Mapping[str, object], idempotency_key: str
) -> Action:
    action = repository.insert_action(
        db,
        {
            **columns,
            "action_id": uuid4(),
            "status": Status.NEW.value,
            "created_by": actor.user_id,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        },
    )
    created = Change(kind=EventKind.CREATED, after=repository.as_json(action))
    repository.append(
        db, action=action, actor=person(actor), now=now, changes=[created], idempotency_key=idempotency_key
    )
    return action


def locked_for_work(db: Connection, *, actor: Identity, action_id: UUID, expected_version: int) -> Action:
    action = repository.lock(db, action_id)
    require(actor, Permission.WORK_ACTION, owner_user_id=action.owner_user_id)
    check_version(db, action, expected_version)
    return action


def check_version(db: Connection, action: Action, expected_version: int) -> None:
    """Raise StaleVersion with what changed since, unless the action stands at the version the change is based on."""
    if action.version != expected_version:
        since = repository.events(db, action.action_id, after_version=expected_version)
        raise StaleVersion(action, expected_version, [event for event in since if event.kind not in _BESIDE])


def differences(action: Action, columns: Mapping[str, object], *, reason: str | None = None) -> list[Change]:
    """One change for each column that would really change, told in JSON values."""
    pairs = {
        name: (repository.plain(getattr(action, name)), repository.plain(value)) for name, value in columns.items()
    }
    return [
        Change(kind=EventKind.FIELD_CHANGED, field=name, before=before, after=after, reason=reason)
        for name, (before, after) in pairs.items()
        if before != after
    ]


def _eased(action: Action, columns: Mapping[str, object], *, now: datetime) -> dict[str, object]:
    """The escalation level to set beside changed fields, or nothing."""
    due_date = columns.get("due_date", action.due_date)
    has_new_owner = columns.get("owner_user_id", action.owner_user_id) != action.owner_user_id
    is_redated = due_date != action.due_date and not (isinstance(due_date, date) and due_date < display_date(now))
    return {"escalation_level": 0} if action.escalation_level and (has_new_owner or is_redated) else {}


def amend(
    db: Connection,
    action: Action,
    columns: Mapping[str, object],
    *,
    actor: EventActor,
    now: datetime,
    key: str | None = None,
    reason: str | None = None,
) -> Action:
    """Write those fields of a locked action that really change, with an event each; the action as it is when none
    does. A late action that gets a new owner or a day still to come begins anew with its escalation."""
    columns = {**columns, **_eased(action, columns, now=now)}
    told = differences(action, columns, reason=reason)
    if not told:
        return action
    after = repository.change(db, action, {str(item.field): columns[str(item.field)] for item in told}, now=now)
    repository.append(db, action=after, actor=actor, now=now, changes=told, idempotency_key=key)
    return after


def apply(
    db: Connection, action: Action, move: Move, *, actor: EventActor, now: datetime, key: str | None = None
) -> Action:
    """Write a planned move: the row, the event of the status, and one event for each fact that came with it."""
    after = repository.change(db, action, move.changes, now=now)
    told = differences(action, {name: value for name, value in move.changes.items() if name not in _FOLLOWS})
    status = Change(
        kind=EventKind.CLOSED if move.to_status is Status.CLOSED else EventKind.STATUS_CHANGED,
        field="status",
        before=action.status.value,
        after=move.to_status.value,
        reason=move.reason,
    )
    repository.append(db, action=after, actor=actor, now=now, changes=[status, *told], idempotency_key=key)
    return after


def put_back(
    db: Connection,
    action: Action,
    columns: Mapping[str, object],
    *,
    actor: EventActor,
    now: datetime,
    key: str,
    reason: str = UNDONE,
) -> Action:
    """Write columns as they were before a change that is being undone, told as any change and marked as undone."""
    told = differences(action, columns, reason=reason)
    after = repository.put_back(db, action, columns, now=now)
    changes = [
        replace(item, kind=EventKind.STATUS_CHANGED) if item.field == "status" else item
        for item in told
        if item.field == "status" or item.field not in _FOLLOWS
    ]
    repository.append(db, action=after, actor=actor, now=now, changes=changes, idempotency_key=key)
    return after


def standing(action: Action) -> Standing:
    return Standing(status=action.status, status_before_snooze=action.status_before_snooze)
