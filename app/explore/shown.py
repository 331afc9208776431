"""An answer as it stands on the page, for its table and its file: heads in words, and what it is split by across.

The trap avoided: two ways to lay out the same answer, one on the screen and one in the file, which drift apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.explore.checks import dimensions
from app.explore.marts import TIMES, Mart
from app.explore.question import Dimension, Function, Measure, Question, Unit, View
from app.explore.statement import OTHER
from app.exports.columns import Column
from app.sandbox.runner import Answer

EMPTY = "(empty)"
FUNCTIONS: Mapping[Function, str] = {
    Function.COUNT: "Number of rows",
    Function.DISTINCT: "How many different",
    Function.SUM: "Sum of",
    Function.AVERAGE: "Average of",
    Function.MEDIAN: "Median of",
    Function.MIN: "Smallest",
    Function.MAX: "Largest",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Columns, each name once, and rows of as many cells."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]


def figure_name(one: Measure, mart: Mart) -> str:
    """A figure in words: `Average of score`, `Number of rows`."""
    if one.column is None:
        return FUNCTIONS[Function.COUNT]
    name = mart.columns[one.column].label
    return f"{FUNCTIONS[one.function]} {name if name[1:2].isupper() else name[:1].lower() + name[1:]}"


def group_name(one: Dimension, mart: Mart) -> str:
    """A dimension in words: `Segment`, `Usage date by month`."""
    name = mart.columns[one.column].label
    return f"{name} by {one.unit}" if one.unit and mart.columns[one.column].kind in TIMES else name


def in_order(parts: Sequence[str | None]) -> list[str | None]:
    """Parts of a split, each once: what is empty and the rest behind the others."""
    return sorted(set(parts), key=lambda part: ((part is None) + 2 * (part == OTHER), part or ""))


def table(question: Question, mart: Mart, answer: Answer) -> Shown:
    """The answer as the page shows it. With a table that is split, one column for each part and figure, the rest last,
    and a row for each group in the order in which they came; of all else the rows as they came. Raw rows keep the
    names of the warehouse."""
    kinds = [(column.kind, column.is_list) for column in answer.columns]
    if question.view is View.ROWS:
        names = answer.unique_names()
    elif question.view is View.HISTOGRAM:
        [drawn] = question.groups
        split = [group_name(question.split, mart)] if question.split else []
        label = group_name(drawn, mart)
        names = [f"{label} from", f"{label} below", *split, FUNCTIONS[Function.COUNT]]
    elif question.view is View.COHORT:
        when, _ = question.groups
        names = [f"First {group_name(when, mart)}", f"{(when.unit or Unit.MONTH).capitalize()}s since", "Still there"]
    elif question.view is View.TABLE and question.split:
        return _across(question, mart, answer)
    else:
        names = [
            *(group_name(one, mart) for one in dimensions(question)),
            *(figure_name(one, mart) for one in question.measures),
        ]
    columns = (Column(name, *kind) for name, kind in zip(_once(names), kinds, strict=True))
    return Shown(columns=tuple(columns), rows=answer.rows)


def _across(question: Question, mart: Mart, answer: Answer) -> Shown:
    at, measures = len(question.groups), [figure_name(one, mart) for one in question.measures]
    wide: dict[tuple[Any, ...], dict[tuple[str | None, int], Any]] = {}
    for row in answer.rows:
        cells = wide.setdefault(tuple(row[:at]), {})
        for number in range(len(measures)):
            cells[row[at], number] = row[at + 1 + number]
    parts = in_order([row[at] for row in answer.rows])
    places = [(part, number) for number in range(len(measures)) for part in parts]
    names = [
        *(group_name(one, mart) for one in question.groups),
        *(_part_name(part) + (f": {measures[number]}" if len(measures) > 1 else "") for part, number in places),
    ]
    kinds = [*answer.columns[:at], *(answer.columns[at + 1 + number] for _, number in places)]
    return Shown(
        columns=tuple(Column(name, one.kind, one.is_list) for name, one in zip(_once(names), kinds, strict=True)),
        rows=[(*key, *(cells.get(place) for place in places)) for key, cells in wide.items()],
    )


def _part_name(part: str | None) -> str:
    if part is None:
        return EMPTY
    try:
        return f"{date.fromisoformat(part):%-d %b %Y}"
    except ValueError:
        return part[:40]


def _once(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, word = 2, name
        while word in found:
            word, number = f"{name} ({number})", number + 1
        found.append(word)
    return found
