"""Keys: their list, opened by `?` or from the person's menu, and what tables and dialogs need of the browser."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2
from streamlit.delta_generator import DeltaGenerator

MENU = "Keyboard shortcuts"
# where it works, what it does, the key
KEYS = (
    ("Everywhere", "This list", "?"),
    ("Everywhere", "Add an action", "A"),
    ("Actions", "Take the next of the queue, under Unassigned", "T"),
    ("Actions", "Undo what was just done to many, for a minute", "U"),
    ("Notes and forms", "Save, send or close what is written", "Ctrl + Enter"),
    ("Lists", "Go to the next or the previous row", "↓ ↑"),
    ("Lists", "Open the row", "Enter"),
    ("Lists", "Tick the row", "Shift + Space"),
    ("Dialogs", "Close", "Esc"),
)
_SCRIPT = Path(__file__).parent / "assets" / "shortcuts.js"
_ASKED = "shortcuts:asked"


@lru_cache(maxsize=1)
def _component() -> Any:
    """Registered once, at its first use: importing this module does no work."""
    return v2.component("account_intelligence_shortcuts", js=_SCRIPT.read_text(encoding="utf-8"))


def start_here() -> DeltaGenerator:
    """A container for the field that a dialog begins at: it has the focus once the dialog is open."""
    return st.container(key="start_here")


def ask() -> None:
    """Callback: show the list with the next run."""
    st.session_state[_ASKED] = True


def listen() -> None:
    """Wait for keys, and show their list when it was asked for; call it once a page, after everything else."""
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
