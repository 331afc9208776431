"""Keeping a statement under a name: as a new saved query, or as the next version of the one it came from.

Two pages do it, the editor with what is typed and Explore with what is clicked together; each holds its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.sandbox import queries
from app.sandbox.queries import SavedQuery
from app.ui import writes
from app.ui.text import escaped

Held = tuple[UUID, int, str]  # an own query, its version, its name


@dataclass(frozen=True, slots=True)
class QuerySave:
    """The form of one page, whose short name is the prefix of its fields, and what that page holds."""

    page: str

    @property
    def place(self) -> str:
        """Where a refusal stands."""
        return f"{self.page}_save"

    @property
    def popover(self) -> str:
        """The key of the popover that the form is drawn in; a save closes it."""
        return f"{self.page}_save_popover"

    @property
    def _opened(self) -> str:
        return f"{self.page}:opened"

    def opened(self, query: SavedQuery | None) -> None:
        """Callback: the page holds this own query from now on; None: nothing of one's own."""
        st.session_state[self._opened] = (query.query_id, query.version, query.name) if query else None
        if query:
            st.session_state[f"{self.page}_name"] = query.name
            st.session_state[f"{self.page}_is_shared"] = query.is_shared

    def form(self, text: Callable[[], str], *, example: str) -> None:
        """Name, sharing and the buttons; `text` is asked for what is saved when one of them is clicked."""
        held: Held | None = st.session_state.get(self._opened)
        st.text_input("Name", max_chars=queries.NAME_LIMIT, key=f"{self.page}_name", placeholder=example)
        st.toggle("Shared with other analysts and admins", key=f"{self.page}_is_shared")
        with st.container(horizontal=True, gap="xsmall"):
            if held:
                st.button(
                    f"Save as version {held[1] + 1}",
                    type="primary",
                    key=f"{self.page}_next",
                    on_click=self._save,
                    args=(text, held),
                )
            st.button(
                "Save as new",
                type="secondary" if held else "primary",
                key=f"{self.page}_new",
                on_click=self._save,
                args=(text, None),
            )

    def _save(self, text: Callable[[], str], held: Held | None) -> None:
        def write(db: Connection, actor: Identity, now: datetime) -> SavedQuery:
            return queries.save(
                db,
                actor=actor,
                now=now,
                name=st.session_state.get(f"{self.page}_name", ""),
                text=text(),
                is_shared=bool(st.session_state.get(f"{self.page}_is_shared")),
                query_id=held[0] if held else None,
                expected_version=held[1] if held else None,
                idempotency_key=writes.form_key(self.place),
            )

        kept = writes.perform(
            write, place=self.place, done=lambda one: f"Saved as **{escaped(one.name)}**, version {one.version}"
        )
        writes.renew_form(self.place)
        if kept is not None:
            self.opened(kept)
            st.session_state[self.popover] = False  # its button would now save one more version

    def remove(self, query_id: UUID, version: int) -> None:
        """Callback: take an own query away."""

        def write(db: Connection, actor: Identity, now: datetime) -> None:
            key = writes.form_key(f"{self.place}:{query_id}")
            queries.remove(db, actor=actor, now=now, query_id=query_id, expected_version=version, idempotency_key=key)

        writes.perform(write, place=self.place, done="Removed")
        held: Held | None = st.session_state.get(self._opened)
        if held and held[0] == query_id:
            self.opened(None)
