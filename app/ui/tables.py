"""The dense tables of the pages: which columns, how wide, and what a cell shows.

Cells hold text, never Markdown, so account names and titles may be anything. Chips are multi-select columns with one
value, since those are the only cells that take a colour.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from math import ceil
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.metrics import metrics
from app.ui import words
from app.ui.text import shortened

ROW = 32
TALL_ROW = 42
HEADER = 34
CELL_TEXT = 12.25  # pixels of the type in a cell
CELL_PADDING = 16
FRAME = 2  # pixels around a table
TICKS = 38  # and of the column to tick rows in, with the edge of a scroll bar
# widths of Inter's letters, in its size; what is not named is about 0.58
_LETTERS = {
    letter: width
    for width, letters in {
        0.27: "ijlI !,.:;·'`|",
        0.38: 'frt()[]{}/1"-',
        0.73: "CDGHNOQU+=",
        0.89: "mwMW@%…→",
    }.items()
    for letter in letters
}
NAMED_COLOURS = ("red", "orange", "yellow", "green", "blue", "violet", "gray")


def height(rows: int, *, row_height: int = ROW, most: int | None = None) -> int:
    """Pixels for a table without a second scroll bar; `most` rows, then it scrolls."""
    shown = rows if most is None else min(rows, most)
    return max(shown, 1) * row_height + HEADER + (0 if most is None or rows <= most else row_height // 2)


def chip(label: str, options: Sequence[str], colours: Sequence[str], width: int) -> ColumnConfig:
    """A column of coloured chips: one colour per option."""
    return st.column_config.MultiselectColumn(label, options=list(options), color=list(colours), width=width)


def band_chip(width: int = 54) -> ColumnConfig:
    """The band's letter in its colour."""
    return chip("Band", list(words.BAND_COLOURS), list(words.BAND_COLOURS.values()), width)


def status_chip(width: int = 96) -> ColumnConfig:
    """The status in its colour."""
    return chip(
        "Status",
        [words.STATUS_CHIPS[code] for code in words.STATUS_COLOURS],
        list(words.STATUS_COLOURS.values()),
        width,
    )


def due_chip(labels: Iterable[str], width: int = 104) -> ColumnConfig:
    """Due dates as chips: late in red, today in blue, back from snooze in grey, the rest quiet."""
    options = list(dict.fromkeys(labels))

    def colour(text: str) -> str:
        if text.startswith("Overdue"):
            return "red"
        return "blue" if text == "Today" else "gray"

    return chip("Due", options, [colour(text) for text in options], width)


def trend(width: int = 86) -> ColumnConfig:
    """Health over the last 90 days, 0 to 100, green or red by its direction."""
    return st.column_config.LineChartColumn("90 days", y_min=0, y_max=100, width=width, color="auto")


def trend_cell(values: object) -> list[float]:
    """Scores of a sparkline without the days that have none: one gap and the cell would show numbers instead."""
    return [round(float(value), 1) for value in values if value is not None] if isinstance(values, list) else []


def text(label: str, width: int | None = None) -> ColumnConfig:
    """Plain text, cut at the cell's edge."""
    return st.column_config.TextColumn(label, width=width)


def number(label: str, width: int, pattern: str | None = "localized", *, metric: str | None) -> ColumnConfig:
    """A number, right-aligned, with grouped thousands unless another pattern is given; None where `show` spells it.

    The definition of its metric stands at its head; None for what only numbers rows (a build, a load), or where each
    row is another measure.
    """
    return st.column_config.NumberColumn(label, width=width, format=pattern, help=_said(metric))


def spelled(label: str, width: int, *, metric: str | None) -> ColumnConfig:
    """A number that the page spells out as text, right-aligned; `metric` as in `number`."""
    return st.column_config.TextColumn(label, width=width, alignment="right", help=_said(metric))


def _said(metric: str | None) -> str | None:
    return metrics()[metric].definition if metric else None


def open_button(key: str, on_click: Callable[[], None], *, label: str = "", width: int = 62) -> Any:
    """A column of buttons; the click's row is `st.session_state[key].row` in the callback."""
    return st.column_config.ButtonColumn(label, key=key, on_click=on_click, type="tertiary", width=width)


def link(label: str, key: str, on_click: Callable[[], None], width: int) -> Any:
    """A column of names that can be clicked; `key` as in `open_button`. Cells take icons, so `plain` their text
    first.
    """
    return st.column_config.ButtonColumn(
        label, key=key, on_click=on_click, type="tertiary", alignment="left", width=width
    )


def line_count(text: str, width: int) -> int:
    """How many lines a text takes in a cell that wraps, in a column of this width; words may end a line early."""
    room = max(width - CELL_PADDING, 24) / CELL_TEXT
    return ceil(1.1 * sum(_LETTERS.get(letter, 0.58) for letter in text) / room)


def plain(name: str) -> str:
    """A name for a `link` cell: whatever people typed, a cell must not turn it into an icon."""
    return name.replace(":material/", ":\u2060material/")


def fitted(text: str | None, width: int) -> str:
    """A text as long as a column of this width shows, with an ellipsis: the grid itself cuts without a sign."""
    room = max(width - CELL_PADDING, 24) / CELL_TEXT
    ends = list(accumulate(_LETTERS.get(letter, 0.58) for letter in text or ""))
    if not ends or ends[-1] <= room:
        return shortened(text, limit=len(ends))
    return shortened(text, limit=bisect_right(ends, room - _LETTERS["…"]) + 1)


def priority_chip() -> ColumnConfig:
    """The letter of the priority in its colour."""
    letters = [name[0] for name in words.PRIORITIES.values()]
    column = chip("!", letters, ["red", "orange", "gray", "gray"], 44)
    column["help"] = "Priority: " + ", ".join(words.PRIORITIES.values())
    return column


def show(
    rows: pd.DataFrame,
    columns: dict[str, Any],
    *,
    key: str,
    alt: str,
    row_height: int = ROW,
    most: int | None = None,
    shown_as: dict[str, Callable[[Any], str]] | None = None,
) -> None:
    """A read-only table of exactly these columns, in this order, as high as its rows; `shown_as` spells the values of a
    column, which still sort as what they are."""
    cells = rows[list(columns)]
    with st.container(key=f"{key}_box"):
        st.dataframe(
            cells.style.format(shown_as) if shown_as else cells,
            column_config=columns,
            hide_index=True,
            row_height=row_height,
            height=height(len(rows), row_height=row_height, most=most),
            key=key,
            alt=alt,
            placeholder="–",
        )


def clicked_row(key: str) -> int | None:
    """The row whose button was clicked, inside the callback."""
    click = st.session_state.get(key)
    return None if click is None else int(click["row"])
