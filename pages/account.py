"""Account: everything about one customer, and what to do next."""

import streamlit as st

from app.ui import account_page, frame

with frame.guard():
    key = st.query_params.get("account", "")
    if key:
        account_page.show(key)
    else:
        account_page.choose()
