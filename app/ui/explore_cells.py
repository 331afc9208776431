"""Pictures of cells: heat maps and cohorts."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from app.explore.question import Unit
from app.ui import charts, figures
from app.ui.charts import Palette
from app.ui.explore_drawn import Drawn, Made, as_number, base, label, shortened
from app.ui.text import escaped

MOST_CELLS = (60, 40)  # across, down
MOST_COHORTS = 24


def _scale(colours: Palette) -> list[list[Any]]:
    return [[0, charts.rgba(colours.accent, 0.08)], [1, colours.accent]]


def _ink(colours: Palette, depth: float) -> str:
    """White or black, whichever is read better on a cell of this depth, 0 to 1: Plotly takes grey for both."""
    share = 0.08 + 0.92 * depth
    mixed = [
        share * int(colours.accent[at : at + 2], 16) + (1 - share) * int(colours.ground[at : at + 2], 16)
        for at in (1, 3, 5)
    ]
    red, green, blue = ((one / 255) ** 2.2 for one in mixed)
    return "#FFFFFF" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 else "#10131A"


def _cells(
    made: go.Figure,
    colours: Palette,
    cells: Sequence[tuple[int, int, int, float, str, str]],
    across: Sequence[str],
    down: Sequence[str],
    most: float | None = None,
) -> None:
    """Coloured cells (number of the row, across, down, value, text inside, text beside the pointer); `most` is the
    darkest value where nought is the lightest. A cell itself
    cannot be clicked in Plotly: an unseen mark on each of them can."""
    grid: list[list[float | None]] = [[None] * len(across) for _ in down]
    for _, x, y, value, *_ in cells:
        grid[y][x] = value
    has_texts = len(across) <= 26
    made.add_heatmap(
        x=list(range(len(across))),
        y=list(range(len(down))),
        z=grid,
        zmin=None if most is None else 0,
        zmax=most,
        colorscale=_scale(colours),
        showscale=not has_texts,
        colorbar={"thickness": 10, "outlinewidth": 0, "len": 0.8},
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )
    if has_texts:
        values = [value for *_, value, _, _ in cells]
        least, largest = (min(values), max(values)) if most is None else (0, most)
        depths = [(value - least) / (largest - least) if largest > least else 0.5 for value in values]
        made.add_scatter(
            x=[x for _, x, *_ in cells],
            y=[y for _, _, y, *_ in cells],
            text=[text for *_, text, _ in cells],
            mode="text",
            textfont={"size": 12, "color": [_ink(colours, depth) for depth in depths]},
            hoverinfo="skip",
        )
    unseen = {"marker": {"opacity": 0}}
    made.add_scatter(
        x=[x for _, x, *_ in cells],
        y=[y for _, _, y, *_ in cells],
        customdata=[[number, beside] for number, *_, beside in cells],
        mode="markers",
        marker={"size": 22, "symbol": "square", "opacity": 0},
        selected=unseen,
        unselected=unseen,
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    longest = max((len(word) for word in down), default=4)
    is_long = sum(len(word) + 2 for word in across) > 90
    made.update_layout(
        height=max(180, 72 + 28 * len(down)),
        margin={"l": min(40 + 7 * min(longest, 30), 240), "b": 64 if is_long else 44},
    )
    made.update_xaxes(
        tickvals=list(range(len(across))),
        ticktext=[shortened(word) for word in across],
        tickangle=-45 if is_long else 0,
        range=[-0.5, len(across) - 0.5],
        showline=False,
    )
    made.update_yaxes(
        tickvals=list(range(len(down))),
        ticktext=[shortened(word) for word in down],
        range=[len(down) - 0.5, -0.5],
        showgrid=False,
    )


def _ordered(cells: Sequence[Any], unit: Unit | None, weights: Mapping[Any, float], most: int) -> list[Any]:
    """The groups of an axis: times in their order, the newest of them; numbers in theirs; others by weight."""
    known = set(cells)
    if unit is not None:
        times = sorted(one for one in known if one is not None)[-most:]
        return [*times, *([None] if None in known and len(times) < most else [])]
    if all(as_number(one) is not None for one in known):
        return sorted(known)[:most]
    return sorted(known, key=lambda one: (-weights[one], str(one)))[:most]


def heat(drawn: Drawn, colours: Palette) -> Made:
    at = drawn.figure_at
    rows = [(number, row, value) for number, row in enumerate(drawn.rows) if (value := as_number(row[at])) is not None]
    if not rows:
        return Made(figure=None)
    axes: list[dict[Any, int]] = []
    for place in (0, 1):
        weights: dict[Any, float] = {}
        for _, row, value in rows:
            weights[row[place]] = weights.get(row[place], 0.0) + abs(value)
        order = _ordered(list(weights), drawn.units[place], weights, MOST_CELLS[place])
        axes.append({one: number for number, one in enumerate(order)})
    across, down = ([label(one, unit) for one in axis] for axis, unit in zip(axes, drawn.units, strict=True))
    cells = [
        (
            number, axes[0][row[0]], axes[1][row[1]], value, _short(value),
            f"{across[axes[0][row[0]]]} · {down[axes[1][row[1]]]}: <b>{figures.grouped(value, _digits(value))}</b>",
        )
        for number, row, value in rows
        if row[0] in axes[0] and row[1] in axes[1]
    ]  # fmt: skip
    made = base(drawn, colours)
    _cells(made, colours, cells, across, down)
    left = len(rows) - len(cells)
    return Made(
        figure=made,
        alt=f"{drawn.measures[0]}: {drawn.groups[0]} across, {drawn.groups[1]} down",
        reading=f"A cell: **{escaped(drawn.measures[0])}** of the rows with its {escaped(drawn.groups[0])} (across) and"
        f" {escaped(drawn.groups[1])} (down). Darker is more; where nothing stands there are no rows.",
        notes=[f"{figures.count(left, 'cell')} beyond {MOST_CELLS[0]} by {MOST_CELLS[1]} not drawn."] if left else [],
    )


def _digits(value: float) -> int:
    return 0 if abs(value) >= 100 or float(value).is_integer() else 2


def _short(value: float) -> str:
    """A figure in a cell: `12 k`, `0.41`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g} {letter}"
    return f"{value:,.0f}" if _digits(value) == 0 else f"{value:.3g}"


def cohort(drawn: Drawn, colours: Palette) -> Made:
    unit = drawn.units[0]
    sizes = {start: count for start, since, count in drawn.rows if since == 0}
    starts = sorted(sizes)[-MOST_COHORTS:]
    places = {start: place for place, start in enumerate(starts)}
    periods = max((since for start, since, _ in drawn.rows if start in places), default=0)
    periods = min(periods, MOST_COHORTS)
    if not starts:
        return Made(figure=None)
    cells = [
        (
            number, since, places[start], 100 * count / sizes[start], f"{100 * count / sizes[start]:.0f}%",
            f"{label(start, unit)}, {since} {unit}s later: <b>{count:,}</b> of {sizes[start]:,}",
        )
        for number, (start, since, count) in enumerate(drawn.rows)
        if start in places and since <= periods
    ]  # fmt: skip
    made = base(drawn, colours)
    down = [f"{label(start, unit)} ({sizes[start]:,})" for start in starts]
    _cells(made, colours, cells, [str(one) for one in range(periods + 1)], down, most=100)
    made.update_xaxes(title={"text": f"{unit}s since the first", "standoff": 6})
    who, when = escaped(drawn.groups[1]), escaped(drawn.groups[0])
    notes = [
        "The filters count: whoever was there before them begins with them.",
        *([f"The newest {MOST_COHORTS} are drawn."] if len(sizes) > MOST_COHORTS else []),
    ]
    return Made(
        figure=made,
        alt=f"Share of each cohort that comes back, {len(starts)} cohorts",
        reading=f"Down: the first {when} of each {who}, in brackets how many begin there: they are the 100%."
        f" A cell: the share of them with a row that many {unit}s later. Where nothing stands nobody has one.",
        notes=notes,
    )
