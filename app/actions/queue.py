"""The shared queue: open work that is nobody's yet, claimed one at a time.

Two people who claim at once get two different actions: the row that one has locked is skipped by the other, who
neither waits for it nor sees it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions import repository
from app.actions.lifecycle import is_open
from app.actions.model import Action, ActionFilter, ActionRow
from app.actions.writing import amend, check_version, person, write
from app.auth import Identity, Permission, require
from app.errors import InvalidInput
from app.idempotency import once

LARGEST_PAGE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claimed:
    action: Action | None


def list_queue(db: Connection, *, filter: ActionFilter, limit: int = 500) -> list[ActionRow]:  # noqa: A002
    """Actions of a filter in the order in which `claim_next` takes them; what is asleep or has ended comes last."""
    return repository.queue_rows(db, filter, limit=max(1, min(limit, LARGEST_PAGE)))


def claim_next(db: Connection, *, actor: Identity, now: datetime, idempotency_key: str) -> Action | None:
    """Take the gravest unassigned action, the oldest of those; None when the queue is empty.

    What is snoozed waits for its day. An action that somebody else is writing to at this moment is passed over.
    Raises NotPermitted, IdempotencyConflict.
    """
    require(actor, Permission.CLAIM_ACTION)

    def work() -> _Claimed:
        action = repository.lock_next_unassigned(db)
        return _Claimed(action=action and _give(db, action, actor=actor, now=now, key=idempotency_key))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="claim_next",
        request={},
        now=now,
        answer=_Claimed,
        work=work,
    ).action


def claim(
    db: Connection, *, actor: Identity, now: datetime, action_id: UUID, expected_version: int, idempotency_key: str
) -> Action:
    """Take this unassigned action, a snoozed one too.

    Raises NotFound, NotPermitted, StaleVersion with what changed since, InvalidInput when somebody has it or it has
    ended, IdempotencyConflict.
    """
    require(actor, Permission.CLAIM_ACTION)

    def work() -> Action:
        action = repository.lock(db, action_id)
        check_version(db, action, expected_version)
        if not is_open(action.status):
            raise InvalidInput("status", "This action has ended.")
        if action.owner_user_id is not None:
            raise InvalidInput(
                "owner_user_id",
                "This action is yours already."
                if action.owner_user_id == actor.user_id
                else "Somebody has this action already.",
                hint="Take another one from the queue.",
            )
        return _give(db, action, actor=actor, now=now, key=idempotency_key)

    request = {"action_id": action_id, "expected_version": expected_version}
    return write(db, actor=actor, now=now, key=idempotency_key, operation="claim", request=request, work=work)


def _give(db: Connection, action: Action, *, actor: Identity, now: datetime, key: str) -> Action:
    return amend(db, action, {"owner_user_id": actor.user_id}, actor=person(actor), now=now, key=key)
