"""Taking a lost authenticator app away: with a fresh proof of the admin, asked for where the last one is too old."""

from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app import auth, clock, second_factor
from app.auth import Identity
from app.ui import frame, settings_data, visit, writes
from app.ui.text import escaped
from app.ui.visit import Visit
from app.users import User

TOGGLE = "user_field_factor"
_PASSWORD = "user_field_factor_password"  # noqa: S105 - the field's name
_CODE = "user_field_factor_code"


def draw(user: User, here: Visit, *, place: str) -> None:
    """What it means, the admin's own password and code when needed, and the button."""
    with st.container(border=True, gap="small", key="user_factor"):
        frame.heading("Take the authenticator app away", "for who has lost it; be sure that it is they who ask")
        st.markdown(
            f"{escaped(user.display_name)} is signed out everywhere and signs in with the password alone. Where their "
            "role needs a second factor, they set up a new app before anything else."
        )
        if not auth.is_recent(here.identity, now=clock.real_now()):
            st.text_input("Your own password", type="password", autocomplete="current-password", key=_PASSWORD)
            if settings_data.has_second_factor(here.identity.user_id):
                st.text_input("Your own code", max_chars=10, autocomplete="one-time-code", key=_CODE)
        st.button(
            "Take it away",
            type="primary",
            key="user_take_factor",
            on_click=_take,
            args=(user.user_id, escaped(user.display_name), place),
        )


def _typed(key: str) -> str:
    """What a field holds, which is empty from now on: no secret stays in the memory of the session."""
    typed = st.session_state.get(key, "")
    if typed:
        st.session_state[key] = ""
    return typed


def _take(user_id: UUID, name: str, place: str) -> None:
    password, code = _typed(_PASSWORD), _typed(_CODE)

    def prove(db: Connection, actor: Identity, _now: datetime) -> bool:
        now, (address, _) = clock.real_now(), visit.client()
        auth.confirm(db, identity=actor, password=password, code=code or None, address=address, now=now)
        return True

    def write(db: Connection, actor: Identity, _now: datetime) -> bool:
        second_factor.remove(db, actor=actor, user_id=user_id, now=clock.real_now())
        return True

    if password and not writes.perform(prove, place=place):
        return
    if writes.perform(write, place=place, done=f"{name} has no authenticator app any more."):
        st.session_state.pop(TOGGLE, None)
