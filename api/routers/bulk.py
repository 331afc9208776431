"""/actions/bulk: one change to many actions, previewed, made one by one, undone within a minute."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import ActionWorker, Db, IdempotencyKey, Now
from api.models.bulk import Applied, Previewed
from app.actions import bulk
from app.actions.bulk import BulkPreview, BulkResult

router = APIRouter(prefix="/actions/bulk", tags=["actions"])


@router.post("/preview")
def preview_bulk_change(body: Previewed, identity: ActionWorker, db: Db, now: Now, key: IdempotencyKey) -> BulkPreview:
    """What the change would do to each action, in words; writes nothing."""
    return bulk.preview(db, actor=identity, now=now, change=body.change.change(), action_ids=body.action_ids)


@router.post("")
def apply_bulk_change(body: Applied, identity: ActionWorker, db: Db, now: Now, key: IdempotencyKey) -> BulkResult:
    """Change each action that still stands at the version given; the others are listed with the reason."""
    items = [(item.action_id, item.version) for item in body.items]
    return bulk.apply(db, actor=identity, now=now, change=body.change.change(), items=items, idempotency_key=key)


@router.post("/{bulk_id}/undo")
def undo_bulk_change(bulk_id: UUID, identity: ActionWorker, db: Db, now: Now, key: IdempotencyKey) -> BulkResult:
    """Put back what nobody has changed since, within a minute; only who made the change may."""
    return bulk.undo(db, actor=identity, now=now, bulk_id=bulk_id, idempotency_key=key)
