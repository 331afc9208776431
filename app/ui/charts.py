"""What all Plotly figures of the pages share, and the plain ones; Streamlit's chart theme is off (`theme=None`).

Figures are built from plain values, know nothing of the database, and are light or dark by the argument `dark`, since
Plotly draws on a canvas that no stylesheet reaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go
import streamlit as st

FONT = "Inter, Helvetica Neue, Arial, sans-serif"
MONTHS_FROM_DAYS = 124  # from here on Plotly's ticks are months
QUIET: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}


@dataclass(frozen=True)
class Palette:
    """Colours of one theme; the values of .streamlit/config.toml."""

    text: str
    muted: str
    accent: str
    red: str
    yellow: str
    green: str
    grey: str
    grid: str
    axis: str
    ground: str
    tint: float

    def band(self, letter: str) -> str:
        """Colour of a health band; grey for insufficient data."""
        return {"R": self.red, "Y": self.yellow, "G": self.green}.get(letter, self.grey)


LIGHT = Palette(
    "#1B1F27", "#565F6D", "#3B57D0", "#C8372D", "#C28A0B", "#1F8A55", "#6B7482", "#ECEEF2", "#C9CED6", "#FFFFFF", 0.06
)
DARK = Palette(
    "#E4E7EC", "#A0A8B6", "#8196F2", "#F0776C", "#E0B13E", "#4CB782", "#8B94A3", "#23272F", "#3A414D", "#1B1E25", 0.08
)


def is_dark() -> bool:
    """Whether the visitor sees the dark theme now."""
    return st.context.theme.type == "dark"


def palette(dark: bool) -> Palette:
    """The colours of one theme."""
    return DARK if dark else LIGHT


def rgba(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def base(colours: Palette, *, height: int, left: int = 36, right: int = 8, top: int = 8, bottom: int = 28) -> go.Figure:
    figure = go.Figure()
    axis = {
        "showgrid": False,
        "zeroline": False,
        "linecolor": colours.axis,
        "tickcolor": colours.axis,
        "fixedrange": True,
    }
    figure.update_layout(
        height=height,
        margin={"l": left, "r": right, "t": top, "b": bottom},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": colours.muted},
        showlegend=False,
        hoverlabel={
            "bgcolor": colours.ground,
            "bordercolor": colours.axis,
            "font": {"family": FONT, "size": 12, "color": colours.text},
        },
        xaxis=axis,
        yaxis={**axis, "showgrid": True, "gridcolor": colours.grid, "showline": False, "ticks": ""},
        dragmode=False,
    )
    return figure


def day_axis(days: Sequence[date]) -> dict[str, Any]:
    """An axis of exactly the days drawn: Plotly would make room for labels and show a month that has not begun. Months
    name themselves once; where there are too few of them the days are named."""
    is_long = len(days) > 1 and (days[-1] - days[0]).days > MONTHS_FROM_DAYS
    return {
        "range": [days[0], days[-1]] if days else None,
        "type": "date",
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickformat": "%b" if is_long else "%-d %b",
        "nticks": 8,
    }


def plain(label: str) -> str:
    """Plotly reads a small HTML of its own: angle brackets in a name must not become markup."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def evidence(values: Sequence[float], baseline: float | None, *, dark: bool, label: str | None = None) -> go.Figure:
    """The small picture on a suggestion: a line, oldest first, its own baseline dotted, the last value named."""
    colours = palette(dark)
    figure = base(colours, height=48, left=0, right=40, top=6, bottom=6)
    is_bad = baseline is not None and bool(values) and values[-1] < baseline
    colour = colours.red if is_bad else colours.accent
    if baseline is not None:
        figure.add_hline(y=baseline, line={"color": colours.axis, "width": 1, "dash": "dot"})
    figure.add_scatter(
        x=list(range(len(values))), y=list(values), mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip"
    )
    if values:
        figure.add_scatter(
            x=[len(values) - 1],
            y=[values[-1]],
            mode="markers+text",
            text=[label or f"{values[-1]:.0f}"],
            textposition="middle right",
            marker={"color": colour, "size": 6},
            textfont={"color": colours.text, "size": 11},
            hoverinfo="skip",
            cliponaxis=False,
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def lines(
    days: Sequence[date],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    dark: bool,
    height: int = 180,
    unit: str = "",
) -> go.Figure:
    """One or more lines over days, named at their ends; the first takes the accent, the others grey and teal."""
    colours = palette(dark)
    figure = base(colours, height=height, right=92, top=10)
    inks = (colours.accent, colours.grey, "#4FB9BE" if dark else "#1B8A8F")
    ends: list[float] = []
    for (name, values), ink in zip(series, inks, strict=False):
        figure.add_scatter(
            x=list(days),
            y=list(values),
            mode="lines",
            line={"color": ink, "width": 2},
            hovertemplate=f"{name}: <b>%{{y:.0f}}</b>{unit}<extra></extra>",
        )
        last = next((value for value in reversed(list(values)) if value is not None), None)
        if last is not None:
            # two lines that end together would write their names over each other
            largest = max([abs(end) for end in ends] + [abs(last), 1.0])
            lift = -12 if any(abs(end - last) < 0.1 * largest for end in ends) else 0
            ends.append(last)
            figure.add_annotation(
                x=days[-1],
                y=last,
                text=name,
                showarrow=False,
                xanchor="left",
                xshift=6,
                yshift=lift,
                font={"color": ink, "size": 11},
            )
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(**day_axis(days))
    figure.update_yaxes(rangemode="tozero", nticks=5, **_whole([value for _, values in series for value in values]))
    return figure


def _whole(values: Sequence[float | None]) -> dict[str, Any]:
    """Counts have no halves: up to five, one tick for each."""
    largest = max((abs(value) for value in values if value is not None), default=0)
    return {"dtick": 1} if largest <= 5 else {"tickformat": ",d"}


def _of_labels(labels: Sequence[str | date]) -> dict[str, Any]:
    """Months name themselves once; where there are too few of them the days are named, each once."""
    days = [label for label in labels if isinstance(label, date)]
    if not days:
        return {}
    if (days[-1] - days[0]).days > MONTHS_FROM_DAYS:
        return {"tickformat": "%b"}
    return {"tickvals": days[:: 1 + len(days) // 8], "tickformat": "%-d %b"}


def bars(
    labels: Sequence[str | date],
    values: Sequence[float],
    *,
    dark: bool,
    height: int = 180,
    hover: str = "%{x}: <b>%{y}</b>",
) -> go.Figure:
    """Plain columns in time order, in the accent; negative ones in red."""
    colours = palette(dark)
    figure = base(colours, height=height, top=10)
    figure.add_bar(
        x=list(labels),
        y=list(values),
        marker={"color": [colours.accent if value >= 0 else colours.red for value in values]},
        hovertemplate=hover + "<extra></extra>",
    )
    figure.update_layout(bargap=0.35)
    figure.update_xaxes(showline=True, ticks="", **_of_labels(labels))
    figure.update_yaxes(nticks=5, **_whole(values))
    return figure


def add_waterfall(
    figure: go.Figure,
    steps: Sequence[tuple[str, float, str]],
    colours: Palette,
) -> None:
    """The steps as (name, amount, label): the first and the last are totals, those between go up in green and down in
    red; their sum is the last, whatever its amount says."""
    figure.add_waterfall(
        x=[name for name, _, _ in steps],
        y=[amount for _, amount, _ in steps],
        measure=["absolute", *("relative" for _ in steps[1:-1]), "total"],
        text=[label for _, _, label in steps],
        textposition="outside",
        textfont={"color": colours.text},
        cliponaxis=False,
        decreasing={"marker": {"color": colours.red}},
        increasing={"marker": {"color": colours.green}},
        totals={"marker": {"color": colours.grey}},
        connector={"line": {"color": colours.axis, "width": 1}},
        width=0.55,
        hovertemplate="%{x}: %{text}<extra></extra>",
    )


def levels(start: float, moves: Sequence[float]) -> list[float]:
    """Where the steps of a waterfall stand, its start first."""
    return list(accumulate(moves, initial=start))


def clicked(key: str) -> Any:
    """What the first clicked point of a figure carries as its `customdata`; None when it is no click.

    It comes from the browser: the caller checks it against what it drew.
    """
    try:
        given = st.session_state[key]["selection"]["points"][0]["customdata"]
        return given[0] if isinstance(given, list | tuple) else given
    except (KeyError, TypeError, IndexError):
        return None


def draw(figure: go.Figure, *, key: str, alt: str) -> None:
    """Put a figure on the page, without a tool bar and without zoom; `alt` is what a screen reader says."""
    st.plotly_chart(figure, theme=None, key=key, config=QUIET, alt=alt)
