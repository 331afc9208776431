"""One page of a list, and the cursor to the next."""

import base64
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

from app.errors import InvalidInput

Item = TypeVar("Item")
Place = TypeVar("Place")


class Page(BaseModel, Generic[Item]):
    """`next_cursor` is null on the last page; otherwise it is sent back as `cursor`, unread."""

    items: list[Item]
    next_cursor: str | None


def encode_cursor(place: Any) -> str:
    """A place in an order as an opaque text."""
    return base64.urlsafe_b64encode(TypeAdapter(Any).dump_json(place)).decode().rstrip("=")


def decode_cursor(cursor: str, kind: type[Place]) -> Place:
    """The place that `encode_cursor` was given, as `kind`. Raises InvalidInput for anything else."""
    try:
        return TypeAdapter(kind).validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), strict=True)
    except ValueError:  # pydantic's and base64's errors are both of this class
        raise InvalidInput(
            "cursor", "This is not a cursor of ours.", value=cursor, hint="Begin with the first page."
        ) from None
