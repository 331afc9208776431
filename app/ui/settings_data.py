"""What preferences and settings read. Nothing of it is cached: people write it."""

from uuid import UUID

from app import users
from app.db import read


def user(user_id: UUID) -> users.User:
    """One person, deactivated or not. Raises NotFound."""
    with read() as db:
        return users.get_user(db, user_id)
