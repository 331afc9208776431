"""The question on the page is the one in the address: Back, a reload and a shared link ask it again.

Controls hold nothing of their own. Before each is drawn it is given what the question says; a click makes the next
question and writes it into the address, and only there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app.errors import AppError, InvalidInput
from app.explore import by_metric, checks, question
from app.explore.marts import Mart
from app.explore.question import Question
from app.ui import frame

PARAMETER = "question"
PLACE = "explore"
_HELD = "explore:held"
_METRIC = "metric"  # of the address: a number to start from, until something is clicked
_START = "health_score"
_FULL = "explore:full"


def begin(marts: Mapping[str, Mart]) -> Question:
    """The question of the address, or of the number it names; without one, the first one. What cannot be read or asked
    is said in a sentence, and the last question stays."""
    given = st.query_params.get(PARAMETER)
    start = _start(marts)
    if not given:
        st.session_state.pop(_HELD, None)
        return start
    try:
        asked = question.read(given)
        checks.checked(asked, marts)
    except InvalidInput as error:
        frame.explain(error)
        return _last(marts) or start
    st.session_state[_HELD] = given
    return asked


def full(asked: Question) -> Question:
    """The question with the groups and figures that were asked of the same mart before a view that takes no figure, so
    that looking at rows or a histogram for a moment loses nothing."""
    held: Question | None = st.session_state.get(_FULL)
    if asked.measures:
        st.session_state[_FULL] = asked
    elif held and held.mart == asked.mart:
        return replace(asked, groups=held.groups, measures=held.measures, split=held.split)
    return asked


def _start(marts: Mapping[str, Mart]) -> Question:
    known = by_metric.offered(marts)
    named = st.query_params.get(_METRIC)
    if named and named not in known and not st.query_params.get(PARAMETER):
        frame.explain(InvalidInput(_METRIC, "No mart holds the number of this link.", hint="Choose another one here."))
    metric = known.get(named or "") or known.get(_START)
    return by_metric.question(metric, marts) if metric else checks.first(next(iter(marts.values())))


def _last(marts: Mapping[str, Mart]) -> Question | None:
    try:
        held = question.read(st.session_state.get(_HELD, ""))
        checks.checked(held, marts)
    except InvalidInput:
        return None
    return held


def put(asked: Question, marts: Mapping[str, Mart]) -> None:
    """In a callback: this is the question from now on, if it can be asked; else `PLACE` has met why not."""
    try:
        checks.checked(asked, marts)
    except InvalidInput as error:
        frame.remember(PLACE, error)
        return
    frame.forget(PLACE)
    st.query_params.pop(_METRIC, None)
    st.query_params[PARAMETER] = asked.token()


def control(
    key: str, value: Any, change: Callable[[Any], Question | None], marts: Mapping[str, Mart]
) -> dict[str, Any]:
    """Arguments of a widget that shows `value` of the question and makes the next one of what is chosen; None is no
    choice, and the widget shows again what it had."""
    st.session_state[key] = value

    def changed() -> None:
        try:
            made = change(st.session_state[key])
        except (AppError, KeyError, TypeError, ValueError):  # a choice that this page did not offer
            made = None
        if made is not None:
            put(made, marts)

    return {"key": key, "on_change": changed}
