"""Keeping the statement of the editor under a name, as a new query or as the next version of the one it came from."""

from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.sandbox import queries
from app.sandbox.queries import SavedQuery
from app.ui import frame, sql_editor, writes
from app.ui.text import escaped

PLACE = "sql_save"
_OPENED = "sql:opened"
_POPOVER = "sql_save_popover"


def opened(query: SavedQuery | None) -> None:
    """Callback: the editor holds this own query from now on; None: nothing of one's own."""
    st.session_state[_OPENED] = (query.query_id, query.version, query.name, query.is_shared) if query else None
    if query:
        st.session_state["sql_name"] = query.name
        st.session_state["sql_is_shared"] = query.is_shared


def control() -> None:
    """The button under the editor with its small form."""
    held = st.session_state.get(_OPENED)
    with st.popover("Save", icon=":material/bookmark:", key=_POPOVER, on_change="rerun"):
        st.text_input("Name", max_chars=queries.NAME_LIMIT, key="sql_name", placeholder="MRR by segment")
        st.toggle("Shared with other analysts and admins", key="sql_is_shared")
        with st.container(horizontal=True, gap="xsmall"):
            if held:
                st.button(
                    f"Save as version {held[1] + 1}", type="primary", key="sql_next", on_click=_save, args=(held,)
                )
            st.button("Save as new", key="sql_new", type="secondary" if held else "primary", on_click=_save)
        frame.aside("Shared text runs with the rights of whoever runs it.")
    frame.problem(PLACE)


def _save(held: tuple[UUID, int, str, bool] | None = None) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> SavedQuery:
        return queries.save(
            db,
            actor=actor,
            now=now,
            name=st.session_state.get("sql_name", ""),
            text=sql_editor.text(),
            is_shared=bool(st.session_state.get("sql_is_shared")),
            query_id=held[0] if held else None,
            expected_version=held[1] if held else None,
            idempotency_key=writes.form_key(PLACE),
        )

    kept = writes.perform(
        write, place=PLACE, done=lambda one: f"Saved as **{escaped(one.name)}**, version {one.version}"
    )
    writes.renew_form(PLACE)
    if kept is not None:
        opened(kept)
        st.session_state[_POPOVER] = False  # its button would now save one more version


def remove(query_id: UUID, version: int) -> None:
    """Callback: take an own query away."""

    def write(db: Connection, actor: Identity, now: datetime) -> None:
        key = writes.form_key(f"{PLACE}:{query_id}")
        queries.remove(db, actor=actor, now=now, query_id=query_id, expected_version=version, idempotency_key=key)

    writes.perform(write, place=PLACE, done="Removed")
    held = st.session_state.get(_OPENED)
    if held and held[0] == query_id:
        opened(None)
