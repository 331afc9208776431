"""The funnel from suggestion to measured outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.suggestions.report import Outcomes
from app.ui import charts


@dataclass(frozen=True)
class Step:
    """How many came this far, of those of the step before."""

    name: str
    count: int
    of: int | None


def steps(whole: Outcomes) -> list[Step]:
    """Raised, shown, accepted, measured, cleared; the last two are about 30 days after what was shown."""
    counts = [
        ("Raised", whole.raised),
        ("Shown", whole.shown),
        ("Accepted", whole.accepted),
        ("Measured after 30 days", whole.measured),
        ("Trigger cleared", whole.cleared),
    ]
    before = {"Shown": whole.raised, "Accepted": whole.shown, "Measured after 30 days": whole.shown}
    before["Trigger cleared"] = whole.measured
    return [Step(name, count, before.get(name)) for name, count in counts]


def funnel(rows: Sequence[Step], *, dark: bool) -> go.Figure:
    """One bar a step, the share of the step it counts from beside it."""
    colours = charts.palette(dark)
    figure = charts.base(colours, height=30 * len(rows) + 8, left=158, right=120, top=2, bottom=2)
    names = [row.name for row in rows]
    figure.add_bar(
        y=names,
        x=[row.count for row in rows],
        orientation="h",
        width=0.6,
        marker={"color": colours.accent},
        hoverinfo="skip",
    )
    for row in rows:
        share = f" · {row.count / row.of:.0%}" if row.of else ""
        figure.add_annotation(
            y=row.name,
            x=row.count,
            text=f"<b>{row.count:,}</b>{share}",
            showarrow=False,
            xanchor="left",
            xshift=6,
            font={"color": colours.text},
        )
    figure.update_xaxes(visible=False, rangemode="tozero")
    figure.update_yaxes(
        showgrid=False,
        ticks="outside",
        ticklen=6,
        tickcolor="rgba(0,0,0,0)",
        autorange="reversed",
        tickfont={"color": colours.text},
    )
    return figure
