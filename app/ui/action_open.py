"""Which action is open on the Actions page, kept in the address: `?action=<id>`.

It opens also when the filters would hide it, so that a shared link always leads to what was meant. Beside the list it
stands in the panel; over the board and the calendar, which need the width, in the drawer.
"""

from uuid import UUID

import streamlit as st

from app.ui import action_panel
from app.ui.action_list_state import PICKED

PARAMETER = "action"
NO_ACTION = UUID(int=0)
_DRAWN = "actions:drawn"


def choose(action_id: UUID) -> None:
    """Callback: open this one beside the list."""
    st.session_state[PICKED] = str(action_id)


def chosen() -> UUID | None:
    """The action just picked, else the one of the address, None without one. What is not an id is one that no action
    has: a link that was cut off must say so, not open another customer's action.

    A pick is written to the address here and not in its callback, where Streamlit does not pass it on to the browser.
    """
    picked = st.session_state.pop(PICKED, None)
    if picked is not None:
        st.query_params[PARAMETER] = picked
    given = st.query_params.get(PARAMETER)
    try:
        return UUID(given) if given else None
    except ValueError:
        return NO_ACTION


def drawer() -> None:
    """Over a board or a calendar: the action of a link opens once; closing it leaves the page as it is."""
    wanted = chosen()
    if wanted is not None:
        st.query_params.pop(PARAMETER, None)
        action_panel.open_in_drawer(wanted)
    action_panel.drawer()
