"""The question, part by part: the mart with its grain, how it is drawn, groups, split and figures."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from app.explore import by_metric, checks
from app.explore.checks import OF, ROWS, SHAPES, suited, usable
from app.explore.marts import OF_ACCOUNT, Column, Kind, Mart
from app.explore.question import Dimension, Function, Measure, Question, Unit, View
from app.explore.shown import FUNCTIONS
from app.ui import explore_state, frame
from app.ui.text import escaped

Marts = Mapping[str, Mart]
VIEWS: Mapping[View, str] = {
    View.TABLE: ":material/table: Table",
    View.LINE: ":material/show_chart: Line",
    View.BAR: ":material/bar_chart: Bars",
    View.SCATTER: ":material/scatter_plot: Scatter",
    View.HEAT: ":material/grid_on: Heat map",
    View.HISTOGRAM: ":material/equalizer: Histogram",
    View.COHORT: ":material/stairs: Cohort",
    View.ROWS: ":material/list: Rows",
}
UNITS: Mapping[Unit, str] = {Unit.DAY: "Day", Unit.WEEK: "Week", Unit.MONTH: "Month", Unit.QUARTER: "Quarter"}
_PLACES: Mapping[View, tuple[str, ...]] = {
    View.LINE: ("Along",),
    View.BAR: ("One bar for each",),
    View.SCATTER: ("One point for each",),
    View.HEAT: ("Across", "Down"),
    View.HISTOGRAM: ("Distribution of",),
    View.COHORT: ("Time", "Who comes back"),
}
_NONE = "–"


def show(question: Question, mart: Mart, marts: Marts) -> None:
    """The controls for what is asked."""

    def of_mart(name: str) -> Question:
        return suited(replace(checks.first(marts[name]), view=question.view), marts[name])

    _metric(question, marts)
    st.selectbox(
        "Mart",
        list(marts),
        format_func=lambda name: marts[name].label,
        **explore_state.control("explore_mart", question.mart, of_mart, marts),
    )
    _about(mart)
    if question.view is View.ROWS:
        frame.aside("Rows as they are, every column of the mart. Filter them above.")
        return
    _groups(question, mart, marts)
    if SHAPES[question.view].may_split:
        _split(question, mart, marts)
    if SHAPES[question.view].measures[1]:
        _measures(question, mart, marts)


def _metric(question: Question, marts: Marts) -> None:
    """A number to start from: its mart and how it is reckoned come with it."""
    known = by_metric.offered(marts)
    shown = by_metric.of_question(question)
    is_known = shown is not None and shown.metric_id in known
    st.selectbox(
        "Number",
        list(known),
        index=None,
        format_func=lambda metric_id: known[metric_id].name,
        placeholder="MRR, health, first reply …",
        help="Find one by its name: the question is made for it. Or begin with a mart below.",
        **explore_state.control(
            "explore_metric",
            shown.metric_id if shown is not None and is_known else None,
            lambda metric_id: by_metric.question(known[metric_id], marts) if metric_id else None,
            marts,
        ),
    )
    if shown is not None and is_known:
        unit = "" if shown.unit in shown.definition else f" ({shown.unit})"
        frame.aside(f"{shown.definition}{unit}")


def views(question: Question, mart: Mart, marts: Marts) -> None:
    """How it is drawn."""

    whole = explore_state.full(question)

    def of_view(chosen: View | None) -> Question | None:
        return suited(replace(whole, view=View(chosen)), mart) if chosen else None

    st.segmented_control(
        "Shown as",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
        wrap=True,
        **explore_state.control("explore_view", question.view, of_view, marts),
    )


def _about(mart: Mart) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="xsmall"):
        st.markdown(f":small[:gray[{escaped(mart.grain or 'Not described')}]]", width=205)
        with st.popover(
            "", icon=":material/info:", type="tertiary", help="Columns and what they mean", width="content"
        ):
            st.markdown(f"**{escaped(mart.name)}** {escaped(mart.description, limit=600)}")
            own = [one for one in mart.columns.values() if not one.name.startswith(OF_ACCOUNT)]
            lines = (
                f"- **{escaped(one.name)}** :gray[{one.kind}]"
                + (f" :small[{escaped(one.description, limit=200)}]" if one.description else "")
                for one in own
            )
            with st.container(height=320, border=False):
                st.markdown("\n".join(lines))


def _columns(mart: Mart, kinds: frozenset[Kind]) -> dict[str, Column]:
    return {name: column for name, column in mart.columns.items() if column.kind in kinds}


def _groups(question: Question, mart: Mart, marts: Marts) -> None:
    if question.view is View.TABLE:
        _many_groups(question, mart, marts)
        return
    for place, one in enumerate(question.groups):
        choices = _columns(mart, usable(question.view, place))

        def of_column(name: str, place: int = place) -> Question:
            groups = list(question.groups)
            groups[place] = checks.dimension_of(mart.columns[name], groups[place].unit)
            return suited(replace(question, groups=tuple(groups)), mart)

        st.selectbox(
            _PLACES[question.view][place],
            list(choices),
            format_func=lambda name, choices=choices: choices[name].label,
            **explore_state.control(f"explore_group_{place}", one.column, of_column, marts),
        )
        _unit(question, marts, one, place)


def _many_groups(question: Question, mart: Mart, marts: Marts) -> None:
    choices = _columns(mart, usable(View.TABLE, 0))
    units = {one.column: one.unit for one in question.groups}

    def of_columns(names: list[str]) -> Question:
        groups = tuple(checks.dimension_of(mart.columns[name], units.get(name)) for name in names)
        split = question.split if question.split and question.split.column not in names else None
        return replace(question, groups=groups, split=split)

    st.multiselect(
        "Group by",
        list(choices),
        format_func=lambda name: choices[name].label,
        max_selections=SHAPES[View.TABLE].groups[1],
        placeholder="Everything together",
        **explore_state.control("explore_groups", [one.column for one in question.groups], of_columns, marts),
    )
    for place, one in enumerate(question.groups):
        _unit(question, marts, one, place, name=mart.columns[one.column].label)


def _unit(question: Question, marts: Marts, one: Dimension, place: int, name: str = "") -> None:
    """Day, week, month or quarter of a time."""
    if one.unit is None:
        return

    def of_unit(chosen: Unit | None) -> Question | None:
        if not chosen:
            return None
        groups = list(question.groups)
        groups[place] = replace(one, unit=Unit(chosen))
        return replace(question, groups=tuple(groups))

    st.segmented_control(
        f"{name} by" if name else "By",
        list(UNITS),
        format_func=UNITS.__getitem__,
        label_visibility="visible" if name else "collapsed",
        wrap=True,
        **explore_state.control(f"explore_unit_{place}", one.unit, of_unit, marts),
    )


def _split(question: Question, mart: Mart, marts: Marts) -> None:
    taken = {one.column for one in question.groups}
    choices = {name: one for name, one in _columns(mart, usable(View.TABLE, 0)).items() if name not in taken}
    held = question.split.column if question.split else _NONE

    def of_split(name: str) -> Question:
        split = checks.dimension_of(mart.columns[name]) if name != _NONE else None
        return replace(question, split=split)

    st.selectbox(
        "Split by",
        [_NONE, *choices],
        format_func=lambda name: "Not split" if name == _NONE else choices[name].label,
        **explore_state.control("explore_split", held, of_split, marts),
    )


def _measures(question: Question, mart: Mart, marts: Marts) -> None:
    most = SHAPES[question.view].measures[1]
    titles = ("Across", "Up") if question.view is View.SCATTER else ("Figure",) + ("And",) * (most - 1)
    for place, one in enumerate(question.measures):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            _measure(question, mart, marts, place, one, titles[place])
            if len(question.measures) > SHAPES[question.view].measures[0]:
                rest = tuple(other for at, other in enumerate(question.measures) if at != place)
                st.button(
                    "",
                    icon=":material/close:",
                    type="tertiary",
                    help="Take this figure away",
                    key=f"explore_less_{place}",
                    on_click=partial(explore_state.put, replace(question, measures=rest), marts),
                )
    if len(question.measures) < most:
        more = next(
            (one for one in (ROWS, *_possible(mart)) if one not in question.measures),
            None,
        )
        if more is not None:
            st.button(
                "Add a figure",
                icon=":material/add:",
                type="tertiary",
                key="explore_more",
                on_click=partial(explore_state.put, replace(question, measures=(*question.measures, more)), marts),
            )


def _possible(mart: Mart) -> list[Measure]:
    kinds = OF[Function.SUM]
    return [
        *(Measure(function=Function.SUM, column=name) for name in _columns(mart, kinds)),
        *(Measure(function=Function.DISTINCT, column=name) for name in _columns(mart, OF[Function.DISTINCT])),
    ]


def _measure(question: Question, mart: Mart, marts: Marts, place: int, one: Measure, title: str) -> None:
    functions = [each for each in Function if each is Function.COUNT or _columns(mart, OF[each])]

    def changed(made: Measure) -> Question:
        measures = tuple(made if at == place else other for at, other in enumerate(question.measures))
        return suited(replace(question, measures=measures), mart)

    def of_function(chosen: Function) -> Question:
        function = Function(chosen)
        fitting = _columns(mart, OF[function])
        column = one.column if one.column in fitting else next(iter(fitting), None)
        return changed(Measure(function=function, column=column))

    st.selectbox(
        title,
        functions,
        format_func=FUNCTIONS.__getitem__,
        **explore_state.control(f"explore_function_{place}", one.function, of_function, marts),
    )
    if one.column is None:
        return
    fitting = _columns(mart, OF[one.function])
    st.selectbox(
        "of column",
        list(fitting),
        format_func=lambda name: fitting[name].label,
        **explore_state.control(
            f"explore_of_{place}",
            one.column,
            lambda name: changed(Measure(function=one.function, column=mart.columns[name].name)),
            marts,
        ),
    )
