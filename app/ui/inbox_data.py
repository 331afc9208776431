"""What the inbox reads: a person's own notices, as they are now."""

from app.auth import Identity
from app.db import read
from app.notices import service
from app.notices.service import Notice


def notices(identity: Identity, *, only_unread: bool, limit: int) -> list[Notice]:
    """The person's notices, newest first."""
    with read() as db:
        return service.inbox(db, identity=identity, only_unread=only_unread, limit=limit)


def unread_count(identity: Identity) -> int:
    """How many the person has not read."""
    with read() as db:
        return service.unread_count(db, identity=identity)
