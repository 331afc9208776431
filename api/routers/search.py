"""/search: accounts, contacts and actions by a piece of text, in one answer, so that typing costs one round trip."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Db, Reader
from api.models.search import Found
from app.actions import service
from app.actions.model import ActionFilter
from app.errors import MartUnavailable
from app.marts import accounts, people

router = APIRouter(prefix="/search", tags=["search"])


@router.get("")
def search(
    identity: Reader,
    db: Db,
    text: Annotated[str, Query(max_length=100)],
    limit: Annotated[int, Query(ge=1, le=20, description="Of each kind.")] = 6,
) -> Found:
    """Accounts by name or domain, contacts by name, address or title, actions by what they say. Blank finds nothing."""
    if not text.replace("\x00", "").strip():
        return Found(accounts=[], contacts=[], actions=[])
    actions = service.list_actions(db, filter=ActionFilter(text=text), limit=limit)
    try:
        return Found(
            accounts=accounts.search(db, text, limit=limit),
            contacts=people.search(db, text, limit=limit),
            actions=actions,
        )
    except MartUnavailable:
        return Found(accounts=[], contacts=[], actions=actions)
