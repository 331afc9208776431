"""The button under the editor that keeps its statement under a name."""

import streamlit as st

from app.ui import frame, sql_editor
from app.ui.query_save import QuerySave

SAVE = QuerySave("sql")


def control() -> None:
    """The button with its small form, and what the last save met."""
    with st.popover("Save", icon=":material/bookmark:", key=SAVE.popover, on_change="rerun"):
        SAVE.form(sql_editor.text, example="MRR by segment")
        frame.aside("Shared text runs with the rights of whoever runs it.")
    frame.problem(SAVE.place)
