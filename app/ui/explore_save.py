"""Keeping a question under a name and opening a kept one: it is a saved query of the SQL page that knows its question,
with the versions, the sharing and the trail of those."""

from collections.abc import Mapping

import streamlit as st

from app.db import read
from app.explore import kept
from app.explore.marts import Mart
from app.explore.question import Question
from app.sandbox import queries
from app.sandbox.queries import SavedQuery
from app.ui import explore_state, frame, visit
from app.ui.query_save import QuerySave
from app.ui.text import escaped

SAVE = QuerySave("explore")


def said() -> None:
    """What the last save met."""
    frame.problem(SAVE.place)


def control(question: Question, marts: Mapping[str, Mart], text: str) -> None:
    """The button with what is kept and the small form; drawn when it is open."""
    with st.popover("Saved", icon=":material/bookmark:", key=SAVE.popover, on_change="rerun"):
        if st.session_state.get(SAVE.popover):
            with st.container(width=360, gap="small"):
                _list(marts)
                body = kept.text(question, text)
                SAVE.form(lambda: body, example="Usage by segment")
                frame.aside(
                    "It stands among the saved queries of the page SQL too. Or copy the address: it holds the question."
                )


def _list(marts: Mapping[str, Mart]) -> None:
    identity = visit.current().identity
    with read() as db:
        listed = queries.list_queries(db, identity=identity)
    found = [(one, asked) for one in listed if (asked := kept.question(one.text)) is not None]
    if not found:
        frame.aside("No question is saved yet. Save this one under a name; it can be shared.")
    for one, asked in found:
        is_own = one.owner_user_id == identity.user_id
        who = ("shared" if one.is_shared else "private") if is_own else f"by {one.owner_name}"
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.button(
                f"{escaped(one.name, limit=60)} :small[:gray[{escaped(who, limit=40)}]]",
                icon=":material/bookmark_border:",
                type="tertiary",
                width="stretch",
                key=f"explore_open_{one.query_id.hex}",
                on_click=_open,
                args=(one, asked, marts, is_own),
            )
            if is_own:
                st.button(
                    "",
                    icon=":material/delete:",
                    type="tertiary",
                    help=f"Remove {escaped(one.name, limit=60)}",
                    key=f"explore_remove_{one.query_id.hex}",
                    on_click=SAVE.remove,
                    args=(one.query_id, one.version),
                )


def _open(one: SavedQuery, asked: Question, marts: Mapping[str, Mart], is_own: bool) -> None:
    explore_state.put(asked, marts)
    if frame.met(explore_state.PLACE) is None:
        SAVE.opened(one if is_own else None)
        st.session_state[SAVE.popover] = False
