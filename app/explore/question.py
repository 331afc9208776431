"""A question to a mart, as it is clicked together: what is filtered, grouped, measured, split, and how it is drawn.

It travels as one word in an address, so that back, reload and a shared link ask the same. What comes back from an
address is anybody's text: it is read strictly here, and compared with what there is in `checks`.
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from app.errors import InvalidInput

LONGEST_TOKEN = 4_000  # characters of an address
LONGEST_VALUE = 200
MOST_FILTERS = 12
MOST_VALUES = 50  # of one filter
MOST_GROUPS = 4
MOST_MEASURES = 6
_LARGEST = 64 * 1024  # bytes a token may unfold to
_NAME = 100
Member = TypeVar("Member", bound=StrEnum)


class View(StrEnum):
    """How the answer is drawn."""

    TABLE = "table"
    LINE = "line"
    BAR = "bar"
    SCATTER = "scatter"
    HEAT = "heat"
    HISTOGRAM = "histogram"
    COHORT = "cohort"
    ROWS = "rows"


class Unit(StrEnum):
    """What days are truncated to."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Test(StrEnum):
    """What a filter asks of a column. `from` includes its value, `before` does not."""

    __test__ = False  # no test of pytest's

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    FROM = "from"
    BEFORE = "before"
    EMPTY = "empty"
    FILLED = "filled"


class Function(StrEnum):
    """What is reckoned of the rows of a group."""

    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"
    AVERAGE = "average"
    MEDIAN = "median"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a column. Values are text as it was typed; of `is` and `is_not` any number, of `empty` none."""

    column: str
    test: Test
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A column by which rows are put together; one of time is truncated to its unit."""

    column: str
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of a group; counting rows needs no column."""

    function: Function
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of one mart. Of a histogram the one group is the column that is drawn, of a cohort the two are the
    time and whose first time counts."""

    mart: str
    view: View = View.TABLE
    filters: tuple[Filter, ...] = ()
    groups: tuple[Dimension, ...] = ()
    split: Dimension | None = None
    measures: tuple[Measure, ...] = ()

    def token(self) -> str:
        """The question as one word of an address."""
        body: dict[str, Any] = {"m": self.mart, "v": self.view.value}
        if self.filters:
            body["f"] = [[one.column, one.test.value, list(one.values)] for one in self.filters]
        if self.groups:
            body["g"] = [_listed(one) for one in self.groups]
        if self.split:
            body["s"] = _listed(self.split)
        if self.measures:
            body["y"] = [[one.function.value, *([one.column] if one.column else [])] for one in self.measures]
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _listed(one: Dimension) -> list[str]:
    return [one.column, *([one.unit.value] if one.unit else [])]


class _Unreadable(Exception):
    """A part of a token is not what it should be."""


def read(token: str) -> Question:
    """The question of a token. Raises InvalidInput when it is not one, whatever it is."""
    try:
        if len(token) > LONGEST_TOKEN:
            raise _Unreadable
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        unfolding = zlib.decompressobj()
        text = unfolding.decompress(packed, _LARGEST)
        if not unfolding.eof:
            raise _Unreadable
        body = json.loads(text.decode())
        return _question(body)
    except (_Unreadable, binascii.Error, zlib.error, ValueError, RecursionError):
        raise InvalidInput(
            "question",
            "This link holds no question that can be read.",
            hint="It may have been cut: ask for it again, or build the question here.",
        ) from None


def _question(body: object) -> Question:
    if not isinstance(body, dict) or not set(body) <= {"m", "v", "f", "g", "s", "y"}:
        raise _Unreadable
    return Question(
        mart=_name(body.get("m")),
        view=_member(View, body.get("v")),
        filters=tuple(_filter(one) for one in _list(body.get("f", []), MOST_FILTERS)),
        groups=tuple(_dimension(one) for one in _list(body.get("g", []), MOST_GROUPS)),
        split=_dimension(body["s"]) if "s" in body else None,
        measures=tuple(_measure(one) for one in _list(body.get("y", []), MOST_MEASURES)),
    )


def _filter(given: object) -> Filter:
    parts = _list(given, 3)
    if len(parts) != 3:
        raise _Unreadable
    values = tuple(_text(one, LONGEST_VALUE) for one in _list(parts[2], MOST_VALUES))
    return Filter(column=_name(parts[0]), test=_member(Test, parts[1]), values=values)


def _dimension(given: object) -> Dimension:
    parts = _list(given, 2)
    if not parts:
        raise _Unreadable
    return Dimension(column=_name(parts[0]), unit=_member(Unit, parts[1]) if len(parts) > 1 else None)


def _measure(given: object) -> Measure:
    parts = _list(given, 2)
    if not parts:
        raise _Unreadable
    return Measure(function=_member(Function, parts[0]), column=_name(parts[1]) if len(parts) > 1 else None)


def _list(given: object, most: int) -> list[object]:
    if not isinstance(given, list) or len(given) > most:
        raise _Unreadable
    return given


def _text(given: object, longest: int) -> str:
    if not isinstance(given, str) or len(given) > longest:
        raise _Unreadable
    return given


def _name(given: object) -> str:
    return _text(given, _NAME)


def _member(kind: type[Member], given: object) -> Member:
    return kind(_text(given, _NAME))
