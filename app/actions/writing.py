"""How a change of an action is written: locked, checked against the version it was based on, told in events.

The use cases are in `service.py`; this is what they share.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection

from app.actions import repository
from app.actions.lifecycle import Move, Standing, Status
from app.actions.model import Action
from app.actions.repository import Change, EventActor
from app.actions.vocabulary import ActorKind, EventKind
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, StaleVersion
from app.idempotency import once

# what a move may set beside the status, and what a person would ask about; closed_at and updated_at follow from the
# event
_TOLD = ("snoozed_until", "snooze_reason", "result", "cancel_reason")


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
    if action.version != expected_version:
        since = repository.events(db, action_id, after_version=expected_version)
        # a note is no change: nobody's text collides with it
        raise StaleVersion(action, expected_version, [one for one in since if one.kind is not EventKind.NOTE_ADDED])
    return action


def differences(action: Action, columns: Mapping[str, object]) -> list[Change]:
    """One change for each column that would really change, told in JSON values."""
    pairs = {
        name: (repository.plain(getattr(action, name)), repository.plain(value)) for name, value in columns.items()
    }
    return [
        Change(kind=EventKind.FIELD_CHANGED, field=name, before=before, after=after)
        for name, (before, after) in pairs.items()
        if before != after
    ]


def apply(
    db: Connection, action: Action, move: Move, *, actor: EventActor, now: datetime, key: str | None = None
) -> Action:
    """Write a planned move: the row, the event of the status, and one event for each fact that came with it."""
    after = repository.change(db, action, move.changes, now=now)
    told = differences(action, {name: move.changes[name] for name in _TOLD if name in move.changes})
    status = Change(
        kind=EventKind.CLOSED if move.to_status is Status.CLOSED else EventKind.STATUS_CHANGED,
        field="status",
        before=action.status.value,
        after=move.to_status.value,
        reason=move.reason,
    )
    repository.append(db, action=after, actor=actor, now=now, changes=[status, *told], idempotency_key=key)
    return after


def standing(action: Action) -> Standing:
    return Standing(status=action.status, status_before_snooze=action.status_before_snooze)
