"""The way back from a change of actions, for a minute: the same for one and for five hundred, for moves to several
people, and for work taken from the queue.

A change made on the page itself (many at once, or from a card of the board) is offered in a line under the filters. The
panel of an action offers the way back from its newest change, wherever that was made, by what is stored: it is there
after a reload, and when another action was looked at in between.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st
from sqlalchemy import Connection

from app.actions import bulk, undoing
from app.actions.bulk import BulkResult
from app.actions.model import Action, ActionDetail
from app.actions.writing import UNDO_WINDOW
from app.auth import Identity
from app.ui import action_list_state, figures, undo, visit, writes
from app.ui.text import escaped

_SLOT = "actions"
CHANGED = undo.changed_key(_SLOT)


def keep(result: BulkResult, text: str) -> None:
    """Offer on the page the way back from what was just done there, in place of the offer before it. `text` is our own
    Markdown."""
    keep_all([result], text)


def keep_all(results: Sequence[BulkResult], text: str) -> None:
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
        take_back=take_back,
    )
    undo.keep(_SLOT, offer)


def _back(action: Action, db: Connection, actor: Identity, now: datetime, form: str) -> str:
    undoing.undo_last(
        db,
        actor=actor,
        now=now,
        action_id=action.action_id,
        expected_version=action.version,
        idempotency_key=form,
    )
    return "Undone: the action is as before."


def keep_last(action: Action, text: str) -> None:
    """As `keep`, for the change that made one action what it is now."""
    offer = undo.Offer(
        key=f"{action.action_id.hex}_{action.version}",
        until=action.updated_at + UNDO_WINDOW,
        text=text,
        about=frozenset({str(action.action_id)}),
        take_back=partial(_back, action),
    )
    undo.keep(_SLOT, offer)


def _undone(results: Sequence[BulkResult]) -> str:
    count = sum(len(result.changed) for result in results)
    refused = [one for result in results for one in result.refused]
    text = f"Undone: {figures.count(count, 'action is', 'actions are')} as before." if count else "Nothing was undone."
    return text + (f" {len(refused)} stayed: {escaped(refused[0].message)}" if refused else "")


def bar() -> None:
    """The offer of a change made on this page, while it lasts; else what the last undo met."""
    undo.bar(_SLOT)


def button(detail: ActionDetail, place: str) -> None:
    """The way back from the newest change of this action, when it is the person's own of the last minute. What an undo
    meets is told in `place`."""
    here, action = visit.current(), detail.action
    if undoing.can_undo(detail.events, actor=here.identity, now=here.now):
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            key=f"undo_{action.action_id.hex}_{action.version}_panel",
            on_click=_take_back,
            args=(action, place),
            help="For a minute",
        )


def _take_back(action: Action, place: str) -> None:
    form = writes.form_key(f"undo:{action.action_id}:{action.version}")

    def write(db: Connection, actor: Identity, now: datetime) -> str:
        return _back(action, db, actor, now, form)

    if writes.perform(write, place=place, done=str, said_at=place) is not None:
        undo.drop(_SLOT, str(action.action_id))
        action_list_state.stay_open(action.action_id)
    st.session_state[CHANGED] = True
