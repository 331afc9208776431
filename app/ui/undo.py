"""The way back from what was just done, for a minute: a line that says what it was, and the button that takes it back.

What was done is kept in the session as an offer, one in each slot; the next thing done takes the place of the one
before. A slot is what a page shows together: actions have one, suggestions another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.ui import frame, visit, writes


@dataclass(frozen=True)
class Offer:
    """Something that can be taken back until `until`, `about` these ids. `text` says what it was, our own Markdown;
    `leads_to` is the name of what came of it, the same, and the callback that opens it.

    `take_back(db, actor, now, idempotency_key)` does it and answers what to say then, our own Markdown.
    """

    key: str
    until: datetime
    text: str
    about: frozenset[str]
    take_back: Callable[[Connection, Identity, datetime, str], str]
    leads_to: tuple[str, Callable[[], None]] | None = None


def place_of(slot: str) -> str:
    """Where it is shown what taking back met."""
    return f"undo:{slot}"


def changed_key(slot: str) -> str:
    """In the session while something was taken back that the lists do not show yet."""
    return f"undo:{slot}:changed"


def keep(slot: str, offer: Offer) -> None:
    """Offer the way back from what was just done, in place of the offer before it."""
    st.session_state[f"undo:{slot}:offer"] = offer


def offered(slot: str, about: str | None = None) -> Offer | None:
    """What can be taken back now; with `about` only what concerns that id."""
    offer: Offer | None = st.session_state.get(f"undo:{slot}:offer")
    if offer is not None and visit.current().now >= offer.until:
        st.session_state.pop(f"undo:{slot}:offer", None)
        return None
    return offer if offer is None or about is None or about in offer.about else None


def drop(slot: str, about: str) -> None:
    """Take the offer away that concerns nothing but this id: it was taken back elsewhere."""
    offer: Offer | None = st.session_state.get(f"undo:{slot}:offer")
    if offer is not None and offer.about == {about}:
        st.session_state.pop(f"undo:{slot}:offer")


def take_back(slot: str) -> None:
    """Callback: put everything of the offer back."""
    offer: Offer | None = st.session_state.pop(f"undo:{slot}:offer", None)
    if offer is None:
        return
    form = writes.form_key(f"undo:{offer.key}")

    def write(db: Connection, actor: Identity, now: datetime) -> str:
        return offer.take_back(db, actor, now, form)

    writes.perform(write, place=place_of(slot), done=str, said_at=place_of(slot))
    st.session_state[changed_key(slot)] = True


def _followed(slot: str, opens: Callable[[], None]) -> None:
    opens()
    st.session_state[changed_key(slot)] = True


def bar(slot: str, about: str | None = None) -> None:
    """The offer of something done on this page, while it lasts; else what taking it back met."""
    frame.problem(place_of(slot))
    if offered(slot, about) is not None:
        _bar(slot, about)


@st.fragment(run_every="10s")
def _bar(slot: str, about: str | None) -> None:
    # once the minute is over, after an undo or a click on what came of it, the page is drawn anew: the lists changed,
    # what was clicked opens over the page, and the timer must end
    if visit.is_fragment_run():
        # a click on Undo has been counted as the person's by its callback
        here = visit.begin(is_background=True)
        if here is None or st.session_state.pop(changed_key(slot), False):
            st.rerun()
    offer = offered(slot, about)
    if offer is None:
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"undo_bar_{slot}"):
        left = max(0, round((offer.until - visit.current().now).total_seconds()))
        st.markdown(f":green[:material/check:] {offer.text}", width="content")
        key = f"undo_{offer.key}"
        if offer.leads_to is not None:
            name, opens = offer.leads_to
            st.button(name, type="tertiary", key=f"{key}_opens", on_click=_followed, args=(slot, opens))
        st.button("Undo", icon=":material/undo:", shortcut="u", key=key, on_click=take_back, args=(slot,))
        st.markdown(f":small[:gray[for {left} s]]", width="content")
