"""/views: saved filters, own and shared."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import Db, IdempotencyKey, Now, Reader, ViewSaver
from api.models.views import NewView, ViewChange, ViewList, ViewRemoval
from app import saved_views
from app.saved_views import SavedView, ViewPage

router = APIRouter(prefix="/views", tags=["views"])


@router.get("")
def list_views(identity: Reader, db: Db, page: Annotated[ViewPage, Query()]) -> ViewList:
    """The person's own views of a page and the shared ones."""
    return ViewList(items=saved_views.list_views(db, identity=identity, page=page))


@router.get("/{view_id}")
def get_view(view_id: UUID, identity: Reader, db: Db) -> SavedView:
    """One view. 404 also for somebody else's private one."""
    return saved_views.get_view(db, identity=identity, view_id=view_id)


@router.post("", status_code=201)
def save_view(body: NewView, identity: ViewSaver, db: Db, now: Now, key: IdempotencyKey) -> SavedView:
    """Save filters under a name."""
    return saved_views.save(db, actor=identity, now=now, idempotency_key=key, **body.model_dump())


@router.patch("/{view_id}")
def change_view(
    view_id: UUID, body: ViewChange, identity: ViewSaver, db: Db, now: Now, key: IdempotencyKey
) -> SavedView:
    """Rename, share or change an own view."""
    given = body.model_dump(exclude={"version"})
    return saved_views.save(
        db, actor=identity, now=now, view_id=view_id, expected_version=body.version, idempotency_key=key, **given
    )


@router.post("/{view_id}/remove", status_code=204)
def remove_view(view_id: UUID, body: ViewRemoval, identity: ViewSaver, db: Db, now: Now, key: IdempotencyKey) -> None:
    """Take an own view away; its link then says that it does not exist any more."""
    saved_views.remove(db, actor=identity, now=now, view_id=view_id, expected_version=body.version, idempotency_key=key)
