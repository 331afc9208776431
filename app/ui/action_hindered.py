"""Blocked, or waiting on the customer: what stands in the way is worth a line in the story. It is asked for, and not
insisted on; in the panel beside the list, or in a dialog where an action is moved on the board.
"""

from collections.abc import Callable
from uuid import UUID

import streamlit as st

from app.actions.lifecycle import Status
from app.actions.model import Action
from app.ui import action_why, frame, visit, words

WHAT_FOR = {
    Status.BLOCKED: "What stands in the way?",
    Status.WAITING_ON_CUSTOMER: "What are we waiting for?",
}
_ASKED = "hindered:asked"
Move = Callable[..., bool]
"""`action_moves.move`."""


def _place(action_id: UUID, status: Status) -> str:
    return f"{status}:{action_id}"


def panel(action: Action, status: Status, key: str, move: Move) -> None:
    """The field and its button; what the move meets is told below them."""
    place = _place(action.action_id, status)

    def save(reason: str, _: str) -> bool:
        return move(action.action_id, action.version, status.value, reason=reason or None, place=place)

    with st.container(width=360, gap="xsmall"):
        _what_for(action.action_id, status, f"{key}_{status}_why", save)
        frame.problem(place)


def _what_for(action_id: UUID, status: Status, key: str, save: Callable[[str, str], bool]) -> None:
    action_why.why(
        key,
        subject=_place(action_id, status),
        button=f"Now {words.STATUSES[status].lower()}",
        placeholder=WHAT_FOR[status],
        is_optional=True,
        save=save,
    )


def ask(action_id: UUID, version: int, status: Status, place: str) -> None:
    """Callback of a list of actions: the next run asks in a dialog what stands in the way, before the move."""
    st.session_state[_ASKED] = (action_id, version, status.value, place)


def dialog(move: Move) -> None:
    """The dialog when one was asked for; call it once on a page, after its content."""
    asked = st.session_state.get(_ASKED)
    if asked is not None:
        action_id, version, to_status, place = asked
        _ask(action_id, version, to_status, place, move)


def _left() -> None:
    st.session_state.pop(_ASKED, None)


@st.dialog("Before it moves", width="small", on_dismiss=_left)
def _ask(action_id: UUID, version: int, to_status: str, place: str, move: Move) -> None:
    if visit.is_fragment_run() and (_ASKED not in st.session_state or visit.begin() is None):
        st.rerun()

    def save(reason: str, _: str) -> bool:
        # whatever it meets is told on the page below
        _left()
        return move(action_id, version, to_status, reason=reason or None, place=place, is_on_page=True)

    _what_for(action_id, Status(to_status), f"ask_{action_id.hex}_{version}_{to_status}", save)
