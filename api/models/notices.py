"""Bodies and answers of /notices."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from api.models.actions import Body
from app.notices.service import Notice


class Inbox(BaseModel):
    """A person's notices, newest first, and how many of all theirs are unread."""

    items: list[Notice]
    unread_count: int


class Read(Body):
    """Notices that were read; null is all of them."""

    notice_ids: Annotated[list[UUID], Field(max_length=500)] | None


class UnreadCount(BaseModel):
    """How many of a person's notices are unread."""

    unread_count: int
