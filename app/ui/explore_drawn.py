"""What the pictures of an answer share: its rows with their names, colours of parts, and groups in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import plotly.graph_objects as go

from app.explore.question import Unit
from app.explore.shown import EMPTY, in_order
from app.explore.statement import OTHER
from app.ui import charts, figures
from app.ui.charts import Palette

_HEIGHT = 420
# twelve parts that can be told from each other and from the ground, the accent first; what is left is grey
_LIGHT = (
    *("#3B57D0", "#1B8A8F", "#C28A0B", "#7A4FC4", "#C2570C", "#1F8A55"),
    *("#B0307A", "#2E86C9", "#7D6B2E", "#5A5F9E", "#8A3B2E", "#4F8A10"),
)
_DARK = (
    *("#8196F2", "#4FB9BE", "#E0B13E", "#AD8BEB", "#F09A55", "#4CB782"),
    *("#F08BC0", "#6FB7EE", "#C9B871", "#B3B7F0", "#E0907F", "#A6D05A"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An answer with the names of its columns: groups first, then what it is split by, then figures."""

    rows: Sequence[tuple[Any, ...]]
    groups: Sequence[str]
    split: str | None
    measures: Sequence[str]
    units: Sequence[Unit | None]
    is_additive: Sequence[bool]

    @property
    def figure_at(self) -> int:
        """Where the first figure stands in a row."""
        return len(self.groups) + (1 if self.split else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A picture, what a screen reader says of it, how a cell of it is read, and what it leaves out, our own Markdown;
    None where nothing can be drawn."""

    figure: go.Figure | None
    alt: str = ""
    reading: str = ""
    notes: list[str] = field(default_factory=list)


def inks_of(colours: Palette, parts: Sequence[str | None]) -> Mapping[str | None, str]:
    wheel = _DARK if colours is charts.DARK else _LIGHT
    named = [part for part in parts if part != OTHER]
    if set(named) - {None} and set(named) <= {"R", "Y", "G", None}:  # bands have colours of their own
        return {part: colours.band(part or "") for part in named}
    return {part: wheel[at % len(wheel)] for at, part in enumerate(named)} | {OTHER: colours.grey}


def as_number(cell: Any) -> float | None:
    return float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else None


def label(cell: Any, unit: Unit | None = None) -> str:
    """A group in words: `19 Nov 2026`, `Nov 2026`, `Q4 2026`, `yes`, `(empty)`."""
    if cell is None:
        return EMPTY
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, date):
        if unit is Unit.QUARTER:
            return f"Q{(cell.month - 1) // 3 + 1} {cell.year}"
        return f"{cell:%b %Y}" if unit is Unit.MONTH else figures.full_day(cell)
    return charts.plain(str(cell))[:60] or "(no text)"


def parts(drawn: Drawn) -> list[str | None]:
    """The parts of a split in their order, the rest last; one nameless part without a split."""
    if drawn.split is None:
        return [""]
    at = len(drawn.groups)
    return in_order([row[at] for row in drawn.rows])


def by_part(drawn: Drawn) -> dict[str | None, list[tuple[int, tuple[Any, ...]]]]:
    """Numbers and rows of the answer by part."""
    found: dict[str | None, list[tuple[int, tuple[Any, ...]]]] = {part: [] for part in parts(drawn)}
    for number, row in enumerate(drawn.rows):
        found[row[len(drawn.groups)] if drawn.split else ""].append((number, row))
    return found


def base(drawn: Drawn, colours: Palette, **margins: int) -> go.Figure:
    made = charts.base(colours, height=_HEIGHT, **{"left": 64, "top": 12, "right": 12, "bottom": 48, **margins})
    made.update_xaxes(title_font_size=12)
    made.update_yaxes(title_font_size=12)
    made.update_yaxes(separatethousands=True)
    if drawn.split:
        made.update_layout(
            showlegend=True,
            legend={"orientation": "v", "x": 1.01, "y": 1, "font": {"size": 12}, "itemclick": "toggle"},
        )
    return made


def part_label(part: str | None) -> str:
    return EMPTY if part is None else charts.plain(part)[:28] or "(no text)"


def shortened(word: str) -> str:
    return word if len(word) <= 30 else word[:29] + "…"
