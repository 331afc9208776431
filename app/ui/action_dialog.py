"""The dialog that makes an action: opened in place, prefilled from where the click came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from app.actions import service
from app.actions.defaults import defaults
from app.actions.model import Action, ActionDraft
from app.auth import Identity, Permission, Role, can
from app.db import read
from app.errors import InvalidInput
from app.ui import (
    action_form,
    data,
    figures,
    frame,
    kept_fields,
    playbook_start,
    shortcuts,
    visit,
    writes,
)
from app.ui.action_form import Prefill
from app.ui.text import escaped, shortened

ADD_PLACE = "add_action"
_PLAYBOOK = "add_action:playbook"


def may_add() -> bool:
    """Whether the person here may create actions at all."""
    return can(visit.current().identity, Permission.CREATE_ACTION)


def add_button(*, account_key: str | None = None, prefill: Prefill | None = None, key: str = "add_action") -> None:
    """The primary button of a page; key A opens it too. Left out for those who only read, and within the shell, whose
    own is on every page.
    """
    if st.context.is_embedded:
        return
    if may_add() and st.button("Add action", icon=":material/add:", type="primary", shortcut="a", key=key):
        _open([account_key] if account_key else [], prefill or Prefill())


def add_here(account_key: str) -> None:
    """The button of an account's head: the dialog for this account, within the shell too, whose own asks for one."""
    if not st.context.is_embedded:
        add_button(account_key=account_key)
    elif may_add() and st.button("Add action", icon=":material/add:", key="add_here"):
        _open([account_key], Prefill())


def _open(account_keys: list[str], prefill: Prefill) -> None:
    frame.forget(ADD_PLACE)
    st.session_state.pop(_PLAYBOOK, None)
    add(account_keys, prefill)


def people_for_owner() -> Sequence[action_form.Person]:
    """Whom an admin may give work to; nobody else sees the field."""
    if visit.current().identity.role is not Role.ADMIN:
        return ()
    return [action_form.Person(user.user_id, user.display_name) for user in data.people()]


@st.dialog("Add action", width="medium")
def add(account_keys: list[str], prefill: Prefill) -> None:
    """A new action on one account, or the same one on each of several; without accounts the first field asks for
    one.
    """
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None:
        st.rerun()
    # a place of its own, always there: fields that move are mounted anew, and lose what is being typed
    with st.container(key="add_problem"):
        frame.problem(ADD_PLACE)
    names = data.account_names(here)
    if not account_keys:
        with shortcuts.start_here():
            st.selectbox(
                "Account",
                list(names),
                index=None,
                format_func=lambda key: shortened(names[key], limit=80),
                placeholder="Type a name",
                key="add_account",
            )
    elif len(account_keys) == 1:
        st.markdown(f"**{escaped(names.get(account_keys[0]))}**")
    else:
        listed = ", ".join(escaped(names.get(key), limit=40) for key in account_keys[:4])
        more = f" and {len(account_keys) - 4} more" if len(account_keys) > 4 else ""
        st.markdown(
            f"**{figures.count(len(account_keys), 'account')}**: {listed}{more}. Each gets an action of its own."
        )
    one = account_keys[0] if len(account_keys) == 1 else None if account_keys else st.session_state.get("add_account")
    if len(account_keys) < 2 and _playbook_instead(one, here):
        return
    subject = "new-action:" + (account_keys[0] if len(account_keys) == 1 else "any" if not account_keys else "several")
    name = subject.replace(":", "_").replace("-", "_")

    def send(values: dict[str, Any], idempotency_key: str) -> bool:
        keys = account_keys or [key for key in [st.session_state.get("add_account")] if key]
        return _create(keys, values, idempotency_key, name, subject)

    with read() as db:
        starting = defaults(db, actor=here.identity, today=here.today)
    action_form.draw(
        name,
        prefill,
        button="Add action",
        subject=subject,
        send=send,
        people=people_for_owner(),
        account_key=None if len(account_keys) > 1 else one or "",
        defaults=starting,
        starts_at_title=bool(account_keys),
    )
    if st.session_state.pop("add_action:done", False):
        st.rerun()


def _playbook_instead(account_key: str | None, here: visit.Visit) -> bool:
    """The way from one action to a playbook, in the same dialog, once there is an account; True when that is what it
    shows.
    """
    if not can(here.identity, Permission.START_PLAYBOOK):
        return False
    is_chosen = account_key is not None and bool(st.session_state.get(_PLAYBOOK))
    label = "Back to a single action" if is_chosen else "Start a playbook instead"
    icon = ":material/arrow_back:" if is_chosen else ":material/playlist_play:"
    hint = None if account_key else "Choose an account first"
    st.button(
        label, icon=icon, type="tertiary", key="add_playbook", on_click=_turn, disabled=not account_key, help=hint
    )
    if account_key is not None and is_chosen:
        if playbook_start.was_started():
            st.session_state.pop(_PLAYBOOK, None)
            st.rerun()
        playbook_start.choose(account_key, here)
    return is_chosen


def _turn() -> None:
    st.session_state[_PLAYBOOK] = not st.session_state.get(_PLAYBOOK)


def _create(account_keys: list[str], values: dict[str, Any], idempotency_key: str, name: str, subject: str) -> bool:
    if not account_keys:
        frame.remember(
            ADD_PLACE, InvalidInput("account", "Which account is it for?", hint="Choose one, then add the action.")
        )
        return False

    def write(db: Connection, actor: Identity, now: datetime) -> list[Action]:
        made = []
        for key in account_keys:
            draft = ActionDraft(account_key=key, **values)
            made.append(
                service.create_action(
                    db, actor=actor, now=now, draft=draft, idempotency_key=f"{idempotency_key}:{key}"[:200]
                )
            )
        return made

    made = writes.perform(write, place=ADD_PLACE, done=_confirmation)
    if made is None:
        return False
    action_form.forget(name)
    kept_fields.forget(subject)
    st.session_state.pop("add_account", None)
    st.session_state["add_action:done"] = True
    return True


def _confirmation(made: list[Action]) -> str:
    if len(made) > 1:
        return f"{len(made)} actions added."
    due = f", due {figures.day(made[0].due_date)}" if made[0].due_date else ""
    return f"Added: {escaped(made[0].title, limit=60)}{due}."
