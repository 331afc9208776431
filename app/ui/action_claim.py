"""Taking work from the shared queue: the next one, or one that is open in front of the person."""

from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions import queue
from app.actions.model import Action
from app.auth import Identity, Permission, can
from app.ui import action_undo, figures, visit, words, writes
from app.ui.text import escaped

PLACE = "claim_next"
TAKEN = "claim:taken"


def may_claim() -> bool:
    """Whether the person here takes work at all."""
    return can(visit.current().identity, Permission.CLAIM_ACTION)


def next_button() -> None:
    """`Take the next`: the gravest and oldest that nobody has."""
    if not may_claim():
        return
    writes.form_key(PLACE)
    st.button(
        "Take the next",
        icon=":material/front_hand:",
        key="claim_next",
        shortcut="t",
        on_click=_next,
        help="The gravest action that nobody has, the oldest of those. Nobody else can get the same one.",
    )


def _next() -> None:
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> tuple[Action | None]:
        return (queue.claim_next(db, actor=actor, now=now, idempotency_key=form),)

    # the line with the way back says what was taken
    answer = writes.perform(write, place=PLACE, done=lambda got: "" if got[0] else _told(got), said_at=PLACE)
    writes.renew_form(PLACE)
    if answer is not None and answer[0] is not None:
        st.session_state[TAKEN] = answer[0].action_id
        action_undo.keep_last(answer[0], _told(answer))


def taken() -> UUID | None:
    """The action that was just taken, once: it is opened."""
    return st.session_state.pop(TAKEN, None)


def _told(answer: tuple[Action | None]) -> str:
    action = answer[0]
    if action is None:
        return "The queue is empty: nothing was left to take."
    due = f", due {figures.day(action.due_date)}" if action.due_date else ""
    priority = words.word(words.PRIORITIES, action.priority).lower()
    return f"Yours now: **{escaped(action.title, limit=60)}**, {escaped(action.account_name)}, {priority}{due}."


def claim(action_id: UUID, version: int, place: str, *, is_on_page: bool) -> bool:
    """Callback: take this one. Its way back is in its panel, and on the page it was taken from."""
    name = f"claim:{action_id}:{version}"
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> tuple[Action]:
        taken = queue.claim(
            db, actor=actor, now=now, action_id=action_id, expected_version=version, idempotency_key=form
        )
        return (taken,)

    answer = writes.perform(write, place=place, done="" if is_on_page else _told, said_at=place)
    writes.renew_form(name)
    if answer is not None and is_on_page:
        action_undo.keep_last(answer[0], _told(answer))
    return answer is not None
