"""My day: what to do now, what is suggested, and what has changed since yesterday."""

import streamlit as st

from app.auth import Role
from app.ui import action_dialog, action_panel, data, day_lists, frame, page_style, suggestion_card, visit, week_strip

here = visit.current()
with frame.page(
    "My day",
    note=f"{here.today:%A} {here.today.day} {here.today:%B} · {frame.as_of(here)}",
    roles=(Role.CSM, Role.ADMIN),
) as actions:
    with actions:
        action_dialog.add_button()
    with st.skeleton(height=620):
        work = data.my_work(here)
    week_strip.show(work)
    left, right = page_style.split(day_lists.SPLIT, "my_day")
    with left:
        day_lists.now(work)
        day_lists.changed()
        day_lists.coming(work)
    with right:
        suggestion_card.column()
    action_panel.drawer()
