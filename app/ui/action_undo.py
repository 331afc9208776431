"""The way back from a change, for a minute: the same for one action and for five hundred.

What was done is kept in the session as an offer. A change made on the page itself (many at once, or from a card of the
board) is offered in a line under the filters; one made inside an action's panel in that panel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions import bulk, service
from app.actions.bulk import BulkResult
from app.actions.bulk_plan import BulkChange
from app.auth import Identity
from app.errors import InvalidInput, StaleVersion
from app.ui import figures, frame, visit, writes
from app.ui.text import escaped

PLACE = "undo"
CHANGED = "undo:changed"
_OFFER = "undo:offer"
_EVERY = "10s"


@dataclass(frozen=True)
class Offer:
    """A change that can be undone until `until`. `text` says what it did, our own Markdown."""

    bulk_id: UUID
    until: datetime
    text: str
    action_ids: frozenset[UUID]
    is_on_page: bool


def keep(result: BulkResult, text: str, *, is_on_page: bool) -> None:
    """Offer the way back from what was just done, in place of the offer before it."""
    if result.bulk_id is None or result.undo_until is None:
        return
    st.session_state[_OFFER] = Offer(
        bulk_id=result.bulk_id,
        until=result.undo_until,
        text=text,
        action_ids=frozenset(action.action_id for action in result.changed),
        is_on_page=is_on_page,
    )


def offered() -> Offer | None:
    """What can be undone now."""
    offer: Offer | None = st.session_state.get(_OFFER)
    if offer is not None and visit.current().now >= offer.until:
        st.session_state.pop(_OFFER, None)
        return None
    return offer


def change_one(
    change: BulkChange,
    action_id: UUID,
    version: int,
    *,
    name: str,
    place: str,
    told: Callable[[BulkResult], str],
    is_on_page: bool = False,
) -> bool:
    """Callback of a single snooze, new date or cancellation: it has the undo of a bulk change, and tells what somebody
    else changed in between as any other move does."""
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> BulkResult:
        result = bulk.apply(db, actor=actor, now=now, change=change, items=[(action_id, version)], idempotency_key=form)
        if result.refused:
            _explain(db, action_id, version, result.refused[0].message)
        return result

    result = writes.perform(write, place=place, done=told)
    if result is None:
        return False
    writes.renew_form(name)
    keep(result, told(result), is_on_page=is_on_page)
    return True


def _explain(db: Connection, action_id: UUID, version: int, message: str) -> None:
    detail = service.get_action(db, action_id)
    if detail.action.version != version:
        raise StaleVersion(detail.action, version, [event for event in detail.events if event.version > version])
    raise InvalidInput("action", message)


def undo() -> None:
    """Callback: put everything of the offer back."""
    offer: Offer | None = st.session_state.get(_OFFER)
    if offer is None:
        return
    form = writes.form_key(f"undo:{offer.bulk_id}")

    def write(db: Connection, actor: Identity, now: datetime) -> BulkResult:
        return bulk.undo(db, actor=actor, now=now, bulk_id=offer.bulk_id, idempotency_key=form)

    writes.perform(write, place=PLACE, done=_undone)
    st.session_state.pop(_OFFER, None)
    st.session_state[CHANGED] = True


def _undone(result: BulkResult) -> str:
    count = len(result.changed)
    text = f"Undone: {figures.count(count, 'action is', 'actions are')} as before." if count else "Nothing was undone."
    if result.refused:
        text += f" {len(result.refused)} stayed: {escaped(result.refused[0].message)}"
    return text


def bar() -> None:
    """The offer of a change made on this page, while it lasts; else what the last undo met."""
    frame.problem(PLACE)
    offer = offered()
    if offer is not None and offer.is_on_page:
        _bar()


@st.fragment(run_every=_EVERY)
def _bar() -> None:
    # once the minute is over, or after an undo, the page is drawn anew: the lists changed, and the timer must end
    if visit.is_fragment_run() and (visit.begin() is None or st.session_state.pop(CHANGED, False)):
        st.rerun()
    offer = offered()
    if offer is None:
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="undo_bar"):
        left = max(0, round((offer.until - visit.current().now).total_seconds()))
        st.markdown(f":green[:material/check:] {offer.text}", width="content")
        st.button("Undo", icon=":material/undo:", shortcut="u", key=f"undo_{offer.bulk_id.hex}", on_click=undo)
        st.markdown(f":small[:gray[for {left} s]]", width="content")


def button(action_id: UUID) -> None:
    """The way back from the last change of this one action, inside its panel."""
    offer = offered()
    if offer is not None and not offer.is_on_page and offer.action_ids == {action_id}:
        key = f"undo_{offer.bulk_id.hex}_panel"
        st.button("Undo", icon=":material/undo:", type="tertiary", key=key, on_click=undo, help="For a minute")
    frame.problem(PLACE)
