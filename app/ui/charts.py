"""Every Plotly figure of the pages, in our own colours: Streamlit's chart theme is off (`theme=None`).

Figures are built from plain values, know nothing of the database, and are light or dark by the argument `dark`, since
Plotly draws on a canvas that no stylesheet reaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.ui import figures, words

FONT = "Inter, Helvetica Neue, Arial, sans-serif"
HEALTH_BANDS = (("R", 0.0, 50.0), ("Y", 50.0, 75.0), ("G", 75.0, 100.0))
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


LIGHT = Palette("#1B1F27", "#565F6D", "#3B57D0", "#C8372D", "#C28A0B", "#1F8A55", "#6B7482", "#ECEEF2", "#C9CED6", "#FFFFFF", 0.06)
DARK = Palette("#E4E7EC", "#A0A8B6", "#8196F2", "#F0776C", "#E0B13E", "#4CB782", "#8B94A3", "#23272F", "#3A414D", "#1B1E25", 0.08)


def is_dark() -> bool:
    """Whether the visitor sees the dark theme now."""
    return st.context.theme.type == "dark"


def palette(dark: bool) -> Palette:
    """The colours of one theme."""
    return DARK if dark else LIGHT


def _rgba(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def _figure(colours: Palette, *, height: int, left: int = 36, right: int = 8, top: int = 8, bottom: int = 28) -> go.Figure:
    figure = go.Figure()
    axis = {"showgrid": False, "zeroline": False, "linecolor": colours.axis, "tickcolor": colours.axis, "fixedrange": True}
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


def _bands(figure: go.Figure, colours: Palette, low: float, high: float) -> None:
    for letter, start, end in HEALTH_BANDS:
        bottom, top = max(start, low), min(end, high)
        if bottom < top:
            figure.add_hrect(y0=bottom, y1=top, fillcolor=colours.band(letter), opacity=colours.tint, line_width=0, layer="below")
            figure.add_annotation(
                x=0.008, xref="paper", y=top, yshift=-13, text=f"<b>{letter}</b>", showarrow=False,
                font={"size": 11, "color": colours.band(letter)}, xanchor="left", bgcolor=_rgba(colours.ground, 0.8), borderpad=1,
            )  # fmt: skip


@dataclass(frozen=True)
class Marker:
    """A vertical line on the health history: an action done, or a change of the score's configuration."""

    at: date
    label: str
    is_configuration: bool = False


def health_history(days: Sequence[date], scores: Sequence[float | None], markers: Sequence[Marker], *, dark: bool) -> go.Figure:
    """Health score over time above its bands, oldest first, the last value written at the end of the line."""
    colours = palette(dark)
    figure = _figure(colours, height=214, right=34, top=26)
    known = [(at, score) for at, score in zip(days, scores, strict=True) if score is not None]
    low = 0.0 if not known else max(0.0, min(20.0, (min(score for _, score in known) // 10) * 10 - 5))
    _bands(figure, colours, low, 100)
    figure.add_scatter(
        x=list(days), y=list(scores), mode="lines", line={"color": colours.accent, "width": 2},
        hovertemplate="%{x|%a %-d %b}: <b>%{y:.0f}</b><extra></extra>",
    )  # fmt: skip
    if known:
        at, score = known[-1]
        letter = next(name for name, start, end in HEALTH_BANDS if score <= end or name == "G")
        figure.add_scatter(
            x=[at], y=[score], mode="markers+text", text=[f"<b>{score:.0f}</b>"], textposition="middle right",
            marker={"color": colours.band(letter), "size": 8}, textfont={"color": colours.band(letter), "size": 13},
            hoverinfo="skip", cliponaxis=False,
        )  # fmt: skip
    for marker in markers:
        figure.add_vline(x=marker.at, line={"color": colours.axis, "width": 1, "dash": "dash" if marker.is_configuration else "solid"})
        figure.add_annotation(
            x=marker.at, y=1, yref="paper", yanchor="bottom", text=_plain(marker.label), showarrow=False, font={"size": 11},
        )  # fmt: skip
    figure.update_xaxes(range=_days_range(days), type="date", showline=True, ticks="outside", ticklen=4, tickformat="%b", nticks=9)
    figure.update_yaxes(range=[low, 100], tickvals=[25, 50, 75, 100], showgrid=False)
    return figure


def _days_range(days: Sequence[date]) -> list[date] | None:
    """Exactly the days drawn: Plotly would make room for labels and show a month that has not begun."""
    return [days[0], days[-1]] if days else None


def _plain(label: str) -> str:
    """Plotly reads a small HTML of its own: angle brackets in a name must not become markup."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def waterfall(start: tuple[str, float], moves: Sequence[tuple[str, float]], end: tuple[str, float], *, dark: bool) -> go.Figure:
    """From one score to another through the measures that moved it, in the order given; the steps add up exactly."""
    colours = palette(dark)
    figure = _figure(colours, height=212, top=22)
    floor = waterfall_floor(start[1], [delta for _, delta in moves])
    figure.add_waterfall(
        x=[start[0], *(label for label, _ in moves), end[0]],
        y=[start[1], *(delta for _, delta in moves), end[1]],
        measure=["absolute", *("relative" for _ in moves), "total"],
        text=[f"{start[1]:.0f}", *(figures.signed(delta) if abs(delta) >= 0.5 else figures.signed(delta, 1) for _, delta in moves), f"{end[1]:.0f}"],
        textposition="outside",
        textfont={"color": colours.text},
        cliponaxis=False,
        decreasing={"marker": {"color": colours.red}},
        increasing={"marker": {"color": colours.green}},
        totals={"marker": {"color": colours.grey}},
        connector={"line": {"color": colours.axis, "width": 1}},
        width=0.55,
        hovertemplate="%{x}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(showline=True, ticks="", tickangle=0, automargin=False)
    top = max(_levels(start[1], [delta for _, delta in moves]))
    figure.update_yaxes(nticks=5, range=[floor, top + (top - floor) * 0.04])
    return figure


def _levels(start: float, deltas: Sequence[float]) -> list[float]:
    levels = [start]
    for delta in deltas:
        levels.append(levels[-1] + delta)
    return levels


def waterfall_floor(start: float, deltas: Sequence[float]) -> float:
    """Where the waterfall's axis begins: 0, or higher when the steps would be too flat to see."""
    levels = _levels(start, deltas)
    spread = max(levels) - min(levels)
    return 0.0 if spread >= 15 else max(0.0, float(int(min(levels) - max(spread, 2.0))))


def evidence(values: Sequence[float], baseline: float | None, *, dark: bool, label: str | None = None) -> go.Figure:
    """The small picture on a suggestion: a line, oldest first, its own baseline dotted, the last value named."""
    colours = palette(dark)
    figure = _figure(colours, height=48, left=0, right=40, top=6, bottom=6)
    is_bad = baseline is not None and bool(values) and values[-1] < baseline
    colour = colours.red if is_bad else colours.accent
    if baseline is not None:
        figure.add_hline(y=baseline, line={"color": colours.axis, "width": 1, "dash": "dot"})
    figure.add_scatter(x=list(range(len(values))), y=list(values), mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip")
    if values:
        figure.add_scatter(
            x=[len(values) - 1], y=[values[-1]], mode="markers+text", text=[label or f"{values[-1]:.0f}"],
            textposition="middle right", marker={"color": colour, "size": 6}, textfont={"color": colours.text, "size": 11},
            hoverinfo="skip", cliponaxis=False,
        )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def portfolio_map(accounts: pd.DataFrame, *, dark: bool, height: int = 452) -> go.Figure:
    """Health against days to renewal, size = MRR: one trace per band, so that band R keeps its diamonds.

    `accounts` needs account_key, account_name, health_score, health_band, days_to_renewal and mrr_eur. Rows without a
    score or a renewal date are not drawn. Each point carries its account_key as customdata, which a selection returns.
    """
    colours = palette(dark)
    figure = _figure(colours, height=height, left=30, bottom=40)
    drawn = accounts.dropna(subset=["health_score", "days_to_renewal"])
    _bands(figure, colours, 0, 100)
    largest = max(float(drawn["mrr_eur"].max()), 1.0) if len(drawn) else 1.0
    for letter in ("–", "G", "Y", "R"):
        rows = drawn[drawn["health_band"].map(words.band_letter) == letter]
        if not len(rows):
            continue
        figure.add_scatter(
            x=rows["days_to_renewal"].tolist(),
            y=rows["health_score"].astype(float).tolist(),
            mode="markers",
            marker={
                "color": colours.band(letter),
                "opacity": 0.62,
                "symbol": "diamond" if letter == "R" else "circle",
                "size": [5 + 19 * (float(mrr) / largest) ** 0.5 for mrr in rows["mrr_eur"]],
                "line": {"width": 0},
            },
            customdata=[[key, _plain(name), figures.money(mrr).replace("\\", "")] for key, name, mrr in zip(rows["account_key"], rows["account_name"], rows["mrr_eur"], strict=True)],
            hovertemplate="<b>%{customdata[1]}</b><br>health %{y:.0f} · renewal in %{x} d · %{customdata[2]} MRR<extra></extra>",
            name=words.BAND_NAMES[letter],
        )  # fmt: skip
    figure.update_xaxes(title={"text": "days to renewal", "standoff": 6}, tickvals=[0, 90, 180, 270, 360], showline=True, ticks="outside", ticklen=4, range=[-10, 376], fixedrange=False)
    figure.update_yaxes(range=[0, 102], tickvals=[0, 50, 75], showgrid=False, fixedrange=False)
    figure.update_layout(dragmode="select", selectdirection="any", newselection={"line": {"color": colours.accent, "width": 1}})
    return figure


def workload_bars(rows: pd.DataFrame, *, dark: bool) -> go.Figure:
    """Open work per CSM: overdue, the rest of the open actions, one bar each, longest on top.

    `rows` needs owner_name, open_count and overdue_count; height grows with the number of people.
    """
    colours = palette(dark)
    figure = _figure(colours, height=28 * max(len(rows), 1) + 16, left=112, right=36, top=4, bottom=4)
    ordered = rows.sort_values("open_count", kind="stable")
    names = [_plain(name) for name in ordered["owner_name"]]
    rest = (ordered["open_count"] - ordered["overdue_count"]).tolist()
    figure.add_bar(y=names, x=ordered["overdue_count"].tolist(), orientation="h", marker={"color": colours.red}, width=0.5, name="overdue", hovertemplate="%{y}: %{x} overdue<extra></extra>")
    figure.add_bar(y=names, x=rest, orientation="h", marker={"color": colours.accent}, width=0.5, name="open", hovertemplate="%{y}: %{x} open, not overdue<extra></extra>")
    for name, total in zip(names, ordered["open_count"], strict=True):
        figure.add_annotation(y=name, x=total, text=f"{total}", showarrow=False, xanchor="left", xshift=6, font={"color": colours.text})
    figure.update_layout(barmode="stack")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(showgrid=False, ticks="")
    return figure


def lines(days: Sequence[date], series: Sequence[tuple[str, Sequence[float | None]]], *, dark: bool, height: int = 180, unit: str = "") -> go.Figure:
    """One or more lines over days, named at their ends; the first takes the accent, the others grey and teal."""
    colours = palette(dark)
    figure = _figure(colours, height=height, right=92, top=10)
    inks = (colours.accent, colours.grey, "#4FB9BE" if dark else "#1B8A8F")
    ends: list[float] = []
    for (name, values), ink in zip(series, inks, strict=False):
        figure.add_scatter(x=list(days), y=list(values), mode="lines", line={"color": ink, "width": 2}, hovertemplate=f"{name}: <b>%{{y:.0f}}</b>{unit}<extra></extra>")
        last = next((value for value in reversed(list(values)) if value is not None), None)
        if last is not None:
            # two lines that end together would write their names over each other
            largest = max([abs(end) for end in ends] + [abs(last), 1.0])
            lift = -12 if any(abs(end - last) < 0.1 * largest for end in ends) else 0
            ends.append(last)
            figure.add_annotation(
                x=days[-1], y=last, text=name, showarrow=False, xanchor="left", xshift=6, yshift=lift,
                font={"color": ink, "size": 11},
            )  # fmt: skip
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(range=_days_range(days), type="date", showline=True, ticks="outside", ticklen=4, tickformat="%b", nticks=8)
    figure.update_yaxes(rangemode="tozero", nticks=5)
    return figure


def bars(labels: Sequence[str | date], values: Sequence[float], *, dark: bool, height: int = 180, hover: str = "%{x}: <b>%{y}</b>") -> go.Figure:
    """Plain columns in time order, in the accent; negative ones in red."""
    colours = palette(dark)
    figure = _figure(colours, height=height, top=10)
    figure.add_bar(x=list(labels), y=list(values), marker={"color": [colours.accent if value >= 0 else colours.red for value in values]}, hovertemplate=hover + "<extra></extra>")
    figure.update_layout(bargap=0.35)
    figure.update_xaxes(showline=True, ticks="", tickformat="%b" if labels and isinstance(labels[0], date) else None)
    figure.update_yaxes(nticks=5)
    return figure


def draw(figure: go.Figure, *, key: str, alt: str) -> None:
    """Put a figure on the page, without a tool bar and without zoom; `alt` is what a screen reader says."""
    st.plotly_chart(figure, theme=None, key=key, config=QUIET, alt=alt)
