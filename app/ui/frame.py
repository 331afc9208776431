"""The frame around every page: heading, width, and what a person reads when something went wrong.

`page` is the outermost block of a page, `panel` makes a fragment of a part that writes or filters, and `problem` shows
what the last click in a panel met. Errors are mapped here and nowhere else in this face.
"""

import functools
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from streamlit.delta_generator import DeltaGenerator

from app.auth import Role
from app.errors import AppError, BuildReplaced, MartUnavailable, NotAuthenticated, NotPermitted, StaleVersion
from app.metrics import metrics
from app.ui import figures, kept_fields, shortcuts, visit
from app.ui.text import escaped

log = logging.getLogger(__name__)
Given = ParamSpec("Given")
Answer = TypeVar("Answer")
ROLE_NAMES = {Role.CSM: "customer success managers", Role.ADMIN: "administrators", Role.ANALYST: "analysts"}
DOWN = "The database does not answer right now. Nothing you typed is lost: wait a moment, then reload this page."


@contextmanager
def guard() -> Iterator[None]:
    """Explain whatever goes wrong inside, where it went wrong."""
    try:
        yield
    except Exception as error:
        explain(error)


@contextmanager
def page(title: str, *, note: str = "", roles: tuple[Role, ...] = ()) -> Iterator[DeltaGenerator]:
    """Heading of a page and a guard around its content; yields the slot for buttons at the right of the heading.

    `note` is our own Markdown beside the title. With `roles`, anybody else reads a sentence instead of the page.
    """
    try:
        here = visit.current()
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", gap="small"):
            st.markdown(f"# {title}" + (f" :small[:gray[{note}]]" if note else ""), anchors=False, width="content")
            actions = st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center")
        if roles and here.identity.role not in roles:
            allowed = " and ".join(ROLE_NAMES[role] for role in roles)
            raise NotPermitted(f"This page is for {allowed}.", hint="The pages in the navigation are yours.")
        _freshness(here)
    except Exception as error:
        explain(error)
        st.stop()
    try:
        yield actions
        tell()
    except Exception as error:
        explain(error)
    shortcuts.listen()


def _freshness(here: visit.Visit) -> None:
    """Late data is said in words above the page, not by a colour alone."""
    published = here.publication
    if published is None:
        return
    late_days = (here.today - published.as_of_date).days - 1
    if late_days >= 1:
        st.warning(
            f"Figures end on {figures.day(published.as_of_date)}: the last {figures.count(late_days, 'day')} "
            f"{'is' if late_days == 1 else 'are'} missing. Actions and notes are up to date.",
            icon=":material/schedule:",
        )


def as_of(here: visit.Visit) -> str:
    """How fresh the figures are, for a page's heading: `figures to Sat 21 Nov`."""
    return "no figures yet" if here.publication is None else f"figures to {figures.day(here.publication.as_of_date)}"


def panel(draw: Callable[Given, None]) -> Callable[Given, None]:
    """A part of a page that reruns alone. It looks the session up again and explains its own errors."""

    @st.fragment
    @functools.wraps(draw)
    def guarded(*args: Given.args, **kwargs: Given.kwargs) -> None:
        # ended, or drawn beside a page of figures that have been replaced: the whole page begins anew
        if visit.is_fragment_run() and (visit.begin() is None or visit.is_beside_another_build()):
            st.rerun()
        try:
            draw(*args, **kwargs)
            tell()
        except Exception as error:
            explain(error)

    return guarded


def confirm(message: str) -> None:
    """Keep a confirmation, our own Markdown, until the next thing that draws tells it.

    A callback must not draw: in a fragment's run its elements would land in the place of others.
    """
    st.session_state["confirmation"] = message


def say(place: str, message: str) -> None:
    """Keep a confirmation, our own Markdown, for where `problem` is shown: a message that floats over the page would
    cover controls there, and what was changed is still before one's eyes."""
    st.session_state[f"said:{place}"] = message


def tell() -> None:
    """Say what the last click did, once, and let the browser drop the drafts of what it stored."""
    kept_fields.drop_forgotten()
    message = st.session_state.pop("confirmation", None)
    if message:
        st.toast(message, icon=":material/check:")


def explain(error: Exception) -> None:
    """Say what happened and what to do next. Unknown errors get a number that also stands in the log."""
    if isinstance(error, NotAuthenticated | BuildReplaced):
        st.rerun()
    if isinstance(error, MartUnavailable):
        empty(error.message, error.hint, icon=":material/hourglass_top:")
        _wait_for_the_first_build()
        return
    st.error(sentence(error), icon=":material/error:")


@st.fragment(run_every="10s")
def _wait_for_the_first_build() -> None:
    """Look every ten seconds, and draw the page again once there is a build to show."""
    if visit.is_fragment_run():
        here = visit.begin(is_background=True)
        if here is None or here.publication is not None:
            st.rerun()


def sentence(error: Exception) -> str:
    """One error as Markdown: what happened, then what to do."""
    if isinstance(error, AppError):
        return " ".join(escaped(part, limit=500) for part in (error.message, error.hint) if part)
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        log.error("no database: %s", type(error).__name__)
        return DOWN
    number = uuid.uuid4().hex[:8]
    log.exception("page failed %s", number, exc_info=error)
    return f"Something went wrong on our side (number {number}). Reload the page; what you typed is kept."


def remember(place: str, error: Exception) -> None:
    """Keep what a click met until `problem` shows it in the panel it belongs to."""
    st.session_state[f"problem:{place}"] = error


def forget(place: str) -> None:
    """The next click went well."""
    st.session_state.pop(f"problem:{place}", None)


def met(place: str) -> Exception | None:
    """What the last click in `place` met, without showing it."""
    return st.session_state.get(f"problem:{place}")


def problem(place: str) -> Exception | None:
    """Show what the last click in `place` met, and return it; a stale version lists what the other person changed. What
    went well and was said for here is shown once."""
    said = st.session_state.pop(f"said:{place}", None)
    error = met(place)
    if error is None:
        if said:
            st.success(said, icon=":material/check:")
        return None
    with st.container(key=f"problem_{place}".replace(":", "_")):
        text = sentence(error)
        if isinstance(error, StaleVersion):
            text += "".join(f"\n\n- {line}" for line in map(_change, error.changes[-6:]))
            st.warning(text, icon=":material/sync_problem:")
        else:
            st.error(text, icon=":material/error:")
    return error


def _change(event: Any) -> str:
    """One event of somebody else, in a line."""
    field = escaped((getattr(event, "field", None) or event.kind).replace("_", " "))
    after = event.after if isinstance(event.after, str | int | float) else ""
    return f"**{escaped(event.actor_name)}**: {field}" + (
        f" is now {escaped(str(after).replace('_', ' '))}" if after != "" else ""
    )


def empty(title: str, hint: str = "", *, icon: str = ":material/check_circle:") -> None:
    """A designed empty state: one sentence, and what to do or expect next."""
    with st.container(border=True):
        st.markdown(f":gray[{icon}] **{escaped(title)}**" + (f" :gray[{escaped(hint)}]" if hint else ""))


def heading(title: str, note: str = "", *, metric: str | None = None) -> None:
    """Title of a panel: bold body text, its note small and grey; `metric` defines what the panel draws."""
    st.markdown(
        f"**{title}**" + (f" :small[:gray[{note}]]" if note else ""),
        help=metrics()[metric].definition if metric else None,
    )


def aside(text: str) -> None:
    """A quiet line of our own Markdown; Streamlit's own captions are too pale to be read."""
    st.markdown(f":small[:gray[{text}]]")
