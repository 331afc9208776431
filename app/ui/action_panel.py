"""One action, opened beside a list or in a drawer: what it is, where it stands, its story, and how it ended.

The parts that write are panels of their own: a note reruns the notes, a choice in the outcome reruns the outcome.
"""

from datetime import date
from uuid import UUID

import streamlit as st

from app.actions.lifecycle import is_open
from app.actions.model import ActionDetail
from app.ui import (
    action_edit,
    action_moves,
    action_story,
    data,
    figures,
    frame,
    navigation,
    outcome_form,
    page_style,
    playbook_position,
    visit,
    words,
)
from app.ui.text import escaped, with_bold_figures

_OPEN = "action_panel:open"


def open_account(account_key: str, *, as_of: date | None = None) -> None:
    """Callback: go to an account, as it was on a past day when that is what was looked at."""
    then = {"as_of": as_of.isoformat()} if as_of is not None else {}
    st.switch_page(navigation.address_of("account"), query_params={"account": account_key, **then})


def show(action_id: UUID, *, columns: tuple[float, float] = (1, 1.06)) -> None:
    """Draw an action; an id that does not exist gives a sentence."""
    detail = data.action(action_id)
    _head(detail)
    action_moves.draw(detail)
    playbook_position.position(detail.action)
    notes, outcome = page_style.split(columns, "action", gap="medium")
    with notes:
        action_story.draw(detail)
    with outcome:
        outcome_form.draw(detail)


def _head(detail: ActionDetail) -> None:
    here, action = visit.current(), detail.action
    account = data.account_or_none(action.account_key, here)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.markdown(f"**{escaped(action.title)}**")
        if is_open(action.status) and action_moves.may_work(action):
            action_edit.popover(action)
    parts = []
    if account is not None:
        parts.append(words.band_badge(account.health_band, account.health_score))
    facts = [words.word(words.PRIORITIES, action.priority)]
    facts.append(escaped(action.owner_name) if action.owner_name else "nobody yet")
    if account is not None and account.mrr_at_risk_eur is not None:
        facts.append(f"{figures.money(account.mrr_at_risk_eur)} at risk")
    with st.container(horizontal=True, vertical_alignment="center", gap=None):
        if parts:
            st.markdown(" ".join(parts), width="content")
        navigation.account_link(action.account_key, action.account_name)
        st.markdown(f":gray[{' · '.join(facts)} ·] {_due(detail)}", width="content")
    suggestion = data.suggestion(action.suggestion_id) if action.suggestion_id else None
    if suggestion is not None:
        st.markdown(f":gray[{words.reason_shown(suggestion.reason)}:] {with_bold_figures(suggestion.sentence)}")
    if action.playbook_run_id is None and action.reason and (suggestion is None or action.reason != suggestion.reason):
        st.text(words.reason_shown(action.reason))


def _due(detail: ActionDetail) -> str:
    action, today = detail.action, visit.current().today
    if not is_open(action.status):
        return f":gray[ended {figures.day(action.closed_at.date(), today=today)}]" if action.closed_at else ""
    if action.due_date is None:
        return ":gray[no due date]"
    late = (today - action.due_date).days
    text = f"due {figures.day(action.due_date, today=today)}"
    escalated = words.ESCALATIONS.get(action.escalation_level, "") if late > 0 else ""
    if escalated:
        return f":red[{text}, overdue {late} d] :orange[· {escalated}]"
    return f":red[{text}, overdue {late} d]" if late > 0 else (f"**{text}, today**" if late == 0 else text)


def _left() -> None:
    st.session_state.pop(_OPEN, None)


def open_in_drawer(action_id: UUID) -> None:
    """Callback: the next run shows this action in a drawer at the side, over the page it was opened from."""
    st.session_state[_OPEN] = str(action_id)


def drawer() -> None:
    """Show the drawer when one was asked for; call it once on a page, after its content."""
    wanted = st.session_state.get(_OPEN)
    if wanted:
        _drawer(UUID(wanted))


@st.dialog("Action", width=860, position="right", on_dismiss=_left)
def _drawer(action_id: UUID) -> None:
    if visit.is_fragment_run() and visit.begin() is None:
        st.rerun()
    try:
        show(action_id)
    except Exception as error:
        frame.explain(error)
