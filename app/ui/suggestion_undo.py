"""The way back from a dismissed or snoozed suggestion, for a minute: the card is gone, so the offer stands in its
place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.suggestions import service
from app.suggestions.model import Suggestion
from app.ui import frame, visit, writes
from app.ui.text import escaped

PLACE = "suggestion_undo"
_OFFER = "suggestion_undo:offer"
_UNDONE = "suggestion_undo:undone"


@dataclass(frozen=True)
class Offer:
    """An answer that can be taken back until `until`; `text` says what it was, our own Markdown."""

    suggestion_id: UUID
    version: int
    account_key: str
    account_name: str
    until: datetime
    text: str


def keep(answered: Suggestion | None, text: str) -> None:
    """Offer the way back from an answer just given, in place of the offer before it; nothing for a refused one."""
    if answered is None or answered.answered_at is None:
        return
    st.session_state[_OFFER] = Offer(
        suggestion_id=answered.suggestion_id,
        version=answered.version,
        account_key=answered.account_key,
        account_name=answered.account_name,
        until=answered.answered_at + service.UNDO_WINDOW,
        text=text,
    )


def was_undone() -> bool:
    """Whether an answer has been taken back since the last time this was asked: the list must be read again."""
    return bool(st.session_state.pop(_UNDONE, False))


def _offered(account_key: str | None) -> Offer | None:
    offer: Offer | None = st.session_state.get(_OFFER)
    if offer is None or (account_key is not None and offer.account_key != account_key):
        return None
    if visit.current().now >= offer.until:
        st.session_state.pop(_OFFER, None)
        return None
    return offer


def line(account_key: str | None = None) -> None:
    """What was just answered, with the way back; of one account on its page."""
    frame.problem(PLACE)
    if _offered(account_key) is not None:
        _line(account_key)


@st.fragment(run_every="10s")
def _line(account_key: str | None) -> None:
    # once the minute is over, or after an undo, the page is drawn anew: the list changed, and the timer must end
    if visit.is_fragment_run() and (visit.begin() is None or was_undone()):
        st.rerun()
    offer = _offered(account_key)
    if offer is None:
        st.rerun()
    key = f"suggestion_undo_{offer.suggestion_id.hex}"
    with st.container(border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f":green[:material/check:] **{escaped(offer.account_name, limit=40)}** :gray[{offer.text}]",
            width="content",
        )
        st.button("Undo", icon=":material/undo:", type="tertiary", key=key, on_click=_undo, help="For a minute")


def _undo() -> None:
    offer: Offer | None = st.session_state.get(_OFFER)
    if offer is None:
        return
    form = writes.form_key(f"{PLACE}:{offer.suggestion_id}:{offer.version}")

    def write(db: Connection, actor: Identity, now: datetime) -> Any:
        return service.undo_answer(
            db,
            actor=actor,
            now=now,
            suggestion_id=offer.suggestion_id,
            expected_version=offer.version,
            idempotency_key=form,
        )

    writes.perform(write, place=PLACE, done="Undone: it is suggested again.")
    st.session_state.pop(_OFFER, None)
    st.session_state[_UNDONE] = True
