"""The way back from a change of actions, for a minute: the same for one and for five hundred, for moves to several
people, and for work taken from the queue.

A change made on the page itself (many at once, or from a card of the board) is offered in a line under the filters; one
made inside an action's panel in that panel.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions import bulk, service, undoing
from app.actions.bulk import BulkResult
from app.actions.bulk_plan import BulkChange
from app.actions.model import Action
from app.actions.writing import UNDO_WINDOW
from app.auth import Identity
from app.errors import InvalidInput, StaleVersion
from app.ui import figures, frame, undo, writes
from app.ui.text import escaped

_SLOT = "actions"
CHANGED = undo.changed_key(_SLOT)


def keep(result: BulkResult, text: str, *, is_on_page: bool) -> None:
    """Offer the way back from what was just done, in place of the offer before it. `text` is our own Markdown."""
    keep_all([result], text, is_on_page=is_on_page)


def keep_all(results: Sequence[BulkResult], text: str, *, is_on_page: bool) -> None:
    """As `keep`, for several changes that were made together and go back together."""
    made = {one.bulk_id: one.undo_until for one in results if one.bulk_id is not None and one.undo_until is not None}
    if not made:
        return

    def take_back(db: Connection, actor: Identity, now: datetime, form: str) -> str:
        # a key each: one key is one request
        return _undone(
            [
                bulk.undo(db, actor=actor, now=now, bulk_id=bulk_id, idempotency_key=f"{form}:{place}")
                for place, bulk_id in enumerate(made)
            ]
        )

    offer = undo.Offer(
        key=next(iter(made)).hex,
        until=min(made.values()),
        text=text,
        about=frozenset(str(action.action_id) for result in results for action in result.changed),
        is_on_page=is_on_page,
        take_back=take_back,
    )
    undo.keep(_SLOT, offer)


def keep_last(action: Action, text: str, *, is_on_page: bool) -> None:
    """As `keep`, for the change that made one action what it is now."""

    def take_back(db: Connection, actor: Identity, now: datetime, form: str) -> str:
        undoing.undo_last(
            db,
            actor=actor,
            now=now,
            action_id=action.action_id,
            expected_version=action.version,
            idempotency_key=form,
        )
        return "Undone: the action is as before."

    offer = undo.Offer(
        key=f"{action.action_id.hex}_{action.version}",
        until=action.updated_at + UNDO_WINDOW,
        text=text,
        about=frozenset({str(action.action_id)}),
        is_on_page=is_on_page,
        take_back=take_back,
    )
    undo.keep(_SLOT, offer)


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


def _undone(results: Sequence[BulkResult]) -> str:
    count = sum(len(result.changed) for result in results)
    refused = [one for result in results for one in result.refused]
    text = f"Undone: {figures.count(count, 'action is', 'actions are')} as before." if count else "Nothing was undone."
    return text + (f" {len(refused)} stayed: {escaped(refused[0].message)}" if refused else "")


def bar() -> None:
    """The offer of a change made on this page, while it lasts; else what the last undo met."""
    undo.bar(_SLOT)


def button(action_id: UUID) -> None:
    """The way back from the last change of this one action, inside its panel, and what an undo met."""
    offer = undo.offered(_SLOT)
    if offer is not None and not offer.is_on_page and offer.about == {str(action_id)}:
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            key=f"undo_{offer.key}_panel",
            on_click=undo.take_back,
            args=(_SLOT,),
            help="For a minute",
        )
    frame.problem(undo.place_of(_SLOT))
