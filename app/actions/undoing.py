"""One's own last change of one action taken back within its minute, whatever it was; `bulk` takes back what was done to
many at once.

Whether there is one, and the row before it, is read from the story, which tells all of it. The trap avoided: an undo by
the moves of the lifecycle, which lead back from few places: an action that was begun, or taken from the queue, could
not be put back.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions import repository, telling, writing
from app.actions.history import fold
from app.actions.lifecycle import Status, is_open
from app.actions.model import Action, ActionEvent
from app.actions.vocabulary import UNDONE
from app.actions.writing import UNDO_WINDOW, UNDOABLE_FOR, person
from app.auth import Identity
from app.errors import AppError, InvalidInput, NotPermitted


def _newest(story: Sequence[ActionEvent]) -> ActionEvent:
    """The first event of the newest version: notes and contacts that came after it carry its version too."""
    version = story[-1].version
    return next(event for event in story if event.version == version)


def _before(story: Sequence[ActionEvent], *, actor: Identity, now: datetime) -> Action:
    """The action as it was before its newest version. Raises as `undo_last`."""
    last = _newest(story)
    if last.actor_user_id != actor.user_id:
        raise NotPermitted("Only who made a change may undo it.", hint="Change the action itself instead.")
    if now - last.at > UNDOABLE_FOR:
        raise InvalidInput(
            "action_id", "The minute for undoing this has passed.", hint="Change the action itself instead."
        )
    told = fold(event for event in story if event.version < last.version) if last.version > 1 else {}
    before = repository.from_json(told) if told else None
    if before is None or not is_open(before.status) or last.reason == UNDONE:
        raise InvalidInput("action_id", "This cannot be undone.", hint="Change the action itself instead.")
    return before


def can_undo(story: Sequence[ActionEvent], *, actor: Identity, now: datetime) -> bool:
    """Whether the newest change of an action is offered to be taken back by this person now, by its events, oldest
    first."""
    try:
        _before(story, actor=actor, now=now)
    except AppError:
        return False
    return now < _newest(story).at + UNDO_WINDOW


def is_closing_undone(story: Sequence[ActionEvent]) -> bool:
    """Whether the last move of an action took its closing back: what was recorded then does not stand."""
    moves = [event for event in story if event.field == "status"]
    return bool(moves) and moves[-1].before == Status.CLOSED and moves[-1].reason == UNDONE


def undo_last(
    db: Connection, *, actor: Identity, now: datetime, action_id: UUID, expected_version: int, idempotency_key: str
) -> Action:
    """Put an action back to how it was before its newest version, which the actor made; notes and contacts stay.

    What has ended is open again; a reopening, an undo and the creation are not undone.
    Raises NotFound, NotPermitted when somebody else made it, StaleVersion with what changed since, InvalidInput when
    the minute has passed or it was no change of an open action, IdempotencyConflict.
    """

    def work() -> Action:
        action = writing.locked_for_work(db, actor=actor, action_id=action_id, expected_version=expected_version)
        before = _before(repository.events(db, action_id), actor=actor, now=now)
        writing.check_owner(db, before.owner_user_id)
        columns = {
            name: getattr(before, name) for name in repository.as_json(before) if name not in ("version", "updated_at")
        }
        changed = {name: value for name, value in columns.items() if value != getattr(action, name)}
        after = writing.put_back(db, action, changed, actor=person(actor), now=now, key=idempotency_key)
        telling.owners_changed(db, now=now, actor=person(actor), changes=[(action, after)])
        return after

    request = {"action_id": action_id, "expected_version": expected_version}
    return writing.write(
        db, actor=actor, now=now, key=idempotency_key, operation="undo_last", request=request, work=work
    )
