"""From a mark of a picture to the question behind it: what was clicked becomes a filter, and months become weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.explore.checks import dimensions, read_value
from app.explore.marts import TIMES, Mart
from app.explore.question import LONGEST_VALUE, Dimension, Filter, Question, Test, Unit, View
from app.explore.statement import OTHER

_FINER: Mapping[Unit | None, Unit] = {Unit.QUARTER: Unit.MONTH, Unit.MONTH: Unit.WEEK, Unit.WEEK: Unit.DAY}
_MONTHS: Mapping[Unit, int] = {Unit.MONTH: 1, Unit.QUARTER: 3}


def following(start: date, unit: Unit) -> date:
    """The first day after the period that begins on `start`."""
    if unit not in _MONTHS:
        return start + timedelta(days=7 if unit is Unit.WEEK else 1)
    months = start.year * 12 + start.month - 1 + _MONTHS[unit]
    return date(months // 12, months % 12 + 1, 1)


def into(question: Question, mart: Mart, row: Sequence[Any], *, parts: Sequence[str] = ()) -> Question:
    """The question for the rows behind one row of its answer. `parts` are the named parts of its split, which OTHER is
    told from. What cannot be said as a filter, like a text that was cut, is left out; of a cohort all of it."""
    if question.view is View.COHORT:
        return question
    found: list[Filter] = []
    if question.view is View.HISTOGRAM:
        [drawn] = question.groups
        found += [
            Filter(column=drawn.column, test=Test.FROM, values=(repr(row[0]),)),
            Filter(column=drawn.column, test=Test.BEFORE, values=(repr(row[1]),)),
        ]
        row, named = row[2:], dimensions(question)[1:]
    else:
        named = dimensions(question)
    for one, cell in zip(named, row, strict=False):
        is_split = one is question.split
        found += _other(one, mart, parts) if is_split and cell == OTHER else _filters(one, mart, cell)
    kept = [one for one in question.filters if not any(_holds(other, one, mart) for other in found)]
    found = [one for one in found if not any(_holds(other, one, mart) for other in kept)]
    groups = tuple(
        replace(one, unit=_FINER.get(one.unit, one.unit)) if one.unit and cell is not None else one
        for one, cell in zip(question.groups, row, strict=False)
    )
    finer = groups if question.view is not View.HISTOGRAM else question.groups
    return replace(question, filters=(*kept, *found), groups=finer)


def _holds(one: Filter, other: Filter, mart: Mart) -> bool:
    """Whether the other says nothing more beside this one: of two bounds the wider, and the values clicked from."""
    if (one.column, one.test) != (other.column, other.test):
        return False
    if one.test not in (Test.FROM, Test.BEFORE):
        return one.test is Test.IS or one == other
    bound, wider = (_bound(each, mart) for each in (one, other))
    return bound >= wider if one.test is Test.FROM else bound <= wider


def _bound(one: Filter, mart: Mart) -> Decimal:
    column = mart.columns[one.column]
    read = read_value(one.values[0], column)
    return Decimal(date.fromisoformat(read).toordinal() if column.kind in TIMES else read)


def _filters(one: Dimension, mart: Mart, cell: Any) -> list[Filter]:
    column = mart.columns[one.column]
    if cell is None:
        return [Filter(column=one.column, test=Test.EMPTY)]
    if one.unit is not None and column.kind in TIMES:
        start = cell if isinstance(cell, date) else date.fromisoformat(str(cell))
        try:
            end = following(start, one.unit)
        except (OverflowError, ValueError):  # the last days that there are
            return [Filter(column=one.column, test=Test.FROM, values=(start.isoformat(),))]
        return [
            Filter(column=one.column, test=Test.FROM, values=(start.isoformat(),)),
            Filter(column=one.column, test=Test.BEFORE, values=(end.isoformat(),)),
        ]
    text = str(cell).lower() if isinstance(cell, bool) else str(cell)
    return [Filter(column=one.column, test=Test.IS, values=(text,))] if len(text) <= LONGEST_VALUE else []


def _other(one: Dimension, mart: Mart, parts: Sequence[str]) -> list[Filter]:
    """All but the parts that have a name of their own."""
    if mart.columns[one.column].kind in TIMES or any(len(part) > LONGEST_VALUE for part in parts):
        return []
    named = tuple(part for part in parts if part != OTHER)
    found = [Filter(column=one.column, test=Test.FILLED)]
    return [*found, Filter(column=one.column, test=Test.IS_NOT, values=named)] if named else found
