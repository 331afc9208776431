"""Which table of actions is on the screen: a new number makes a new one, in which nothing is ticked."""

import streamlit as st

_TABLE = "actions:table"


def number() -> int:
    """Part of the table's key."""
    return st.session_state.get(_TABLE, 0)


def renew() -> None:
    """Callback: the next table is a new one."""
    st.session_state[_TABLE] = number() + 1
