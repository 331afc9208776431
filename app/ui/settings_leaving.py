"""Where somebody's work goes when they are deactivated: shown before it happens, and done in the same transaction."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app import users
from app.actions import service
from app.actions.lifecycle import OPEN
from app.actions.model import ActionFilter
from app.auth import Identity
from app.errors import AppError
from app.handovers import service as handovers
from app.handovers.model import HandoverDraft, HandoverPreview, Moves, MovingAction
from app.ui import data, figures, frame, settings_data, tables, visit, writes
from app.ui.text import escaped
from app.users import User

QUEUE = "queue"
STAY = "stay"
ROOM = 430  # pixels inside the box of somebody who leaves


def _draft(user: User, to: User, here: visit.Visit) -> HandoverDraft:
    return HandoverDraft(
        from_user_id=user.user_id,
        to_user_id=to.user_id,
        starts_on=here.today,
        moves=Moves.ALL_OPEN,
        reason=f"{user.display_name} was deactivated",
    )


def draw(user: User, here: visit.Visit, *, place: str, done: Callable[[], None]) -> None:
    """The question where the open actions go, what that means, and the button."""
    others = {str(one.user_id): one for one in data.people() if one.user_id != user.user_id}
    count = settings_data.open_counts(here).get(user.user_id, 0)
    with st.container(border=True, gap="small", key="user_leaving"):
        frame.heading("Deactivate", "their sessions end at once; what they did stays theirs")
        labels = {
            **{key: f"{one.display_name}: accounts and all open actions" for key, one in others.items()},
            QUEUE: "The queue: nobody yet",
            STAY: "They stay where they are, until an admin moves them",
        }
        chosen = st.selectbox(
            f"Where do {figures.count(count, 'open action')} and the accounts go?",
            list(labels),
            index=None,
            format_func=lambda key: labels[key],
            placeholder="Choose a person",
            key="user_field_receiver",
        )
        if chosen is None:
            return
        try:
            _meaning(user, others.get(chosen), here, count=count, is_queue=chosen == QUEUE)
        except AppError as error:
            st.error(frame.sentence(error), icon=":material/error:")
            return
        st.button(
            f"Deactivate {user.display_name.replace('[', '(').replace(']', ')')}",
            type="primary",
            key="user_deactivate",
            on_click=_deactivate,
            args=(user, others.get(chosen), chosen == QUEUE, place, done),
        )


def _meaning(user: User, to: User | None, here: visit.Visit, *, count: int, is_queue: bool) -> None:
    if to is None:
        what = "go back to the queue" if is_queue else f"stay with {escaped(user.display_name)}, who sees none of them"
        st.markdown(f"{figures.count(count, 'open action')} {what}. The accounts keep their owner in the CRM.")
        return
    shown(settings_data.handover_preview(_draft(user, to, here), here), here)


def shown(preview: HandoverPreview, here: visit.Visit, *, room: int = ROOM) -> None:
    """A preview of a hand-over in `room` pixels: accounts, the actions that move, and what to think of."""
    accounts = f"**{figures.count(len(preview.accounts), 'account')}** ({figures.money(preview.mrr_eur)} a month)"
    st.markdown(f"{accounts} and **{figures.count(len(preview.actions), 'action')}** move.")
    _load(preview)
    if preview.accounts:
        _accounts(preview)
    if preview.actions:
        _actions(preview, here, room)
    for warning in preview.warnings:
        st.markdown(f":small[:orange[:material/info:] {escaped(warning, limit=300)}]")


def _load(preview: HandoverPreview) -> None:
    """What who receives has, and would have."""
    before, after = preview.before, preview.after
    pairs = (
        ("accounts", str(before.account_count), str(after.account_count)),
        ("a month", figures.money(before.mrr_eur), figures.money(after.mrr_eur)),
        ("open actions", str(before.open_count), str(after.open_count)),
        ("h booked this week", figures.hours(before.booked_minutes), figures.hours(after.booked_minutes)),
    )
    told = " · ".join(f"{was} → **{will}** {unit}" for unit, was, will in pairs)
    st.markdown(f":small[{escaped(preview.receiver_name)}: {told}]")


def _accounts(preview: HandoverPreview) -> None:
    rows = pd.DataFrame(
        {
            "account": [tables.fitted(one.account_name, 204) for one in preview.accounts],
            "mrr": [one.mrr_eur for one in preview.accounts],
            "open": [one.open_count for one in preview.accounts],
        }
    )
    columns = {
        "account": tables.text("Account", 204),
        "mrr": tables.number("MRR", 84, None, metric="mrr"),
        "open": tables.number("Open actions", 100, metric="open_actions"),
    }
    tables.show(
        rows, columns, key="handover_accounts", alt="Accounts that move", most=6, shown_as={"mrr": figures.money}
    )


def _actions(preview: HandoverPreview, here: visit.Visit, room: int) -> None:
    """All of them: what somebody takes over is read to its end."""
    title = max(room - tables.FRAME - 104 - 128, 120)
    rows = pd.DataFrame(
        {
            "when": [_when(one, here) for one in preview.actions],
            "account": [tables.fitted(one.account_name, 128) for one in preview.actions],
            "title": [tables.fitted(one.title, title) for one in preview.actions],
        }
    )
    columns = {
        "when": tables.text("Due", 104),
        "account": tables.text("Account", 128),
        "title": tables.text("Action", title),
    }
    tables.show(rows, columns, key="handover_actions", alt="Actions that move", most=8)


def _when(one: MovingAction, here: visit.Visit) -> str:
    """A snoozed action is not late, whatever its due date: nobody waits for it before it is back."""
    if one.snoozed_until is not None:
        return f"back {figures.day(one.snoozed_until, today=here.today)}"
    return figures.due(one.due_date, here.today)


def _deactivate(user: User, to: User | None, is_queue: bool, place: str, done: Callable[[], None]) -> None:
    name = f"deactivate:{user.user_id}:{to.user_id if to else is_queue}"
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> User:
        if to is not None:
            here = visit.current()
            handovers.begin(db, actor=actor, now=now, draft=_draft(user, to, here), idempotency_key=form)
        elif is_queue:
            mine = ActionFilter(owner_user_id=user.user_id, statuses=tuple(OPEN))
            rows = service.list_actions(db, filter=mine, limit=service.LARGEST_BULK)
            service.reassign(
                db,
                actor=actor,
                now=now,
                action_ids=[row.action_id for row in rows],
                owner_user_id=None,
                idempotency_key=form,
            )
        return users.deactivate(db, actor=actor, now=now, user_id=user.user_id, expected_version=user.version)

    if writes.perform(write, place=place, done=lambda gone: f"{escaped(gone.display_name)} is deactivated."):
        writes.renew_form(name)
        done()
