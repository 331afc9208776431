"""The status of an action and its legal moves: nothing else is drawn, and the server would refuse it anyway."""

from datetime import date, datetime, timedelta
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions import service
from app.actions.lifecycle import Status
from app.actions.model import Action, ActionDetail
from app.auth import Identity, Permission, can
from app.errors import StaleVersion
from app.ui import figures, frame, visit, words, writes
from app.ui.text import escaped

PLAIN_MOVES = {
    Status.IN_PROGRESS: "In progress",
    Status.BLOCKED: "Blocked",
    Status.WAITING_ON_CUSTOMER: "Waiting on customer",
    Status.NEW: "New",
}
SNOOZES = {"Tomorrow": 1, "1 week": 7, "2 weeks": 14, "1 month": 30}
_CHANGED = "moves:changed"


def may_work(action: Action) -> bool:
    """Whether the person here may change this action."""
    return can(visit.current().identity, Permission.WORK_ACTION, owner_user_id=action.owner_user_id)


def place_of(action_id: UUID) -> str:
    """Where refusals of this action's moves are shown."""
    return f"moves:{action_id}"


def _move(
    action_id: UUID, version: int, to_status: str, reason: str | None, until: date | None, came_from: str
) -> None:
    """Callback of every move; afterwards the way back is offered where it is legal."""
    name = f"{action_id}:{version}:{to_status}"
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> Action:
        return service.transition(
            db,
            actor=actor,
            now=now,
            action_id=action_id,
            expected_version=version,
            to_status=Status(to_status),
            reason=reason,
            snoozed_until=until,
            idempotency_key=form,
        )

    moved = writes.perform(
        write,
        place=place_of(action_id),
        done=lambda action: f"Now {words.word(words.STATUSES, action.status).lower()}.",
    )
    if isinstance(frame.met(place_of(action_id)), StaleVersion):
        st.session_state[_CHANGED] = True
    if moved is not None:
        writes.renew_form(name)
        st.session_state[f"undo:{action_id}"] = (moved.version, came_from)
        st.session_state[_CHANGED] = True


def _menu_moved(key: str, action_id: UUID, version: int, came_from: str) -> None:
    reason = st.session_state.get(key)
    if reason:
        _move(action_id, version, Status.CANCELLED, reason, None, came_from)


def _snoozed(action_id: UUID, version: int, came_from: str, key: str) -> None:
    _move(
        action_id,
        version,
        Status.SNOOZED,
        st.session_state.get(f"{key}_why"),
        st.session_state.get(f"{key}_until"),
        came_from,
    )


def _reopened(action_id: UUID, version: int, came_from: str, key: str) -> None:
    _move(action_id, version, Status.IN_PROGRESS, st.session_state.get(f"{key}_why"), None, came_from)


@frame.panel
def draw(detail: ActionDetail) -> None:
    """Badge of the status, then one control per legal move. After a move the whole page redraws, lists included."""
    if st.session_state.pop(_CHANGED, False) and visit.is_fragment_run():
        st.rerun()
    action, here = detail.action, visit.current()
    key = f"move_{action.action_id.hex}_{action.version}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=key):
        st.markdown(words.status_badge(action.status) + _since(action, here.today), width="content")
        if not may_work(action):
            owner = escaped(action.owner_name) if action.owner_name else "nobody yet"
            st.markdown(f":small[:gray[owned by {owner}: only the owner or an admin changes it]]", width="content")
        else:
            if detail.legal_moves and action.status is not Status.SNOOZED:
                st.markdown(":small[:gray[move to]]", width="content")
            _controls(detail, here.today, key)
            _undo(detail)
    frame.problem(place_of(action.action_id))


def _since(action: Action, today: date) -> str:
    """What stands beside the badge: until when and why it sleeps, or why it was cancelled."""
    if action.status is Status.SNOOZED:
        why = f": {escaped(action.snooze_reason)}" if action.snooze_reason else ""
        return f" :small[until {figures.day(action.snoozed_until, today=today)}{why}]"
    if action.status is Status.CANCELLED:
        return f" :small[{words.word(words.CANCELLATIONS, action.cancel_reason).lower()}]"
    return ""


def _controls(detail: ActionDetail, today: date, key: str) -> None:
    action = detail.action
    given = (action.action_id, action.version)
    has_ended = action.status in (Status.CLOSED, Status.CANCELLED)
    for status in detail.legal_moves:
        if status in PLAIN_MOVES and not has_ended:
            label = (
                f"Wake up: {PLAIN_MOVES[status].lower()}" if action.status is Status.SNOOZED else PLAIN_MOVES[status]
            )
            st.button(
                label,
                key=f"{key}_{status}",
                on_click=_move,
                args=(*given, status.value, None, None, action.status.value),
            )
    if Status.SNOOZED in detail.legal_moves:
        with st.popover("Snooze", key=f"{key}_snooze"):
            st.session_state.setdefault(f"{key}_until", today + timedelta(days=7))
            st.date_input(
                "Until",
                min_value=today + timedelta(days=1),
                max_value=today + timedelta(days=365),
                format="DD/MM/YYYY",
                key=f"{key}_until",
                on_change="ignore",
            )
            st.text_input(
                "Why", max_chars=200, placeholder="What are we waiting for?", key=f"{key}_why", on_change="ignore"
            )
            st.button(
                "Snooze it",
                type="primary",
                key=f"{key}_snooze_it",
                on_click=_snoozed,
                args=(*given, action.status.value, key),
            )
    if Status.CANCELLED in detail.legal_moves:
        st.menu_button(
            "Cancel",
            list(words.CANCELLATIONS),
            format_func=lambda code: words.word(words.CANCELLATIONS, code),
            type="tertiary",
            key=f"{key}_cancel",
            on_click=_menu_moved,
            args=(f"{key}_cancel", *given, action.status.value),
        )
    if has_ended:
        with st.popover("Reopen", key=f"{key}_reopen"):
            st.text_input(
                "Why", max_chars=200, placeholder="What is still to be done?", key=f"{key}_why", on_change="ignore"
            )
            st.button(
                "Reopen it",
                type="primary",
                key=f"{key}_reopen_it",
                on_click=_reopened,
                args=(*given, action.status.value, key),
            )


def _undo(detail: ActionDetail) -> None:
    """The way back from the move just made, while nothing else has happened and the way back is legal."""
    action = detail.action
    version, came_from = st.session_state.get(f"undo:{action.action_id}", (None, None))
    if version != action.version or came_from not in detail.legal_moves:
        return
    if action.status is Status.CLOSED:
        return
    reason = "Undone" if action.status is Status.CANCELLED else None
    st.button(
        "Undo",
        icon=":material/undo:",
        type="tertiary",
        key=f"undo_{action.action_id.hex}_{version}",
        on_click=_move,
        args=(action.action_id, action.version, came_from, reason, None, action.status.value),
    )
