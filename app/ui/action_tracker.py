"""The Actions page: one filtered set, looked at as a list, a board or a calendar."""

import streamlit as st

from app.ui import (
    action_board,
    action_calendar,
    action_claim,
    action_data,
    action_filters,
    action_hindered,
    action_list,
    action_moves,
    action_open,
    action_undo,
    action_views,
    frame,
)
from app.ui.action_filters import Wanted


def controls() -> str:
    """Whose actions and how they are looked at, beside the heading; returns whose."""
    st.session_state["views:current"] = action_views.begin()
    action_filters.view_control()
    return action_filters.whose_control()


def show(who: str) -> None:
    """The row of filters, then the set."""
    look = st.session_state.get("as") or "list"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="action_filters"):
        wanted = action_filters.controls(who)
        by = action_list.grouping() if look == "list" else "none"
        action_views.menu(st.session_state.get("views:current"))
        if who == "unassigned":
            action_claim.next_button()
    taken = action_claim.taken()
    if taken is not None:
        action_open.choose(taken)
    frame.problem(action_claim.PLACE)
    action_undo.bar()
    if look == "board":
        action_board.show(wanted)
        action_hindered.dialog(action_moves.move)
    elif look == "calendar":
        action_calendar.show(wanted)
    else:
        _list(wanted, by)
    if look != "list":
        action_open.drawer()


def _list(wanted: Wanted, by: str) -> None:
    found = action_data.tracked(wanted.parts)
    if found.rows or action_open.chosen() is not None:
        action_list.show(found, by, wanted)
    else:
        action_filters.nothing(wanted)
