"""My week in one line: done, open, overdue, what is at stake, and the time its actions take against capacity."""

import streamlit as st

from app.ui import data, figures


def show(work: data.MyWork) -> None:
    """Draw the strip; figures that do not exist yet are left out rather than shown as zero."""
    load = work.load
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium", key="week_strip"):
        st.markdown(f"**{load.closed_this_week_count}** :gray[done this week]", width="content")
        st.markdown(f"**{load.open_count}** :gray[open]", width="content")
        overdue = f":red[**{load.overdue_count}** overdue]" if load.overdue_count else "**0** :gray[overdue]"
        st.markdown(overdue, width="content")
        if work.mrr_at_risk_eur is not None:
            st.markdown(f"**{figures.money(work.mrr_at_risk_eur)}** :gray[MRR at risk, my accounts]", width="content")
        if load.weekly_capacity_minutes:
            booked, capacity = figures.hours(load.booked_minutes), figures.hours(load.weekly_capacity_minutes)
            is_over = load.booked_minutes > load.weekly_capacity_minutes
            hours = f"**{booked} of {capacity} h**"
            st.markdown(f"{f':red[{hours}]' if is_over else hours} :gray[booked this week]", width="content")
            st.progress(min(1.0, load.booked_minutes / load.weekly_capacity_minutes))
