"""One's own last change of one action taken back within its minute, whatever it was; `bulk` takes back what was done to
many at once.

The row before it is read from the story, which tells all of it. The trap avoided: an undo by the moves of the
lifecycle, which lead back from few places: an action that was begun, or taken from the queue, could not be put back.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions import repository, telling, writing
from app.actions.history import fold
from app.actions.lifecycle import is_open
from app.actions.model import Action
from app.actions.writing import UNDOABLE_FOR, person
from app.auth import Identity
from app.errors import InvalidInput, NotPermitted


def undo_last(
    db: Connection, *, actor: Identity, now: datetime, action_id: UUID, expected_version: int, idempotency_key: str
) -> Action:
    """Put an open action back to how it was before its newest version, which the actor made; notes and contacts stay.

    Raises NotFound, NotPermitted when somebody else made it, StaleVersion with what changed since, InvalidInput when
    the minute has passed or one end of the change is not an open action, IdempotencyConflict.
    """

    def work() -> Action:
        action = writing.locked_for_work(db, actor=actor, action_id=action_id, expected_version=expected_version)
        story = repository.events(db, action_id)
        last = next(event for event in story if event.version == action.version)
        if last.actor_user_id != actor.user_id:
            raise NotPermitted("Only who made a change may undo it.", hint="Change the action itself instead.")
        if now - last.at > UNDOABLE_FOR:
            raise InvalidInput(
                "action_id", "The minute for undoing this has passed.", hint="Change the action itself instead."
            )
        told = fold(event for event in story if event.version < action.version) if action.version > 1 else {}
        before = repository.from_json(told) if told else None
        if before is None or not (is_open(before.status) and is_open(action.status)):
            raise InvalidInput("action_id", "This cannot be undone.", hint="Change the action itself instead.")
        writing.check_owner(db, before.owner_user_id)
        columns = {name: getattr(before, name) for name in told if name not in ("version", "updated_at")}
        changed = {name: value for name, value in columns.items() if value != getattr(action, name)}
        after = writing.put_back(db, action, changed, actor=person(actor), now=now, key=idempotency_key)
        telling.owners_changed(db, now=now, actor=person(actor), changes=[(action, after)])
        return after

    request = {"action_id": action_id, "expected_version": expected_version}
    return writing.write(
        db, actor=actor, now=now, key=idempotency_key, operation="undo_last", request=request, work=work
    )
