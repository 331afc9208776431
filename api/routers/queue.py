"""/queue: work that is nobody's yet, taken one at a time."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import Claimer, Db, IdempotencyKey, Now
from api.models.actions import Claim, ClaimedNext
from app.actions import queue
from app.actions.model import Action

router = APIRouter(prefix="/queue", tags=["actions"])


@router.post("/claim-next")
def claim_next_action(identity: Claimer, db: Db, now: Now, key: IdempotencyKey) -> ClaimedNext:
    """Take the gravest unassigned action, the oldest of those. Two at once get two different ones."""
    return ClaimedNext(action=queue.claim_next(db, actor=identity, now=now, idempotency_key=key))


@router.post("/{action_id}/claim")
def claim_action(action_id: UUID, body: Claim, identity: Claimer, db: Db, now: Now, key: IdempotencyKey) -> Action:
    """Take this one. 409 when somebody was faster."""
    return queue.claim(
        db, actor=identity, now=now, action_id=action_id, expected_version=body.version, idempotency_key=key
    )
