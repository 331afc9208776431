"""Filters as chips, kept in the address: back, reload and a shared link give the same rows.

Each chip says what it holds, so nothing is hidden in a closed popover.
"""

from collections.abc import Sequence

import streamlit as st

from app.segments.criteria import RENEWAL_WINDOWS
from app.ui import choices, words
from app.ui.portfolio import VIEWS, AccountFilter


def view_control(default: str) -> str:
    """The saved views, as a segmented control."""
    return choices.one("View", VIEWS, "view", start=default)


def account_filter(
    view: str, *, owners: Sequence[str], segments: Sequence[str], plans: Sequence[str], knows_actions: bool
) -> AccountFilter:
    """Search and chips, in the row of the caller; returns what they hold. Nobody asks a past day for a next action."""
    search = st.text_input(
        "Search accounts",
        placeholder="Search accounts",
        type="search",
        live="300ms",
        icon=":material/search:",
        key="q",
        bind="query-params",
        label_visibility="collapsed",
        width=216,
    )
    bands = choices.several("Band", list(words.BAND_COLOURS), "band")
    chosen_owners = choices.chip("Owner", owners, "owner")
    risks = choices.chip("Risk", words.RISK_BANDS, "risk")
    chosen_segments = choices.chip("Segment", segments, "segment")
    renewals = choices.chip("Renewal", list(RENEWAL_WINDOWS), "renewal")
    chosen_plans = choices.chip("Plan", plans, "plan")
    is_idle = st.toggle("No next action", key="idle", bind="query-params", disabled=not knows_actions)
    return AccountFilter(
        view=view,
        search=search or "",
        bands=tuple(bands or ()),
        owners=chosen_owners,
        risks=risks,
        segments=chosen_segments,
        renewals=renewals,
        plans=chosen_plans,
        is_idle=bool(is_idle) and knows_actions,
    )
