"""What rests on what, as a picture to click through: a step in the middle, what it is made of to its left, what reads
it to its right, each with how fresh its sources are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from app.marts.lineage import READER, Lineage, lineage
from app.marts.proof import Step
from app.marts.sources import Freshness, SourceFreshness
from app.marts.version import reading_build
from app.ui import charts, figures, frame, page_style, tables, visit, words
from app.ui.text import escaped

START = "dim_accounts"
_NODE, _KEY = "node", "lineage_picture"
_TITLES = ("Which is made of", "Made of", "This step", "Read by")
_ORDER = {"marts": 0, READER: 1, "intermediate": 2, "staging": 3}
_MOST = 16  # steps above each other
_ROW = 26
_WORST = (Freshness.STALE, Freshness.LATE, Freshness.FRESH)
_SIGNS = {Freshness.FRESH: "circle", Freshness.LATE: "triangle-up", Freshness.STALE: "x"}


@dataclass(frozen=True)
class Placed:
    """A step in the picture: its column, its row (0 on top), and the state of the worst source below it."""

    step: Step
    column: int
    row: float
    state: Freshness


@st.cache_data(max_entries=4, show_spinner=False)
def _read(build_id: int, scope: str) -> Lineage:
    with reading_build(build_id) as db:
        return lineage(db)


@frame.panel
def show(states: Sequence[SourceFreshness]) -> None:
    """The picture around the step that the address names, and what is known of that step."""
    here = visit.current()
    if here.publication is None:
        return
    known = _read(here.build_id, here.identity.role)
    with st.container(border=True, gap="xsmall", key="lineage"):
        frame.heading("What rests on what", "click a step to go there")
        if not any(step.reads for step in known.steps.values()):
            frame.aside("The picture comes with the next build: this one was published before it was kept.")
            return
        names = sorted(known.steps, key=lambda name: (_ORDER.get(known.steps[name].layer, len(_ORDER)), name))
        start = names.index(START) if START in names else 0
        name = st.selectbox("Step", names, index=start, key=_NODE, bind="query-params", width=420)
        fresh = {one.source: one.state for one in states}
        placed = place(known, name, fresh)
        drawn = picture(known, placed, name, dark=charts.is_dark(), room=page_style.room())
        st.plotly_chart(
            drawn,
            theme=None,
            key=_KEY,
            on_select=partial(_clicked, names),
            selection_mode=("points",),
            config=charts.QUIET,
            alt=f"What {name} is made of, and what reads it",
        )
        st.markdown(_about(known, known.steps[name], fresh))


def _clicked(names: Sequence[str]) -> None:
    """Callback: a click on the picture names its step; what no picture sends is left out."""
    named = charts.clicked(_KEY)
    if named in names:
        st.session_state[_NODE] = named


def state_of(known: Lineage, name: str, fresh: Mapping[str, Freshness]) -> Freshness:
    """The worst state among the sources that a step rests on; what the application writes is never late."""
    found = {fresh.get(source, Freshness.FRESH) for source in _sources(known, name)}
    return next((state for state in _WORST if state in found), Freshness.FRESH)


def _sources(known: Lineage, name: str) -> list[str]:
    """Sources below a step, in the order of their names."""
    raw = [one for one in (name, *known.above(name)) if known.steps[one].layer == "raw"]
    return sorted({one.partition(".")[0].removeprefix("raw_") for one in raw if one.startswith("raw_")})


def _columns(known: Lineage, name: str) -> list[list[str]]:
    """Two columns of what a step is made of, the step itself, and what reads it."""
    parents = list(known.steps[name].reads)
    before = [one for parent in parents for one in known.steps[parent].reads if one not in parents]
    return [list(dict.fromkeys(before)), parents, [name], list(known.readers.get(name, ()))]


def _title(title: str, count: int) -> str:
    return f"{title}, {_MOST} of {count}" if count > _MOST else title


def place(known: Lineage, name: str, fresh: Mapping[str, Freshness]) -> list[Placed]:
    """The steps of the picture, at most `_MOST` in each column."""
    columns = [column[:_MOST] for column in _columns(known, name)]
    height = max(len(column) for column in columns)
    return [
        Placed(known.steps[one], at, row + (height - len(column)) / 2, state_of(known, one, fresh))
        for at, column in enumerate(columns)
        for row, one in enumerate(column)
    ]


def picture(known: Lineage, placed: Sequence[Placed], name: str, *, dark: bool, room: int) -> go.Figure:
    """Steps as marks with their names, lines from what is read to what reads; the form of a mark says its state too."""
    colours = charts.palette(dark)
    tint = {Freshness.FRESH: colours.green, Freshness.LATE: colours.yellow, Freshness.STALE: colours.red}
    height = max(one.row for one in placed) + 1
    figure = charts.base(colours, height=int(_ROW * height) + 44, left=12, top=30, bottom=6)
    at = {one.step.name: (one.column, one.row) for one in placed}
    for one in placed:
        for parent in one.step.reads:
            if parent in at and at[parent][0] == one.column - 1:
                (x0, y0), (x1, y1) = at[parent], (one.column, one.row)
                figure.add_shape(
                    type="path", layer="below", line={"color": colours.axis, "width": 1},
                    path=f"M {x0 + 0.9},{y0} C {x0 + 0.97},{y0} {x1 - 0.12},{y1} {x1 - 0.03},{y1}",
                )  # fmt: skip
    width = room // 4 - 34
    figure.add_scatter(
        x=[one.column for one in placed],
        y=[one.row for one in placed],
        mode="markers+text",
        marker={
            "symbol": [_SIGNS[one.state] for one in placed],
            "size": 9,
            "color": [tint[one.state] for one in placed],
        },
        text=[_label(one, name, width) for one in placed],
        textposition="middle right",
        textfont={"color": colours.text},
        unselected={"marker": {"opacity": 1}, "textfont": {"color": colours.text}},
        customdata=[one.step.name for one in placed],
        hovertext=[f"{one.step.name}<br>{one.step.layer}, {_STATE_WORDS[one.state]}" for one in placed],
        hoverinfo="text",
        cliponaxis=False,
    )
    columns, whole = sorted({one.column for one in placed}), [len(column) for column in _columns(known, name)]
    figure.update_xaxes(
        range=[-0.05, 4], side="top", showline=False, ticks="", tickvals=[column + 0.3 for column in columns],
        ticktext=[_title(_TITLES[column], whole[column]) for column in columns],
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[height - 0.4, -0.6])
    figure.update_layout(clickmode="event+select")
    return figure


_STATE_WORDS = {
    Freshness.FRESH: "its sources are fresh",
    Freshness.LATE: "rests on a source that is late",
    Freshness.STALE: "rests on a source that is stale",
}


def _label(one: Placed, name: str, width: int) -> str:
    said = charts.plain(tables.fitted(one.step.name, width))
    return f"<b>{said}</b>" if one.step.name == name else said


def _about(known: Lineage, step: Step, fresh: Mapping[str, Freshness]) -> str:
    """What a step is, in a few lines of our own Markdown."""
    state = state_of(known, step.name, fresh)
    sources = [words.word(words.SOURCE_SYSTEMS, source) for source in _sources(known, step.name)]
    below = list(known.below(step.name))
    waiting = sorted(one for one in below if known.steps[one].layer == READER)
    lines = [f"**{escaped(step.name)}** :gray[{_kind(step)}] {_BADGES[state]}"]
    if step.tests:
        lines.append(f"{figures.count(step.tests, 'data test')} passed before this build was published")
    if step.path:
        lines.append(f":gray[File] `{step.path}` :gray[digest] `{step.digest}`")
    if sources:
        lines.append(f":gray[Rests on] {_listed(sources)}")
    if waiting:
        verb = "Held up by it" if state is not Freshness.FRESH else "What rests on it"
        lines.append(f":gray[{verb}:] {_listed(waiting)}")
    return "  \n".join(lines)


_BADGES = {
    Freshness.FRESH: ":green-badge[:material/check: fresh]",
    Freshness.LATE: ":orange-badge[:material/schedule: late]",
    Freshness.STALE: ":red-badge[:material/error: stale]",
}


def _kind(step: Step) -> str:
    if step.layer == "raw":
        return "table as loaded"
    return {READER: "reads the marts", "marts": "mart"}.get(step.layer, step.layer.rstrip("s"))


def _listed(names: Iterable[str]) -> str:
    return "; ".join(escaped(name) for name in names)
