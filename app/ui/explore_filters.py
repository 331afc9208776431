"""The filters of the question as chips that a click takes away, and the small form that adds one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial

import streamlit as st

from app.errors import AppError
from app.explore.checks import TESTS
from app.explore.marts import NUMBERS, TIMES, Column, Kind, Mart
from app.explore.question import LONGEST_VALUE, MOST_VALUES, Filter, Question, Test
from app.ui import explore_run, explore_state, figures, frame
from app.ui.text import escaped

Marts = Mapping[str, Mart]
_TESTS: Mapping[Test, str] = {
    Test.IS: "is",
    Test.IS_NOT: "is not",
    Test.CONTAINS: "contains",
    Test.FROM: "at least",
    Test.BEFORE: "less than",
    Test.EMPTY: "is empty",
    Test.FILLED: "is not empty",
}
_OF_TIMES: Mapping[Test, str] = {Test.FROM: "from", Test.BEFORE: "before"}
_POPOVER = "explore_filter_popover"
_SHOWN = 3  # values on a chip


def chips(question: Question, mart: Mart, marts: Marts, *, build_id: int) -> None:
    """One row: what is filtered, each with a way to take it away, and the form for one more."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="explore_filters"):
        for place, one in enumerate(question.filters):
            rest = tuple(other for at, other in enumerate(question.filters) if at != place)
            st.button(
                said(one, mart),
                icon=":material/close:",
                help="Take this filter away",
                key=f"explore_filter_{place}",
                on_click=partial(explore_state.put, replace(question, filters=rest), marts),
            )
        with st.popover("Filter", icon=":material/filter_alt:", key=_POPOVER, on_change="rerun"):
            if st.session_state.get(_POPOVER):
                _form(question, mart, marts, build_id=build_id)
        if len(question.filters) > 1:
            st.button(
                "Clear all",
                type="tertiary",
                key="explore_clear",
                on_click=partial(explore_state.put, replace(question, filters=()), marts),
            )


def said(one: Filter, mart: Mart) -> str:
    """A filter in words, escaped: `Segment is SMB or Mid`."""
    column = mart.columns[one.column]
    verb = (_OF_TIMES if column.kind in TIMES else _TESTS).get(one.test, _TESTS[one.test])
    shown = [_value(value, column) for value in one.values[:_SHOWN]]
    if len(one.values) > _SHOWN:
        shown.append(f"{len(one.values) - _SHOWN} more")
    return f"{escaped(column.label)} {verb} {escaped(' or '.join(shown), limit=80) if shown else ''}".strip()


def _value(value: str, column: Column) -> str:
    if column.kind in TIMES:
        try:
            return figures.full_day(date.fromisoformat(value))
        except ValueError:
            return value
    if column.kind is Kind.BOOLEAN:
        return "yes" if value == "true" else "no"
    return value or "nothing"


def _form(question: Question, mart: Mart, marts: Marts, *, build_id: int) -> None:
    names = list(mart.columns)
    column = mart.columns.get(
        st.selectbox(
            "Column",
            names,
            index=names.index(question.groups[0].column) if question.groups else 0,
            format_func=lambda name: mart.columns[name].label,
            key=f"explore_by_{mart.name}",
        )
        or ""
    )
    if column is None:
        return
    test = st.selectbox(
        "Condition",
        TESTS[column.kind],
        format_func=lambda one: (_OF_TIMES if column.kind in TIMES else _TESTS).get(one, _TESTS[one]),
        key=f"explore_test_{mart.name}_{column.name}",
    )
    if test is None:
        return
    values = _values(mart, column, test, build_id=build_id)
    st.button(
        "Add filter",
        type="primary",
        key="explore_add_filter",
        disabled=not values and test not in (Test.EMPTY, Test.FILLED),
        on_click=_add,
        args=(question, marts, Filter(column=column.name, test=test, values=values)),
    )
    frame.problem(explore_state.PLACE)


def _add(question: Question, marts: Marts, one: Filter) -> None:
    explore_state.put(replace(question, filters=(*question.filters, one)), marts)
    if frame.met(explore_state.PLACE) is None:
        st.session_state[_POPOVER] = False


def _values(mart: Mart, column: Column, test: Test, *, build_id: int) -> tuple[str, ...]:
    """What was given to compare with, as text; nothing while nothing was."""
    key = f"explore_value_{mart.name}_{column.name}_{test}"
    if test in (Test.EMPTY, Test.FILLED):
        return ()
    if column.kind is Kind.BOOLEAN:
        chosen = st.segmented_control("Value", ["true", "false"], format_func=lambda one: _value(one, column), key=key)
        return (chosen,) if chosen else ()
    if column.kind in TIMES:
        day = st.date_input("Date", value=None, key=key, min_value=date(1970, 1, 1), max_value=date(2100, 1, 1))
        return (day.isoformat(),) if isinstance(day, date) else ()
    if column.kind in NUMBERS or test is Test.CONTAINS:
        typed = st.text_input(
            "Value", key=key, max_chars=LONGEST_VALUE, placeholder="1200" if column.kind in NUMBERS else "part of it"
        )
        return (typed,) if typed else ()
    try:
        known = explore_run.values(mart, column.name, build_id=build_id)
    except AppError:  # too many rows to look through in time: it can be typed
        known = []
    chosen = st.multiselect(
        "Values",
        known,
        key=key,
        accept_new_options=True,
        max_selections=MOST_VALUES,
        placeholder="Choose or type" if known else "Type one and press Enter",
    )
    return tuple(str(one)[:LONGEST_VALUE] for one in chosen)
