"""Asking how an account feels to its own CSM, before they see what is suggested for it: one tap, or none.

The question stands where the card will be, and says nothing of the account but its name: a band or a sentence would
put the answer into their mouth. What was revealed once is never covered again.
"""

from collections.abc import Sequence
from datetime import date, datetime

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity, Permission, can
from app.calendar import display_date
from app.db import read, unit_of_work
from app.suggestions import pulses, service
from app.suggestions.model import Suggestion, SuggestionStatus
from app.suggestions.pulses import Pulse
from app.ui import figures, frame, visit, writes
from app.ui.text import escaped

_ASKING = "pulse:asking"  # accounts whose question stands before this person in this session, and since which day
_SHOWN = "suggestions:shown"


def _place(account_key: str) -> str:
    return f"pulse:{account_key}"


def _key(account_key: str) -> str:
    return f"pulse_{account_key}"


def covered(offered: Sequence[Suggestion]) -> dict[str, list[Suggestion]]:
    """Of the suggestions on screen, those to ask before, by account in their order; the rest are revealed with this,
    and told to the record."""
    here = visit.current()
    fresh: dict[str, list[Suggestion]] = {}
    for suggestion in offered:
        is_own = suggestion.csm_email in here.identity.owner_emails and can(
            here.identity, Permission.RATE_ACCOUNT, account_owner_email=suggestion.csm_email
        )
        if is_own and suggestion.status is SuggestionStatus.GENERATED:
            fresh.setdefault(suggestion.account_key, []).append(suggestion)
    asking: dict[str, date] = st.session_state.setdefault(_ASKING, {})
    still = [account_key for account_key, day in asking.items() if day == here.today]
    with read() as db:
        due = pulses.due(db, identity=here.identity, now=here.now, account_keys=fresh, still_asked=still)
    waiting = {account_key: ones for account_key, ones in fresh.items() if account_key in due}
    hidden = {one.suggestion_id for ones in waiting.values() for one in ones}
    told: set[object] = st.session_state.setdefault(_SHOWN, set())
    revealed = [one.suggestion_id for one in offered if one.suggestion_id not in hidden | told]
    first = {account_key: ones[0].suggestion_id for account_key, ones in waiting.items() if account_key not in still}
    if revealed or first:
        with unit_of_work() as db:
            pulses.asked(db, actor=here.identity, now=here.now, of=first)
            service.mark_shown(db, revealed, actor=here.identity, now=here.now)
        told.update(revealed)
        asking.update(dict.fromkeys(first, here.today))
    return waiting


def row(account_key: str, waiting: Sequence[Suggestion], *, with_account: bool = True) -> None:
    """The question in the place of the card, or of the several cards of that account."""
    place = _place(account_key)
    writes.form_key(place)
    with st.container(border=True, gap="xsmall", key=f"pulse_ask_{account_key}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
            # no way to the account from here: its page says what the computed score is
            title = escaped(waiting[0].account_name, limit=60) if with_account else "Before you look"
            st.markdown(f"**{title}**", width="content")
            waits = "1 suggestion waits" if len(waiting) == 1 else f"{len(waiting)} suggestions wait"
            st.markdown(f":small[:gray[{waits}]]", width="content")
        st.markdown("How does this account feel to you?")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.segmented_control(
                "How does this account feel to you? 1 is bad, 5 is good",
                pulses.SCORES,
                key=_key(account_key),
                label_visibility="collapsed",
                width="content",
                on_change=_give,
                args=(account_key,),
            )
            st.markdown(":small[:gray[1 bad, 5 good]]", width="content")
            st.button("Skip", type="tertiary", key=f"pulse_skip_{account_key}", on_click=_skip, args=([account_key],))
        frame.problem(place)


def above(account_keys: Sequence[str]) -> None:
    """Why it is asked, once above the questions; and one tap past all of them, where there are several."""
    if not account_keys:
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.markdown(":small[:gray[Asked first, so that what is suggested does not colour it.]]", width="content")
        if len(account_keys) > 1:
            st.button("Skip all", type="tertiary", key="pulse_skip_all", on_click=_skip, args=(list(account_keys),))


def said(found: Sequence[Pulse], today: date) -> str:
    """The newest of an account's pulses, newest first, for small print; nothing without one."""
    if not found:
        return ""
    return f"pulse {found[0].score} of 5, {figures.ago(display_date(found[0].given_at), today)}"


def _give(account_key: str) -> None:
    place, key = _place(account_key), _key(account_key)
    form, score = writes.form_key(place), st.session_state.get(key)
    if score is None:
        return

    def write(db: Connection, actor: Identity, now: datetime) -> Pulse:
        return pulses.give(db, actor=actor, now=now, account_key=account_key, score=score, idempotency_key=form)

    if writes.perform(write, place=place) is not None:
        _done([account_key])


def _skip(account_keys: Sequence[str]) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> bool:
        pulses.skip(db, actor=actor, now=now, account_keys=account_keys)
        return True

    # it stands by the first of them what went wrong
    if writes.perform(write, place=_place(account_keys[0])):
        _done(account_keys)


def _done(account_keys: Sequence[str]) -> None:
    asking: dict[str, date] = st.session_state.get(_ASKING, {})
    for account_key in account_keys:
        asking.pop(account_key, None)
        writes.renew_form(_place(account_key))
        st.session_state.pop(_key(account_key), None)
