"""Pictures of health: the score over time above its bands, and what moved it between two days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from app.ui import charts, figures

HEALTH_BANDS = (("R", 0.0, 50.0), ("Y", 50.0, 75.0), ("G", 75.0, 100.0))
LETTER_SHARE = 0.009  # of the width of the history that a letter of a label takes


def bands(figure: go.Figure, colours: charts.Palette, low: float, high: float) -> None:
    for letter, start, end in HEALTH_BANDS:
        bottom, top = max(start, low), min(end, high)
        if bottom < top:
            figure.add_hrect(
                y0=bottom, y1=top, fillcolor=colours.band(letter), opacity=colours.tint, line_width=0, layer="below"
            )
            figure.add_annotation(
                x=0.008,
                xref="paper",
                y=top,
                yshift=-13,
                text=f"<b>{letter}</b>",
                showarrow=False,
                font={"size": 11, "color": colours.band(letter)},
                xanchor="left",
                bgcolor=charts.rgba(colours.ground, 0.8),
                borderpad=1,
            )


@dataclass(frozen=True)
class Marker:
    """A vertical line on the health history: an action done, or a change of the score's configuration."""

    at: date
    label: str
    is_configuration: bool = False


def health_history(
    days: Sequence[date], scores: Sequence[float | None], markers: Sequence[Marker], *, dark: bool
) -> go.Figure:
    """Health score over time above its bands, oldest first, the last value written at the end of the line."""
    colours = charts.palette(dark)
    figure = charts.base(colours, height=214, right=34, top=26)
    known = [(at, score) for at, score in zip(days, scores, strict=True) if score is not None]
    low = 0.0 if not known else max(0.0, min(20.0, (min(score for _, score in known) // 10) * 10 - 5))
    bands(figure, colours, low, 100)
    figure.add_scatter(
        x=list(days),
        y=list(scores),
        mode="lines",
        line={"color": colours.accent, "width": 2},
        hovertemplate="%{x|%a %-d %b}: <b>%{y:.0f}</b><extra></extra>",
    )
    if known:
        at, score = known[-1]
        letter = next(name for name, start, end in HEALTH_BANDS if score <= end or name == "G")
        figure.add_scatter(
            x=[at],
            y=[score],
            mode="markers+text",
            text=[f"<b>{score:.0f}</b>"],
            textposition="middle right",
            marker={"color": colours.band(letter), "size": 8},
            textfont={"color": colours.band(letter), "size": 13},
            hoverinfo="skip",
            cliponaxis=False,
        )
    for marker in markers:
        figure.add_vline(
            x=marker.at,
            line={"color": colours.axis, "width": 1, "dash": "dash" if marker.is_configuration else "solid"},
        )
    for near in near_markers(markers, days):
        more = f" +{len(near) - 1}" if len(near) > 1 else ""
        figure.add_annotation(
            x=near[0].at,
            y=1,
            yref="paper",
            yanchor="bottom",
            text=charts.plain(near[0].label) + more,
            hovertext="<br>".join(f"{one.at:%-d %b}: {charts.plain(one.label)}" for one in near),
            showarrow=False,
            font={"size": 11},
        )
    figure.update_xaxes(**charts.day_axis(days))
    figure.update_yaxes(range=[low, 100], tickvals=[25, 50, 75, 100], showgrid=False)
    return figure


def near_markers(markers: Sequence[Marker], days: Sequence[date]) -> list[list[Marker]]:
    """Markers in groups of those whose labels would lie on each other, oldest first."""
    groups: list[list[Marker]] = []
    span = max((days[-1] - days[0]).days, 1) if days else 1
    for marker in sorted(markers, key=lambda one: one.at):
        width = LETTER_SHARE * (len(groups[-1][0].label) + len(marker.label) + 6) / 2 if groups else 0.0
        if groups and (marker.at - groups[-1][0].at).days / span < width:
            groups[-1].append(marker)
        else:
            groups.append([marker])
    return groups


def waterfall(
    start: tuple[str, float], moves: Sequence[tuple[str, float]], end: tuple[str, float], *, dark: bool
) -> go.Figure:
    """From one score to another through the measures that moved it, in the order given; the steps add up exactly."""
    colours = charts.palette(dark)
    figure = charts.base(colours, height=212, top=22)
    floor = waterfall_floor(start[1], [delta for _, delta in moves])
    steps = [(name, delta, figures.signed(delta, 0 if abs(delta) >= 0.5 else 1)) for name, delta in moves]
    charts.add_waterfall(figure, [(*start, f"{start[1]:.0f}"), *steps, (*end, f"{end[1]:.0f}")], colours)
    figure.update_xaxes(showline=True, ticks="", tickangle=0, automargin=False)
    top = max(charts.levels(start[1], [delta for _, delta in moves]))
    figure.update_yaxes(nticks=5, range=[floor, top + (top - floor) * 0.04])
    return figure


def waterfall_floor(start: float, deltas: Sequence[float]) -> float:
    """Where the waterfall's axis begins: 0, or higher when the steps would be too flat to see."""
    levels = charts.levels(start, deltas)
    spread = max(levels) - min(levels)
    return 0.0 if spread >= 15 else max(0.0, float(int(min(levels) - max(spread, 2.0))))
