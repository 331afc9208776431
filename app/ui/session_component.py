"""The two things a browser must do for a session: take the cookie after signing in, drop it after signing out."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

from app import auth, clock
from app.auth import Identity
from app.db import unit_of_work
from app.ui import shortcuts, visit

_SCRIPT = Path(__file__).parent / "assets" / "session.js"
_LEAVING = "session:leaving"


@lru_cache(maxsize=1)
def _component() -> Any:
    return v2.component("account_intelligence_session", js=_SCRIPT.read_text(encoding="utf-8"))


def _exchange(step: str, on_failed: Callable[[], None], ticket: str = "") -> None:
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    _component()(
        key=f"session_{step}",
        data={"base": f"/{base}" if base else "", "step": step, "ticket": ticket},
        height=1,
        on_failed_change=on_failed,
    )


def take_cookie(ticket: str, *, on_failed: Callable[[], None]) -> None:
    """Let the browser exchange the ticket for the cookie and reload; `on_failed` is called when it could not."""
    _exchange("redeem", on_failed, ticket)


def drop_cookie_when_leaving() -> bool:
    """After a sign-out: let the browser forget the cookie and reload. False when nobody is leaving."""
    if not st.session_state.pop(_LEAVING, False):
        return False
    _exchange("leave", lambda: None)
    return True


def sign_out() -> None:
    """Callback: end the session on the server at once; the cookie that the browser still holds is then worth
    nothing.
    """
    token = visit.session_token()
    if token:
        with unit_of_work() as db:
            auth.sign_out(db, token=token, now=clock.real_now())
    st.session_state[_LEAVING] = True


def person_menu(identity: Identity, places: Mapping[str, Path]) -> None:
    """Name of the person, their own pages by name, and the way out."""

    def leave() -> None:
        if st.session_state["person_menu"] == "Sign out":
            sign_out()
        elif st.session_state["person_menu"] == shortcuts.MENU:
            shortcuts.ask()

    chosen = st.menu_button(
        identity.display_name.replace("[", "(").replace("]", ")"),
        [*places, shortcuts.MENU, "Sign out"],
        key="person_menu",
        type="tertiary",
        icon=":material/account_circle:",
        on_click=leave,
    )
    if chosen is not None and chosen in places:
        st.switch_page(places[chosen])
