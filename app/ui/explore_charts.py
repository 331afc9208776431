"""The pictures of an answer. Each mark carries the number of its row in the answer, which is all that a click sends."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from app.explore import drill
from app.explore.question import Unit, View
from app.explore.shown import in_order
from app.ui import charts, explore_cells
from app.ui.charts import Palette
from app.ui.explore_drawn import (
    Drawn,
    Made,
    as_number,
    base,
    by_part,
    inks_of,
    label,
    part_label,
    parts,
    shortened,
)

MOST_BARS = 40
ROOM_LETTERS = 80  # of the names below the columns; more of them stand aslant
MOST_POINTS = 2_000


def figure(view: View, drawn: Drawn, *, dark: bool) -> Made:
    """The picture of an answer."""
    draw = {
        View.LINE: _line,
        View.BAR: _bar,
        View.SCATTER: _scatter,
        View.HEAT: explore_cells.heat,
        View.HISTOGRAM: _histogram,
        View.COHORT: explore_cells.cohort,
    }[view]
    return draw(drawn, charts.palette(dark))


def _line(drawn: Drawn, colours: Palette) -> Made:
    made = base(drawn, colours)
    at, unit = drawn.figure_at, drawn.units[0]
    days = sorted({row[0] for row in drawn.rows if row[0] is not None})
    if not days:
        return Made(figure=None)
    # a group without a row has nothing to sum: nought, where an average has a gap
    missing = 0.0 if drawn.is_additive[0] else None
    if drawn.is_additive[0] and unit is not None:
        days = _all_days(days, unit)
    inks = inks_of(colours, parts(drawn))
    for part, rows in by_part(drawn).items():
        known = {row[0]: (number, as_number(row[at])) for number, row in rows}
        points = [known.get(day, (-1, missing)) for day in days]
        made.add_scatter(
            x=days,
            y=[value for _, value in points],
            customdata=[[number, label(day, unit)] for (number, _), day in zip(points, days, strict=True)],
            mode="lines+markers",
            marker={"size": 6 if len(days) <= 60 else 3},
            line={"width": 2, "color": inks.get(part, colours.accent)},
            name=part_label(part),
            hovertemplate="%{customdata[1]}: <b>%{y:,.4~g}</b>" + ("" if drawn.split else "<extra></extra>"),
        )
    made.update_xaxes(showline=True, ticks="outside", ticklen=4, nticks=7, tickangle=0)
    # a mean that moves between 0.9 and 1 would be a flat line over an empty picture
    mode = "tozero" if drawn.is_additive[0] else "normal"
    made.update_yaxes(title={"text": charts.plain(drawn.measures[0]), "standoff": 8}, rangemode=mode, nticks=6)
    left_out = any(row[0] is None for row in drawn.rows)
    return Made(
        figure=made,
        alt=f"{drawn.measures[0]} along {drawn.groups[0]}, {len(days)} points",
        notes=["Rows without a time are not drawn."] if left_out else [],
    )


def _all_days(days: Sequence[date], unit: Unit) -> list[date]:
    """Also those between the first and the last that have no row; as they came where that would be too many."""
    found = [days[0]]
    while found[-1] < days[-1] and len(found) <= MOST_POINTS:
        found.append(drill.following(found[-1], unit))
    return found if found[-1] == days[-1] else list(days)


def _bar(drawn: Drawn, colours: Palette) -> Made:
    at, unit = drawn.figure_at, drawn.units[0]
    found: dict[Any, float] = {}
    for row in drawn.rows:
        found[row[0]] = found.get(row[0], 0.0) + (as_number(row[at]) or 0.0)
    is_time = unit is not None
    ranked = list(found) if is_time else sorted(found, key=lambda one: -found[one])
    shown = ranked[:MOST_BARS]
    if is_time:
        shown = sorted(shown, key=lambda one: (one is not None, one))
    if not shown:
        return Made(figure=None)
    words = {one: label(one, unit) for one in shown}
    longest = max(len(word) for word in words.values())
    made = base(drawn, colours, left=64 if is_time else min(40 + 7 * min(longest, 30), 240))
    inks, places = inks_of(colours, parts(drawn)), {one: place for place, one in enumerate(shown)}
    for part, rows in by_part(drawn).items():
        here = [(number, row) for number, row in rows if row[0] in places]
        values = [as_number(row[at]) for _, row in here]
        along = [places[row[0]] for _, row in here]
        made.add_bar(
            **({"x": along, "y": values} if is_time else {"x": values, "y": along, "orientation": "h"}),
            customdata=[[number, words[row[0]]] for number, row in here],
            marker={"color": inks.get(part, colours.accent)},
            name=part_label(part),
            hovertemplate="%{customdata[1]}: <b>%{"
            + ("y" if is_time else "x")
            + ":,.4~g}</b>"
            + ("" if drawn.split else "<extra></extra>"),
        )
    ticks = {
        "tickvals": list(range(len(shown))),
        "ticktext": [shortened(words[one]) for one in shown],
        "showgrid": False,
    }
    title = {"text": charts.plain(drawn.measures[0]), "standoff": 8}
    if is_time:
        made.update_xaxes(**ticks, tickangle=-45 if len(shown) * longest > ROOM_LETTERS else 0)
        made.update_yaxes(title=title, nticks=6)
        made.update_layout(margin={"b": 72})
    else:
        made.update_yaxes(**ticks, autorange="reversed")
        made.update_xaxes(title=title, showgrid=True, gridcolor=colours.grid, nticks=6)
        made.update_layout(height=max(160, 72 + len(shown) * (22 if len(shown) > 12 else 28)))
    made.update_layout(barmode="stack" if drawn.is_additive[0] else "group", bargap=0.3)
    notes = [f"The {MOST_BARS} {'newest' if is_time else 'largest'} of {len(ranked):,} are drawn."]
    return Made(
        figure=made,
        alt=f"{drawn.measures[0]} for each of {len(shown)}: {drawn.groups[0]}",
        notes=notes if len(ranked) > MOST_BARS else [],
    )


def _scatter(drawn: Drawn, colours: Palette) -> Made:
    made = base(drawn, colours)
    at, unit = drawn.figure_at, drawn.units[0]
    inks, left = inks_of(colours, parts(drawn)), MOST_POINTS
    count = 0
    for part, rows in by_part(drawn).items():
        here = [
            (number, row)
            for number, row in rows
            if as_number(row[at]) is not None and as_number(row[at + 1]) is not None
        ]
        count += len(here)
        here, left = here[:left], left - min(left, len(here))
        made.add_scatter(
            x=[as_number(row[at]) for _, row in here],
            y=[as_number(row[at + 1]) for _, row in here],
            customdata=[[number, label(row[0], unit)] for number, row in here],
            mode="markers",
            marker={"color": inks.get(part, colours.accent), "size": 9, "opacity": 0.7, "line": {"width": 0}},
            name=part_label(part),
            hovertemplate="<b>%{customdata[1]}</b><br>%{x:,.4~g} · %{y:,.4~g}"
            + ("" if drawn.split else "<extra></extra>"),
        )
    if not count:
        return Made(figure=None)
    across, up = (charts.plain(one) for one in drawn.measures[:2])
    made.update_xaxes(title={"text": across, "standoff": 6}, showline=True, showgrid=True, gridcolor=colours.grid)
    made.update_yaxes(title={"text": up, "standoff": 8})
    notes = [f"{MOST_POINTS:,} of {count:,} points are drawn."] if count > MOST_POINTS else []
    return Made(figure=made, alt=f"{up} against {across}, one point for each {drawn.groups[0]}", notes=notes)


def _histogram(drawn: Drawn, colours: Palette) -> Made:
    made = base(drawn, colours)
    inks = inks_of(colours, _split_parts(drawn))
    for part in _split_parts(drawn):
        rows = [(number, row) for number, row in enumerate(drawn.rows) if drawn.split is None or row[2] == part]
        made.add_bar(
            x=[(float(row[0]) + float(row[1])) / 2 for _, row in rows],
            y=[row[-1] for _, row in rows],
            width=[float(row[1]) - float(row[0]) for _, row in rows],
            customdata=[[number, f"{row[0]:,.6g} to {row[1]:,.6g}"] for number, row in rows],
            marker={"color": inks.get(part, colours.accent), "line": {"width": 1, "color": colours.ground}},
            name=part_label(part),
            hovertemplate="%{customdata[1]}: <b>%{y:,}</b> rows" + ("" if drawn.split else "<extra></extra>"),
        )
    made.update_layout(barmode="stack", bargap=0)
    made.update_xaxes(title={"text": charts.plain(drawn.groups[0]), "standoff": 6}, showline=True)
    made.update_yaxes(title={"text": "Number of rows", "standoff": 8}, nticks=6)
    return Made(figure=made, alt=f"Distribution of {drawn.groups[0]}, {len(drawn.rows)} bins")


def _split_parts(drawn: Drawn) -> list[str | None]:
    """As `parts`: a histogram's part stands behind the two ends of its bin."""
    return in_order([row[2] for row in drawn.rows]) if drawn.split else [""]
