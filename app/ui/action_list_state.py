"""Which table of actions is on the screen (a new number makes a new one, in which nothing is ticked), and what stands
open beside it."""

from uuid import UUID

import streamlit as st

_TABLE = "actions:table"
# an action just picked, for the run that draws; what the panel was drawn for, an action or those ticked
PICKED, SHOWN = "actions:picked", "action_list:shown"


def number() -> int:
    """Part of the table's key."""
    return st.session_state.get(_TABLE, 0)


def renew() -> None:
    """Callback: the next table is a new one."""
    st.session_state[_TABLE] = number() + 1


def stay_open(action_id: UUID) -> None:
    """Callback of a change: what stands open stays so, with its way back, when the list no longer holds it."""
    if st.session_state.get(SHOWN) == action_id:
        st.session_state[PICKED] = str(action_id)
