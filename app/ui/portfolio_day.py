"""The day that the portfolio is looked at: today, or a past day."""

from datetime import date

import streamlit as st

from app.ui import figures, segment_data, visit

KEY = "as_of"
_LATEST = "as_of:latest"


def control() -> date | None:
    """The date picker of the page's heading, in the address; the past day that is looked at, None for today."""
    here = visit.current()
    if here.publication is None:
        return None
    latest = here.publication.as_of_date
    held = st.session_state.get(KEY)
    if held is not None and held == st.session_state.get(_LATEST) != latest:
        st.session_state[KEY] = latest  # a page left open goes on with the newest build, and is no past day
    st.session_state[_LATEST] = latest
    chosen = st.date_input(
        "As of",
        value=latest,
        min_value=min(segment_data.first_day(here) or latest, latest),
        max_value=latest,
        format="DD/MM/YYYY",
        key=KEY,
        bind="query-params",
        label_visibility="collapsed",
        width=132,
        help="Look back: every account as of this day",
    )
    return chosen if isinstance(chosen, date) and chosen < latest else None


def strip(day: date | None, view: str) -> None:
    """Of a past day: what is of that day and what is not, and the way back to today."""
    here = visit.current()
    if day is None or here.publication is None:
        return
    missing = " “At risk, no action” shows everybody at risk." if view == "idle" else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="looking_back"):
        st.markdown(
            f":orange[:material/history:] **As of {figures.full_day(day)}**: health, risk, revenue, renewal and last "
            "contact of that day, corrected by what came later. Owner, segment, plan and what filters ask of actions "
            "are today's; next actions are left out."
            f"{missing}",
            width="content",
        )
        st.button("Back to today", key="back_to_today", on_click=_to_today, args=(here.publication.as_of_date,))


def _to_today(latest: date) -> None:
    st.session_state[KEY] = latest
