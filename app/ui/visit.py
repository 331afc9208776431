"""Who is looking, when, and at which build: found anew on every rerun, fragment and callback.

A websocket outlives the session it was opened with, so the cookie of the handshake proves nothing later: each visit
asks the sessions table again. One connection answers all three questions, and no page draws before it has.
"""

from dataclasses import dataclass
from datetime import date, datetime

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import auth, clock, front
from app.calendar import display_date
from app.db import unit_of_work
from app.errors import MartUnavailable, NotAuthenticated
from app.marts import version
from app.marts.version import Publication

_STATE = "visit"
_PAGE = "visit:page"
WAS_HERE = "visit:was_here"


@dataclass(frozen=True)
class Visit:
    """One rerun's facts; `publication` is None until the first build has been published."""

    identity: auth.Identity
    now: datetime
    publication: Publication | None

    @property
    def today(self) -> date:
        """Calendar day of `now` in the display zone: what "due today" means."""
        return display_date(self.now)

    @property
    def build_id(self) -> int:
        """The published build, part of every cache key. Raises MartUnavailable before the first one."""
        if self.publication is None:
            raise MartUnavailable("publications")
        return self.publication.build_id


def session_token() -> str | None:
    """The session cookie of the websocket's handshake; it proves nothing until the sessions table has been asked."""
    return st.context.cookies.get(auth.session_cookie().name)


def client() -> tuple[str, str]:
    """Address and user agent of the handshake, for the sign-in throttle and the list of sessions."""
    headers = st.context.headers
    return front.client_address(headers, st.context.ip_address), headers.get("User-Agent", "")


def begin(*, is_background: bool = False) -> Visit | None:
    """Look the session up now; None for somebody who is not signed in, or no longer.

    `is_background`: a fragment runs by its own timer, which is nothing that a person did.
    """
    token = session_token()
    found: Visit | None = None
    if token:
        with unit_of_work() as db:
            identity = auth.resolve(db, token=token, now=clock.real_now(), is_background=is_background)
            if identity is not None:
                try:
                    publication: Publication | None = version.published(db)
                except MartUnavailable:
                    publication = None
                found = Visit(identity=identity, now=clock.business_now(db), publication=publication)
    st.session_state[_STATE] = found
    if not is_fragment_run():
        st.session_state[_PAGE] = found and found.publication
    if found is not None:
        st.session_state[WAS_HERE] = True
    return found


def current() -> Visit:
    """The visit of this run. Raises NotAuthenticated when nobody is signed in: the entry point shows the sign-in
    form.
    """
    found = st.session_state.get(_STATE)
    if found is None:
        raise NotAuthenticated("Your session has ended.", hint="Sign in again; drafts are kept in this browser.")
    return found


def is_beside_another_build() -> bool:
    """Whether the page that this fragment is part of was drawn from a build that has been replaced since."""
    return current().publication != st.session_state.get(_PAGE)


def is_fragment_run() -> bool:
    """Whether only a fragment runs, in which case the entry point has not looked the session up."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)
