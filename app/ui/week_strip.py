"""My week in one line: done, open, overdue, what is at stake, and the time its actions take against capacity."""

import streamlit as st

from app.ui import data, figures
from app.ui.figure_line import Figure, draw


def show(work: data.MyWork) -> None:
    """Draw the strip; figures that do not exist yet are left out rather than shown as zero."""
    load = work.load
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium", key="week_strip"):
        draw(Figure(value=f"**{load.closed_this_week_count}**", name="done this week", metric="done_this_week"))
        draw(Figure(value=f"**{load.open_count}**", name="open", metric="open_actions"))
        late = f":red[**{load.overdue_count}**]" if load.overdue_count else "**0**"
        draw(Figure(value=late, name="overdue", metric="overdue_actions"))
        if work.mrr_at_risk_eur is not None:
            stake = f"**{figures.money(work.mrr_at_risk_eur)}**"
            draw(Figure(value=stake, name="MRR at risk, my accounts", metric="mrr_at_risk_mine"))
        if load.weekly_capacity_minutes:
            booked, capacity = figures.hours(load.booked_minutes), figures.hours(load.weekly_capacity_minutes)
            is_over = load.booked_minutes > load.weekly_capacity_minutes
            hours = f"**{booked} of {capacity} h**"
            booked = f":red[{hours}]" if is_over else hours
            draw(Figure(value=booked, name="booked this week", metric="booked_hours"))
            st.progress(min(1.0, load.booked_minutes / load.weekly_capacity_minutes))
