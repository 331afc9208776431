"""Whether a question can be asked of a mart, said in a sentence; and the nearest question that can be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from app.errors import InvalidInput
from app.explore.marts import KEY, NUMBERS, TIMES, Column, Kind, Mart
from app.explore.question import (
    LONGEST_TOKEN,
    LONGEST_VALUE,
    MOST_FILTERS,
    MOST_GROUPS,
    MOST_MEASURES,
    MOST_VALUES,
    Dimension,
    Filter,
    Function,
    Measure,
    Question,
    Test,
    Unit,
    View,
)
from app.metrics import of_column

ROWS = Measure(function=Function.COUNT)
EVERY_TEST = (Test.IS, Test.IS_NOT, Test.EMPTY, Test.FILLED)
TESTS: Mapping[Kind, tuple[Test, ...]] = {
    Kind.TEXT: (Test.IS, Test.IS_NOT, Test.CONTAINS, Test.EMPTY, Test.FILLED),
    Kind.NUMBER: (Test.FROM, Test.BEFORE, *EVERY_TEST),
    Kind.WHOLE: (Test.FROM, Test.BEFORE, *EVERY_TEST),
    Kind.DAY: (Test.FROM, Test.BEFORE, *EVERY_TEST),
    Kind.MOMENT: (Test.FROM, Test.BEFORE, Test.EMPTY, Test.FILLED),
    Kind.BOOLEAN: EVERY_TEST,
    Kind.OTHER: (Test.EMPTY, Test.FILLED),
}
_ADDED = frozenset({*NUMBERS, Kind.BOOLEAN})
OF: Mapping[Function, frozenset[Kind]] = {
    Function.COUNT: frozenset(),
    Function.DISTINCT: frozenset(Kind) - {Kind.OTHER},
    Function.SUM: _ADDED,
    Function.AVERAGE: _ADDED,
    Function.MEDIAN: NUMBERS,
    Function.MIN: NUMBERS | TIMES,
    Function.MAX: NUMBERS | TIMES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many groups and figures a view draws, and whether it can be split."""

    groups: tuple[int, int]
    measures: tuple[int, int]
    may_split: bool


SHAPES: Mapping[View, Shape] = {
    View.TABLE: Shape(groups=(0, MOST_GROUPS), measures=(1, MOST_MEASURES), may_split=True),
    View.LINE: Shape(groups=(1, 1), measures=(1, 1), may_split=True),
    View.BAR: Shape(groups=(1, 1), measures=(1, 1), may_split=True),
    View.SCATTER: Shape(groups=(1, 1), measures=(2, 2), may_split=True),
    View.HEAT: Shape(groups=(2, 2), measures=(1, 1), may_split=False),
    View.HISTOGRAM: Shape(groups=(1, 1), measures=(0, 0), may_split=True),
    View.COHORT: Shape(groups=(2, 2), measures=(0, 0), may_split=False),
    View.ROWS: Shape(groups=(0, 0), measures=(0, 0), may_split=False),
}


def _no(message: str, hint: str = "") -> InvalidInput:
    return InvalidInput("question", message, hint=hint)


def checked(question: Question, marts: Mapping[str, Mart]) -> Mart:
    """The mart of a question that can be asked. Raises InvalidInput, which says what is wrong with it."""
    mart = marts.get(question.mart)
    if mart is None:
        raise _no("This question is about a mart that is not here.", "Choose one of the list.")
    for one in question.filters:
        _check_filter(one, mart)
    shape = SHAPES[question.view]
    for name, given, (least, most) in (
        ("groups", len(question.groups), shape.groups),
        ("figures", len(question.measures), shape.measures),
    ):
        if not least <= given <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise _no(f"A {question.view} takes {wanted} {name}, this question has {given}.")
    if question.split and not shape.may_split:
        raise _no(f"A {question.view} cannot be split.")
    for place, one in enumerate(dimensions(question)):
        _check_dimension(one, mart, may_group=usable(question.view, place))
    if len(set(dimensions(question))) < len(dimensions(question)):
        raise _no("A column stands twice in this question.", "Group by each once.")
    for one in question.measures:
        _check_measure(one, mart)
    if len(question.filters) > MOST_FILTERS or len(question.token()) > LONGEST_TOKEN:
        raise _no("This question has too many filters or values.", "Take some of them away.")
    return mart


def dimensions(question: Question) -> tuple[Dimension, ...]:
    """Its groups, then what it is split by."""
    return (*question.groups, *((question.split,) if question.split else ()))


def usable(view: View, place: int) -> frozenset[Kind]:
    """Kinds of columns that a view takes as its group of this place."""
    if view is View.HISTOGRAM and place == 0:
        return NUMBERS
    if view in (View.LINE, View.COHORT) and place == 0:
        return TIMES
    return frozenset(Kind) - {Kind.OTHER}


def _column(name: str, mart: Mart) -> Column:
    if name not in mart.columns:
        raise _no(f"{mart.label} has no column of the name that this question uses.", "Build it again here.")
    return mart.columns[name]


def _check_dimension(one: Dimension, mart: Mart, *, may_group: frozenset[Kind]) -> None:
    column = _column(one.column, mart)
    if column.kind not in may_group:
        raise _no(f"{column.label} cannot be used there.", "Choose another column.")
    if (one.unit is not None) != (column.kind in TIMES):
        raise _no(f"{column.label} is grouped by a wrong unit.", "Choose day, week, month or quarter for times.")


def _check_measure(one: Measure, mart: Mart) -> None:
    if (one.column is None) != (one.function is Function.COUNT):
        raise _no("A figure of this question names no column, or one too many.", "Choose it again.")
    if one.column is not None and _column(one.column, mart).kind not in OF[one.function]:
        raise _no(f"There is no {one.function} of {_column(one.column, mart).label}.", "Choose another column.")


def _check_filter(one: Filter, mart: Mart) -> None:
    column = _column(one.column, mart)
    if one.test not in TESTS[column.kind]:
        raise _no(f"{column.label} cannot be filtered like that.", "Choose another condition.")
    if one.test in (Test.EMPTY, Test.FILLED):
        if one.values:
            raise _no(f"The filter on {column.label} has a value too many.")
        return
    if len(one.values) > MOST_VALUES:
        raise _no(f"The filter on {column.label} has more than {MOST_VALUES} values.", "Take some of them away.")
    if not one.values or (len(one.values) > 1 and one.test not in (Test.IS, Test.IS_NOT)):
        raise _no(f"The filter on {column.label} wants a value.", "Give it one, or take it away.")
    for value in one.values:
        read_value(value, column)


def read_value(text: str, column: Column) -> str:
    """A value of a filter as its column spells it. Raises InvalidInput when it is none."""
    if len(text) > LONGEST_VALUE or "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _no(f"The value for {column.label} is too long, or holds a character that is not text.")
    if column.kind in NUMBERS:
        try:
            number = Decimal(text.strip())
        except InvalidOperation:
            number = Decimal("NaN")
        # an exponent of millions would be written out as millions of digits
        if not number.is_finite() or abs(number.adjusted()) > 60:
            raise _no(f"{column.label} is a number; what stands there is none.", "Write it like 1200 or 0.5.")
        return f"{number:f}"
    if column.kind in TIMES:
        try:
            return date.fromisoformat(text.strip()).isoformat()
        except ValueError:
            raise _no(f"{column.label} is a date; what stands there is none.", "Write it like 2026-03-31.") from None
    if column.kind is Kind.BOOLEAN:
        if text not in ("true", "false"):
            raise _no(f"{column.label} is true or false.")
        return text
    return text


def first(mart: Mart) -> Question:
    """What is asked of a mart before anybody has clicked: its rows by month, or by its first short text."""
    return suited(Question(mart=mart.name, view=View.LINE if mart.of(*TIMES) else View.BAR, measures=(ROWS,)), mart)


def suited(question: Question, mart: Mart) -> Question:
    """The question with as much as its view takes: what does not fit is left out, what is missing put in. A mart that
    has no column for the view gets a table."""
    view, shape = question.view, SHAPES[question.view]
    groups: list[Dimension] = []
    for one in (*question.groups, *((question.split,) if question.split and not shape.may_split else ())):
        column = mart.columns.get(one.column)
        if column and len(groups) < shape.groups[1] and column.kind in usable(view, len(groups)) and one not in groups:
            groups.append(one)
    while len(groups) < shape.groups[0]:
        found = _suggested(question, mart, len(groups), taken={one.column for one in groups})
        if found is None:
            return suited(replace(question, view=View.TABLE), mart)
        groups.append(found)
    measures = list(dict.fromkeys(question.measures))[: shape.measures[1]]
    for extra in (ROWS, *_figures(mart)):
        if len(measures) < shape.measures[0] and extra not in measures:
            measures.append(extra)
    if len(measures) < shape.measures[0]:
        return suited(replace(question, view=View.TABLE), mart)
    split = question.split if shape.may_split and question.split not in groups else None
    return replace(question, view=view, groups=tuple(groups), measures=tuple(measures), split=split)


def _figures(mart: Mart) -> list[Measure]:
    found = [Measure(function=Function.DISTINCT, column=KEY)] if KEY in mart.columns else []
    return [*(Measure(function=Function.AVERAGE, column=one.name) for one in mart.of(*NUMBERS)), *found]


def _suggested(question: Question, mart: Mart, place: int, *, taken: set[str]) -> Dimension | None:
    """A column for a place that must be filled: short texts before keys and long ones, and of numbers the one that was
    asked for before those that have a definition."""
    view, wanted = question.view, usable(question.view, place)
    if view is View.COHORT and place == 1:
        candidates = [one for one in mart.columns.values() if one.name.endswith("_key") and one.kind is Kind.TEXT]
    elif view in (View.LINE, View.HEAT, View.COHORT) and place == 0 and mart.of(*TIMES):
        candidates = mart.of(*TIMES)
    elif view is View.HISTOGRAM:
        asked = [mart.columns[one.column] for one in question.measures if one.column and one.column in mart.columns]
        defined = [one for one in mart.of(*NUMBERS) if of_column(mart.name, one.name)]
        candidates = [*asked, *defined, *mart.of(*NUMBERS)]
    elif view is View.SCATTER and "account.account_name" in mart.columns:
        candidates = [mart.columns["account.account_name"]]
    else:
        texts = [one for one in mart.of(Kind.TEXT) if not one.name.endswith(("_key", "_id", "_name", "email"))]
        candidates = [*texts, *mart.of(Kind.BOOLEAN), *mart.of(Kind.TEXT), *mart.columns.values()]
    for column in candidates:
        if column.kind in wanted and column.name not in taken:
            return dimension_of(column)
    return None


def dimension_of(column: Column, unit: Unit | None = None) -> Dimension:
    """A column to group by; time by month unless another unit is asked for."""
    return Dimension(column=column.name, unit=(unit or Unit.MONTH) if column.kind in TIMES else None)
