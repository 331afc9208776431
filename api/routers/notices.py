"""/notices: what a person was told, and what they have read of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Db, IdempotencyKey, Now, Reader
from api.models.notices import Inbox, Read, UnreadCount
from app.notices import service

router = APIRouter(prefix="/notices", tags=["notices"])


@router.get("")
def list_notices(
    identity: Reader, db: Db, only_unread: bool = False, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Inbox:
    """The person's own notices, newest first."""
    items = service.inbox(db, identity=identity, limit=limit, only_unread=only_unread)
    return Inbox(items=items, unread_count=service.unread_count(db, identity=identity))


@router.post("/read")
def mark_notices_read(body: Read, identity: Reader, db: Db, now: Now, key: IdempotencyKey) -> UnreadCount:
    """Mark some, or all, as read; what is not theirs is left alone."""
    service.mark_read(db, identity=identity, now=now, notice_ids=body.notice_ids)
    return UnreadCount(unread_count=service.unread_count(db, identity=identity))
