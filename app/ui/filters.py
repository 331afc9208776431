"""Filters as chips, kept in the address: back, reload and a shared link give the same rows.

Each chip says what it holds, so nothing is hidden in a closed popover.
"""

from collections.abc import Sequence

import streamlit as st

from app.ui import words
from app.ui.portfolio import RENEWAL_WINDOWS, VIEWS, AccountFilter


def held(key: str) -> list[str]:
    """What a bound multi-value control holds, also before it has been drawn for the first time."""
    return list(st.session_state[key] or []) if key in st.session_state else list(st.query_params.get_all(key))


def chip(label: str, options: Sequence[str], key: str) -> tuple[str, ...]:
    """A popover with all choices as pills; its label tells the choice: `Owner: any`, `Owner: Maya Lind`, `Owner: 3`."""
    chosen = [value for value in held(key) if value in options]
    shown = "any" if not chosen else chosen[0] if len(chosen) == 1 else str(len(chosen))
    with st.popover(f"{label}: {shown}", key=f"{key}_chip"):
        # all choices at once: a select box in a popover would take two clicks to show them
        with st.container(width=300):
            chosen_now = st.pills(
                label, list(options), selection_mode="multi", key=key, bind="query-params", label_visibility="collapsed"
            )
        return tuple(chosen_now or ())


def view_control(default: str) -> str:
    """The saved views, as a segmented control."""
    return (
        st.segmented_control(
            "View",
            list(VIEWS),
            format_func=lambda code: VIEWS[code],
            default=default,
            required=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
        )
        or default
    )


def account_filter(view: str, *, owners: Sequence[str], segments: Sequence[str], plans: Sequence[str]) -> AccountFilter:
    """One row of search and chips; returns what they hold."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="account_filters"):
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
        bands = st.pills(
            "Band",
            list(words.BAND_COLOURS),
            selection_mode="multi",
            key="band",
            bind="query-params",
            label_visibility="collapsed",
        )
        chosen_owners = chip("Owner", owners, "owner")
        risks = chip("Risk", words.RISK_BANDS, "risk")
        chosen_segments = chip("Segment", segments, "segment")
        renewals = chip("Renewal", list(RENEWAL_WINDOWS), "renewal")
        chosen_plans = chip("Plan", plans, "plan")
        is_idle = st.toggle("No next action", key="idle", bind="query-params")
    return AccountFilter(
        view=view,
        search=search or "",
        bands=tuple(bands or ()),
        owners=chosen_owners,
        risks=risks,
        segments=chosen_segments,
        renewals=renewals,
        plans=chosen_plans,
        is_idle=bool(is_idle),
    )
