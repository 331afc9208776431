"""What is wrong with a request that does not fit its address, in our own words: which value, and what is expected.

The checker's own messages are for its developers. They are not passed on, since they change with its version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One value that was refused: where it stands, why in a sentence, and what would be taken."""

    field: str
    message: str
    hint: str


_TEXT = "Expected: text"
_DAY = "Expected: a day as YYYY-MM-DD."
_MOMENT = "Expected: a moment as YYYY-MM-DDTHH:MM:SSZ."
_NUMBER = "Expected: a number"
_WHOLE = "Expected: a whole number"
_OBJECT = "Expected: a JSON object."
_LIST = "Expected: a list"

# kind of the checker's error, without its ending: why, what is expected; both may name values of its context
_KNOWN: dict[str, tuple[str, str]] = {
    "missing": ("is missing", "It is required: add it and send again."),
    "unknown_parameter": ("is not a parameter of this address", "{known}."),
    "extra_forbidden": ("is not a field of this request", "Leave it out."),
    "json_invalid": ("is not valid JSON", "Expected: a JSON object with Content-Type application/json."),
    "enum": ("is none of the values it can have", "Expected: {expected}."),
    "literal_error": ("is none of the values it can have", "Expected: {expected}."),
    "union_tag_invalid": ("is none of the kinds there are", "Expected {discriminator}: {expected_tags}."),
    "union_tag_not_found": ("does not say of which kind it is", "Expected: an object with {discriminator}."),
    "string_too_short": ("is too short", f"{_TEXT} of at least {{min_length}} characters."),
    "string_too_long": ("is too long", f"{_TEXT} of at most {{max_length}} characters."),
    "string_pattern_mismatch": ("holds characters that it may not", f"{_TEXT} that matches {{pattern}}."),
    "unstorable": ("holds a character that cannot be stored", "Remove NUL and halves of characters."),
    "string": ("is no text", f"{_TEXT}."),
    "greater_than_equal": ("is too small", f"{_NUMBER} of at least {{ge}}."),
    "greater_than": ("is too small", f"{_NUMBER} above {{gt}}."),
    "less_than_equal": ("is too large", f"{_NUMBER} of at most {{le}}."),
    "less_than": ("is too large", f"{_NUMBER} below {{lt}}."),
    "int": ("is no whole number", f"{_WHOLE}."),
    "float": ("is no number", f"{_NUMBER}."),
    "finite_number": ("is no number", f"{_NUMBER}."),
    "bool": ("is neither true nor false", "Expected: true or false."),
    "date": ("is no day", _DAY),
    "datetime": ("is no moment", _MOMENT),
    "timezone": ("is a moment without its time zone", _MOMENT),
    "uuid": ("is no id", "Expected: an id as a list or an earlier answer gave it."),
    "too_short": ("holds too few", f"{_LIST} of at least {{min_length}}."),
    "too_long": ("holds too many", f"{_LIST} of at most {{max_length}}."),
    "list": ("is no list", f"{_LIST}."),
    "dict": ("is no object", _OBJECT),
    "model": ("is no object", _OBJECT),
    "dataclass": ("is no object", _OBJECT),
}
_UNKNOWN = ("cannot be taken", "The description of this address says what it takes.")
_PLACES = {"body": "The body", "path": "The address", "query": "The query", "header": "The headers"}


def _words(kind: str) -> tuple[str, str]:
    """The entry of a kind, or of the type that it begins with: `int_parsing` and `int_type` are one to a person."""
    return _KNOWN.get(kind) or _KNOWN.get(kind.split("_", 1)[0]) or _UNKNOWN


def _refusal(error: Mapping[str, Any]) -> Refusal:
    place, *inside = error["loc"]
    if error["type"] == "json_invalid":  # what follows the place is a position in the text
        inside = []
    field = ".".join(map(str, inside)) or str(place)
    subject = field if inside else _PLACES.get(str(place), str(place))
    why, hint = _words(error["type"])
    try:
        hint = hint.format_map(error.get("ctx") or {})
    except KeyError:  # a checker that names its values otherwise
        hint = _UNKNOWN[1]
    return Refusal(field=field, message=f"{subject} {why}.", hint=hint)


def refusals(errors: Sequence[Mapping[str, Any]]) -> list[Refusal]:
    """Every value that was refused, in the order of the request's checker."""
    return [_refusal(error) for error in errors]
