"""Signing in for somebody who comes here directly; inside the shell, the shell has done it already.

streamlit-authenticator draws the form and asks the two questions it always asks: are these credentials right, and now
keep the person signed in. Both answers are ours: the password is checked, throttled and counted by `app.auth`, and
the session is a row that can be ended, behind a cookie no script can read. Its own cookie and its own password store
are not used.
"""

from typing import Any

import streamlit as st
import streamlit_authenticator

from app import auth, clock, tickets
from app.auth import Door, Identity
from app.db import unit_of_work
from app.errors import AppError, NotAuthenticated, SecondFactorNeeded
from app.ui import frame, session_component, visit

PLACE = "sign_in"
_TICKET = "sign_in:ticket"
_CODE = "sign_in:code"
_ASKS_FOR_CODE = "sign_in:asks_for_code"
FIELDS = {"Form name": "Sign in", "Username": "E-mail", "Password": "Password", "Login": "Sign in"}


class _Credentials:
    """Stands where the library keeps users and passwords."""

    def __init__(self) -> None:
        self.identity: Identity | None = None

    def login(self, username: str | None = None, password: str | None = None, *_: Any, **__: Any) -> bool:
        """Whether the person may in; the password arrives exactly as typed, spaces included."""
        if not username or not password:
            frame.remember(PLACE, NotAuthenticated("E-mail and password are both needed."))
            return False
        address, user_agent = visit.client()
        try:
            with unit_of_work() as db:
                _token, self.identity = auth.sign_in(
                    db,
                    email=username,
                    password=password,
                    code=st.session_state.get(_CODE) or None,
                    address=address,
                    user_agent=user_agent,
                    now=clock.real_now(),
                )
        except Exception as error:
            st.session_state[_ASKS_FOR_CODE] = isinstance(error, SecondFactorNeeded) or _CODE in st.session_state
            frame.remember(PLACE, error)
            return False
        frame.forget(PLACE)
        return True


class _Keeping:
    """Stands where the library writes its cookie: ours is set by a route, so the browser gets a ticket for it."""

    def __init__(self, credentials: _Credentials) -> None:
        self._credentials = credentials

    def get_cookie(self) -> None:
        """No token of the library's is ever accepted."""

    def set_cookie(self) -> None:
        """The credentials were right: have the browser fetch its cookie."""
        identity = self._credentials.identity
        if identity and identity.session_id:
            with unit_of_work() as db:
                st.session_state[_TICKET] = tickets.issue(
                    db, session_id=identity.session_id, door=Door.PRODUCT, now=clock.real_now()
                )


class SignInForm(streamlit_authenticator.Authenticate):
    """The library's form, over our credentials and our session."""

    def __init__(self) -> None:
        # Not the parent's: it would mount a cookie component and keep credentials of its own.
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.secret_key = ""
        self.authentication_controller = _Credentials()
        self.cookie_controller = _Keeping(self.authentication_controller)


def show() -> None:
    """The page an anonymous visitor gets at every address."""
    if session_component.drop_cookie_when_leaving():
        st.stop()
    st.space("large")
    with st.container(horizontal_alignment="center"), st.container(width=360, gap="small", key="sign_in"):
        st.markdown("# Account intelligence", anchors=False)
        st.markdown(":gray[See the risk, act on it, record the outcome.]")
        if st.session_state.get(visit.WAS_HERE) and frame.met(PLACE) is None:
            st.info(
                "Your session has ended. Sign in again: what you typed is kept in this browser.",
                icon=":material/lock_clock:",
            )
        if st.session_state.get(_ASKS_FOR_CODE):
            st.text_input("Code from your authenticator app", key=_CODE, max_chars=10, autocomplete="one-time-code")
        SignInForm().login(location="main", fields=FIELDS, key="sign_in_form")
        frame.problem(PLACE)
        ticket = st.session_state.pop(_TICKET, None)
        if ticket is not None:
            session_component.take_cookie(ticket, on_failed=_could_not_keep)


def _could_not_keep() -> None:
    """The browser did not take the cookie."""
    frame.remember(
        PLACE,
        AppError("This browser did not keep the session.", hint="Allow cookies for this site, then sign in again."),
    )
