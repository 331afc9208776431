"""Values of a request as its description means them.

The checker alone would also take a number for a day (seconds since 1970), the text "1" for a number and 0 for false: a
client's mistake would be stored as something that nobody said.
"""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

LARGEST_WHOLE = 2**31 - 1  # what the database's integer holds
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*", re.ASCII)


def _as_day(given: object) -> object:
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise PydanticCustomError("date_parsing", "not a day")
    return _as_text(given, "date_type")


def _as_moment(given: object) -> object:
    if isinstance(given, str) and not _MOMENT.fullmatch(given):
        raise PydanticCustomError("datetime_parsing", "not a moment")
    return _as_text(given, "datetime_type")


def _as_text(given: object, kind: str) -> object:
    if isinstance(given, (int, float)):
        raise PydanticCustomError(kind, "not a text")  # pyright: ignore[reportArgumentType]
    return given


def _storable(given: str) -> str:
    if "\x00" in given or any("\ud800" <= character <= "\udfff" for character in given):
        raise PydanticCustomError("unstorable", "NUL or half a character")
    return given


Text = Annotated[str, AfterValidator(_storable)]  # what the database is asked for; what people write, services check
Day = Annotated[date, BeforeValidator(_as_day)]
Moment = Annotated[datetime, BeforeValidator(_as_moment)]
Whole = Annotated[int, Field(strict=True, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
Flag = StrictBool
