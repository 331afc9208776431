"""The list of keys, opened by `?` on any page or from the person's menu."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

MENU = "Keyboard shortcuts"
# where it works, what it does, the key
KEYS = (
    ("Everywhere", "This list", "?"),
    ("Everywhere", "Add an action", "A"),
    ("Actions", "Take the next of the queue, under Unassigned", "T"),
    ("Actions", "Undo what was just done to many, for a minute", "U"),
    ("Notes and forms", "Save, send or close what is written", "Ctrl + Enter"),
    ("Lists", "Go to the next or the previous row", "↓ ↑"),
    ("Lists", "Tick the row; ticked alone, it can be opened beside the list", "Shift + Space"),
    ("Dialogs", "Close", "Esc"),
)
_SCRIPT = Path(__file__).parent / "assets" / "shortcuts.js"
_ASKED = "shortcuts:asked"


@lru_cache(maxsize=1)
def _component() -> Any:
    """Registered once, at its first use: importing this module does no work."""
    return v2.component("account_intelligence_shortcuts", js=_SCRIPT.read_text(encoding="utf-8"))


def ask() -> None:
    """Callback: show the list with the next run."""
    st.session_state[_ASKED] = True


def listen() -> None:
    """Wait for `?`, and show the list when it was asked for; call it once a page, after everything else."""
    with st.container(key="shortcuts"):
        _component()(key="shortcuts_listener", height=1, on_asked_change=ask)
    if st.session_state.pop(_ASKED, False):
        _show()


@st.dialog(MENU, width="small")
def _show() -> None:
    places = list(dict.fromkeys(place for place, _, _ in KEYS))
    for place in places:
        st.markdown(f":small[:gray[{place}]]")
        with st.container(gap="xxsmall"):
            for where, what, key in KEYS:
                if where == place:
                    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                        st.markdown(what, width="content")
                        st.markdown(f"`{key}`", width="content")
