"""Every click that writes goes through `perform`: session, transaction, error sentence and confirmation in one place.

Callbacks run before the script, on a socket that may have outlived its session, so the session is looked up here
again. The idempotency key is minted when a form is drawn, not when it is sent: a double click and a resent message
are one act.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.db import unit_of_work
from app.errors import NotAuthenticated, StaleVersion
from app.ui import frame, visit

Answer = TypeVar("Answer")


def perform(
    write: Callable[[Connection, Identity, datetime], Answer],
    *,
    place: str,
    done: str | Callable[[Answer], str] = "",
    said_at: str | None = None,
) -> Answer | None:
    """Run one service call in its own transaction and answer what it answered, or None when it was refused.

    Meant for callbacks: it draws nothing itself. `write` receives the connection, the actor and now. `place` names
    the panel that shows a refusal (`frame.problem`), `done` is the confirmation, our own Markdown, or makes it from
    the answer; it floats over the page, or with `said_at` stands in that panel.
    """
    try:
        here = visit.begin()
        if here is None:
            raise NotAuthenticated("Your session has ended.", hint="Sign in again; drafts are kept in this browser.")
        with unit_of_work() as db:
            answer = write(db, here.identity, here.now)
    except Exception as error:
        frame.remember(place, error)
        if isinstance(error, StaleVersion):
            _saw(error.current)
        return None
    frame.forget(place)
    message = done(answer) if callable(done) else done
    if message and said_at:
        frame.say(said_at, message)
    elif message:
        frame.confirm(message)
    return answer


def form_key(name: str) -> str:
    """The idempotency key of a form: the same over reruns until `renew_form` is called for it."""
    return st.session_state.setdefault(f"form_key:{name}", uuid.uuid4().hex)


def renew_form(name: str) -> None:
    """After a success: the next sending of this form is a new act."""
    st.session_state.pop(f"form_key:{name}", None)


def _saw(current: Any) -> None:
    """What somebody else changed is about to be shown, so the next click is based on it."""
    key = getattr(current, "action_id", None) or getattr(current, "suggestion_id", None)
    st.session_state[f"seen_version:{key}"] = current.version


def seen_version(key: UUID, drawn: int) -> int:
    """The newest version of an action or suggestion that the person has been shown, at least the one that was drawn."""
    return max(drawn, st.session_state.get(f"seen_version:{key}", 0))
