"""The page of one account: head, tabs in the address, and a day to look back to.

Only the open tab is drawn: each reads its own lists, and nobody waits for the six that are hidden.
"""

from collections.abc import Callable
from datetime import date, timedelta

import streamlit as st

from app.actions.model import ActionFilter
from app.calendar import display_date
from app.errors import NotFound
from app.marts.accounts import Account
from app.ui import (
    account_data,
    account_head,
    account_money,
    account_overview,
    account_people,
    account_proof,
    account_rating,
    account_support,
    account_timeline,
    account_usage,
    action_dialog,
    action_panel,
    choices,
    data,
    figures,
    frame,
    visit,
)
from app.ui.account_head import Subject
from app.ui.text import escaped, shortened

TABS: dict[str, Callable[[Subject], None]] = {
    "Overview": account_overview.show,
    "Timeline": account_timeline.show,
    "Usage": account_usage.show,
    "People": account_people.show,
    "Money": account_money.show,
    "Support": account_support.show,
    "Proof": account_proof.show,
}
HISTORY_DAYS = 180
LOOK_BACK_DAYS = 730


def choose() -> None:
    """Without an account in the address: find one."""
    here = visit.current()
    with frame.page("Account", note="choose one"):
        names = data.account_names(here)
        chosen = st.selectbox(
            "Account",
            list(names),
            index=None,
            format_func=lambda key: shortened(names[key], limit=80),
            placeholder="Type a name",
            key="choose_account",
            width=420,
        )
        if chosen:
            action_panel.open_account(chosen)


def _earliest(account: Account, latest: date) -> date:
    """The first day one can look back to: two years, or since they are a customer."""
    floor = latest - timedelta(days=LOOK_BACK_DAYS)
    return max(min(account.customer_since_date or floor, latest), floor)


def show(account_key: str) -> None:
    """The page of an account; an unknown one is a sentence with a way on."""
    here = visit.current()
    try:
        account = data.account(account_key, here)
    except NotFound:
        frame.empty(
            "This account does not exist.",
            "It may have been merged into another; find it by name.",
            icon=":material/search_off:",
        )
        choose()
        return
    latest = account.as_of_date
    with frame.page(escaped(account.account_name, limit=60), note=account_head.note(account)) as controls:
        with controls:
            as_of = st.date_input(
                "As of",
                value=latest,
                min_value=_earliest(account, latest),
                max_value=latest,
                format="DD/MM/YYYY",
                key="as_of",
                bind="query-params",
                label_visibility="collapsed",
                width=132,
                help="Look back: health, risk and timeline as they were on this day",
            )
            account_rating.button(account)
            action_dialog.add_here(account_key)
        day = min(as_of or latest, latest)
        is_past = day != latest
        with st.skeleton(height=620):
            subject = Subject(
                account=account,
                as_of=day,
                is_past=is_past,
                facts=account_data.facts(account_key, here, as_of=day, days=HISTORY_DAYS),
                renewal=account_data.of_account("renewal", account_key, here),
                actions=data.actions(ActionFilter(account_key=account_key, categories=data.OPEN), limit=100),
                ratings=[
                    one
                    for one in account_data.account_ratings(account_key)
                    if not is_past or display_date(one.rated_at) <= day
                ],
                pulses=[
                    one
                    for one in account_data.account_pulses(account_key)
                    if not is_past or display_date(one.given_at) <= day
                ],
            )
        if is_past:
            _looking_back(day, latest)
        account_head.strip(subject)
        tabs = choices.tabs(TABS, "tab")
        for tab, draw in zip(tabs, TABS.values(), strict=True):
            if tab.open:
                with tab:
                    draw(subject)
        action_panel.drawer()


def _looking_back(day: date, latest: date) -> None:
    """What is of that day and what is not, and the way back to today."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="looking_back"):
        st.markdown(
            f":orange[:material/history:] **As of {figures.day(day)}**: health, risk, sentiment and the histories."
            " Revenue, seats, renewal, owner, contacts and actions are today's.",
            width="content",
        )
        st.button("Back to today", key="back_to_today", on_click=_to_today, args=(latest,))


def _to_today(latest: date) -> None:
    st.session_state["as_of"] = latest
