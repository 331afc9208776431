"""Keeping a question under a name and opening a kept one: it is a saved query of the SQL page that knows its question,
with the versions, the sharing and the trail of those."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.db import read
from app.explore import kept
from app.explore.marts import Mart
from app.explore.question import Question
from app.sandbox import queries
from app.sandbox.queries import SavedQuery
from app.ui import explore_state, frame, visit, writes
from app.ui.text import escaped

PLACE = "explore_save"
_POPOVER = "explore_save_popover"
_OPENED = "explore:opened"
Held = tuple[UUID, int, str]  # an own query, its version, its name


def said() -> None:
    """What the last save met."""
    frame.problem(PLACE)


def control(question: Question, marts: Mapping[str, Mart], text: str) -> None:
    """The button with what is kept and the small form; drawn when it is open."""
    with st.popover("Saved", icon=":material/bookmark:", key=_POPOVER, on_change="rerun"):
        if st.session_state.get(_POPOVER):
            with st.container(width=360, gap="small"):
                _list(marts)
                _form(question, text)


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
                    on_click=_remove,
                    args=(one.query_id, one.version),
                )


def _open(one: SavedQuery, asked: Question, marts: Mapping[str, Mart], is_own: bool) -> None:
    explore_state.put(asked, marts)
    if frame.met(explore_state.PLACE) is None:
        _hold(one if is_own else None)
        st.session_state[_POPOVER] = False


def _hold(one: SavedQuery | None) -> None:
    st.session_state[_OPENED] = (one.query_id, one.version, one.name) if one else None
    if one:
        st.session_state["explore_name"] = one.name
        st.session_state["explore_is_shared"] = one.is_shared


def _form(question: Question, text: str) -> None:
    held: Held | None = st.session_state.get(_OPENED)
    st.text_input("Name", max_chars=queries.NAME_LIMIT, key="explore_name", placeholder="Usage by segment")
    st.toggle("Shared with other analysts and admins", key="explore_is_shared")
    body = kept.text(question, text)
    with st.container(horizontal=True, gap="xsmall"):
        if held:
            st.button(
                f"Save as version {held[1] + 1}",
                type="primary",
                key="explore_next",
                on_click=_save,
                args=(body, held),
            )
        st.button(
            "Save as new" if held else "Save",
            key="explore_new",
            type="secondary" if held else "primary",
            on_click=_save,
            args=(body, None),
        )
    frame.aside("It stands among the saved queries of the page SQL too. Or copy the address: it holds the question.")


def _save(body: str, held: Held | None) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> SavedQuery:
        return queries.save(
            db,
            actor=actor,
            now=now,
            name=st.session_state.get("explore_name", ""),
            text=body,
            is_shared=bool(st.session_state.get("explore_is_shared")),
            query_id=held[0] if held else None,
            expected_version=held[1] if held else None,
            idempotency_key=writes.form_key(PLACE),
        )

    made = writes.perform(
        write, place=PLACE, done=lambda one: f"Saved as **{escaped(one.name)}**, version {one.version}"
    )
    writes.renew_form(PLACE)
    if made is not None:
        _hold(made)
        st.session_state[_POPOVER] = False  # its button would now save one more version


def _remove(query_id: UUID, version: int) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> None:
        key = writes.form_key(f"{PLACE}:{query_id}")
        queries.remove(db, actor=actor, now=now, query_id=query_id, expected_version=version, idempotency_key=key)

    writes.perform(write, place=PLACE, done="Removed")
    held = st.session_state.get(_OPENED)
    if held and held[0] == query_id:
        _hold(None)
