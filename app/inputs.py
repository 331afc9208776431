"""What people type, checked before it reaches the database, so that a refusal is a sentence and never a stack trace.

PostgreSQL cannot store NUL, and UTF-8 has no lone surrogates; both arrive from paste buffers and hostile clients alike.
"""

from enum import StrEnum
from typing import TypeVar

from app.errors import InvalidInput

Member = TypeVar("Member", bound=StrEnum)


def _words(field: str) -> str:
    return field.replace("_", " ")


def optional_text(field: str, value: str | None, *, limit: int) -> str | None:
    """`value` as typed, or None when it is missing or blank. Never altered, never cut.

    Raises InvalidInput for more than `limit` characters, for NUL, and for half of a surrogate pair.
    """
    if value is None or not value.strip():
        return None
    if (place := value.find("\x00")) >= 0:
        raise InvalidInput(
            field,
            f"The {_words(field)} holds a character that cannot be stored (NUL, at position {place + 1}).",
            value=value,
            hint="Remove it and save again; your text is kept.",
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(
            field,
            f"The {_words(field)} holds half a character that cannot be stored (at position {error.start + 1}).",
            value=value,
            hint="Remove it and save again; your text is kept.",
        ) from None
    if len(value) > limit:
        raise InvalidInput(
            field,
            f"The {_words(field)} is {len(value):,} characters long; at most {limit:,} are allowed.",
            value=value,
            hint="Shorten it and save again; your text is kept.",
        )
    return value


def required_text(field: str, value: str | None, *, limit: int) -> str:
    """As `optional_text`, but a missing or blank value raises InvalidInput."""
    given = optional_text(field, value, limit=limit)
    if given is None:
        raise InvalidInput(field, f"The {_words(field)} is empty.", value=value, hint="Write something and save again.")
    return given


def member(field: str, value: object, closed_list: type[Member]) -> Member:
    """`value` as a member of a closed list. Raises InvalidInput naming the members."""
    try:
        return closed_list(str(value))
    except ValueError:
        allowed = ", ".join(item.value for item in closed_list)
        raise InvalidInput(
            field, f"The {_words(field)} is not one of the allowed values.", value=value, hint=f"Allowed: {allowed}."
        ) from None
