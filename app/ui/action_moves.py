"""The status of an action and its moves. Only legal ones can be pressed, and the server would refuse the others anyway;
of those between the started statuses each keeps its place, so that nothing moves under the cursor."""

from datetime import date, datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions import service
from app.actions.lifecycle import CANCELLED_BY_PEOPLE, Status, is_open
from app.actions.model import Action, ActionDetail
from app.actions.vocabulary import UNDONE
from app.auth import Identity, Permission, can
from app.calendar import add_business_days
from app.errors import StaleVersion
from app.ui import (
    action_claim,
    action_hindered,
    action_list_state,
    action_undo,
    action_why,
    figures,
    frame,
    visit,
    words,
    writes,
)
from app.ui.text import escaped

PLAIN_MOVES = {
    Status.IN_PROGRESS: "In progress",
    Status.BLOCKED: "Blocked",
    Status.WAITING_ON_CUSTOMER: "Waiting on customer",
    Status.NEW: "New",
}
_CHANGED = "moves:changed"


def may_work(action: Action) -> bool:
    """Whether the person here may change this action."""
    return can(visit.current().identity, Permission.WORK_ACTION, owner_user_id=action.owner_user_id)


def place_of(action_id: UUID) -> str:
    """Where refusals of this action's moves are shown."""
    return f"moves:{action_id}"


def _snooze_place(action_id: UUID) -> str:
    return f"snooze:{action_id}"


def _reopen_place(action_id: UUID) -> str:
    return f"reopen:{action_id}"


def note_moved() -> None:
    """Callback: whatever lists actions must be drawn anew."""
    st.session_state[_CHANGED] = True


def was_moved() -> bool:
    """Whether an action has moved since the last time this was asked."""
    return bool(st.session_state.pop(_CHANGED, False)) | bool(st.session_state.pop(action_undo.CHANGED, False))


def move(
    action_id: UUID,
    version: int,
    to_status: str,
    *,
    reason: str | None = None,
    snoozed_until: date | None = None,
    place: str,
    is_on_page: bool = False,
) -> bool:
    """Callback of every move but closing. Its way back is in the action's panel, and on the page it was made on."""
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
            snoozed_until=snoozed_until,
            idempotency_key=form,
        )

    def told(action: Action) -> str:
        if action.status is Status.SNOOZED:
            return f"Snoozed: it comes back by itself on {figures.day(action.snoozed_until)}."
        if action.status is Status.CANCELLED:
            return f"Cancelled: {words.word(words.CANCELLATIONS, action.cancel_reason).lower()}."
        what = words.word(words.STATUSES, action.status).lower()
        return f"**{escaped(action.title, limit=60)}** is now {what}." if is_on_page else f"Now {what}."

    # on the page the line with the way back says it
    moved = writes.perform(write, place=place, done="" if is_on_page else told, said_at=place_of(action_id))
    if moved is not None:
        writes.renew_form(name)
        if is_on_page:
            action_undo.keep_last(moved, told(moved))
    _answered(moved is not None, place, action_id, is_on_page=is_on_page)
    return moved is not None


def _answered(is_done: bool, place: str, action_id: UUID, *, is_on_page: bool = False) -> None:
    """After a click: a refusal stays beside its field, but for what somebody else changed: that draws the action anew
    and closes what was open over it, so in a panel it is told under the moves."""
    refused = frame.met(place)
    if is_done:
        action_list_state.stay_open(action_id)
        frame.forget(place_of(action_id))
    elif isinstance(refused, StaleVersion) and not is_on_page and place != place_of(action_id):
        frame.forget(place)
        frame.remember(place_of(action_id), refused)
    if is_done or isinstance(refused, StaleVersion):
        note_moved()


def _cancelled(key: str, action_id: UUID, version: int) -> None:
    reason = st.session_state.get(key)
    if reason:
        move(action_id, version, Status.CANCELLED.value, reason=reason, place=place_of(action_id))


def _snoozed(action_id: UUID, version: int, key: str, why: str) -> bool:
    until = st.session_state.get(f"{key}_until")
    if until is None:
        return False
    place = _snooze_place(action_id)
    return move(action_id, version, Status.SNOOZED.value, reason=why, snoozed_until=until, place=place)


def _redated(action_id: UUID, version: int, key: str) -> None:
    due, place = st.session_state.get(f"{key}_due"), place_of(action_id)
    if due is None:
        return
    form = writes.form_key(f"redate:{action_id}:{version}")

    def write(db: Connection, actor: Identity, now: datetime) -> Action:
        return service.edit_action(
            db,
            actor=actor,
            now=now,
            action_id=action_id,
            expected_version=version,
            changes={"due_date": due},
            idempotency_key=form,
        )

    moved = writes.perform(write, place=place, done=f"Now due {figures.day(due)}.", said_at=place)
    writes.renew_form(f"redate:{action_id}:{version}")
    _answered(moved is not None, place, action_id)


def _claimed(action_id: UUID, version: int) -> None:
    action_claim.claim(action_id, version, place_of(action_id), is_on_page=False)
    action_list_state.stay_open(action_id)
    note_moved()


@frame.panel
def draw(detail: ActionDetail) -> None:
    """Badge of the status with the way back beside it, below that the moves. After a move the whole page redraws, lists
    included."""
    if was_moved() and visit.is_fragment_run():
        st.rerun()
    action, here = detail.action, visit.current()
    key = f"move_{action.action_id.hex}_{action.version}"
    is_theirs = may_work(action)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(words.status_badge(action.status) + _since(detail, here.today), width="content")
        if not is_theirs:
            owner = f"owned by {escaped(action.owner_name)}" if action.owner_name else "in the queue, owned by nobody"
            st.markdown(f":small[:gray[{owner}: only the owner, their cover or an admin changes it]]", width="content")
        else:
            action_undo.button(detail, place_of(action.action_id))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=key):
        if is_theirs:
            _controls(detail, here.today, key)
        if action.owner_user_id is None and is_open(action.status) and action_claim.may_claim():
            st.button(
                "Take it",
                icon=":material/front_hand:",
                type="primary",
                key=f"{key}_take",
                on_click=_claimed,
                args=(action.action_id, action.version),
            )
    frame.problem(place_of(action.action_id))


def _since(detail: ActionDetail, today: date) -> str:
    """What stands beside the badge: until when and why it sleeps, why it was cancelled, or what stands in the way."""
    action = detail.action
    if action.status is Status.SNOOZED:
        why = f": {escaped(action.snooze_reason)}" if action.snooze_reason else ""
        return f" :small[until {figures.day(action.snoozed_until, today=today)}, then back by itself{why}]"
    if action.status is Status.CANCELLED:
        return f" :small[{words.word(words.CANCELLATIONS, action.cancel_reason).lower()}]"
    if action.status in action_hindered.WHAT_FOR:
        said = (event for event in reversed(detail.events) if event.field == "status" and event.after == action.status)
        why = next((event.reason for event in said if event.reason != UNDONE), None)
        return f" :small[{escaped(why, limit=200)}]" if why else ""
    return ""


def _controls(detail: ActionDetail, today: date, key: str) -> None:
    action = detail.action
    given = (action.action_id, action.version)
    has_ended = action.status in (Status.CLOSED, Status.CANCELLED)
    if action.status is Status.SNOOZED:
        for status in detail.legal_moves:
            _plain_move(f"Wake up: {PLAIN_MOVES[status].lower()}", action, status, key)
    elif not has_ended:
        _plain_move(
            PLAIN_MOVES[Status.IN_PROGRESS], action, Status.IN_PROGRESS, key, Status.IN_PROGRESS in detail.legal_moves
        )
        for status in action_hindered.WHAT_FOR:
            is_legal = status in detail.legal_moves
            with st.popover(PLAIN_MOVES[status], key=f"{key}_{status}", disabled=not is_legal):
                if is_legal:
                    action_hindered.panel(action, status, key, move)
    if Status.SNOOZED in detail.legal_moves:
        with st.popover("Snooze", key=f"{key}_snooze"), st.container(width=400, gap="xsmall"):
            _snooze(action, today, key)
    if is_open(action.status):
        with st.popover("Re-date", key=f"{key}_redate"):
            start = add_business_days(max(action.due_date or today, today), 1)
            st.session_state.setdefault(f"{key}_due", start)
            # beside each other: the calendar opens with the field, and would lie over a button below it
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width=320):
                st.date_input("Due", min_value=today, format="DD/MM/YYYY", key=f"{key}_due", on_change="ignore")
                st.button(
                    "Re-date it",
                    type="primary",
                    shortcut="ctrl+enter",
                    key=f"{key}_redate_it",
                    on_click=_redated,
                    args=(*given, key),
                )
    if Status.CANCELLED in detail.legal_moves:
        st.menu_button(
            "Cancel the action…",
            [reason.value for reason in CANCELLED_BY_PEOPLE],
            format_func=lambda code: words.word(words.CANCELLATIONS, code),
            type="tertiary",
            key=f"{key}_cancel",
            on_click=_cancelled,
            args=(f"{key}_cancel", *given),
        )
    if has_ended:
        with st.popover("Reopen", key=f"{key}_reopen"), st.container(width=360, gap="xsmall"):
            _reopen(action, key)


def _plain_move(label: str, action: Action, status: Status, key: str, is_legal: bool = True) -> None:
    st.button(
        label,
        key=f"{key}_{status}",
        disabled=not is_legal,
        on_click=_plainly_moved,
        args=(action.action_id, action.version, status.value),
    )


def _plainly_moved(action_id: UUID, version: int, to_status: str) -> None:
    move(action_id, version, to_status, place=place_of(action_id))


def _snooze(action: Action, today: date, key: str) -> None:
    """Until when and why; what is typed outlives a reload."""
    until = action_why.until_field(today, f"{key}_until")
    action_why.why(
        f"{key}_snooze_why",
        subject=f"snooze:{action.action_id}",
        button="Snooze it",
        placeholder="What are we waiting for?",
        save=lambda reason, _: _snoozed(action.action_id, action.version, key, reason),
        missing="" if until else "missing: until when",
    )
    frame.problem(_snooze_place(action.action_id))


def _reopen(action: Action, key: str) -> None:
    """Why it is not over after all."""
    place = _reopen_place(action.action_id)
    action_why.why(
        f"{key}_reopen_why",
        subject=f"reopen:{action.action_id}",
        button="Reopen it",
        placeholder="What is still to be done?",
        save=lambda reason, _: move(
            action.action_id, action.version, Status.IN_PROGRESS.value, reason=reason, place=place
        ),
    )
    frame.problem(place)
