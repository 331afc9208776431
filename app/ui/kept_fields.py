"""Fields that a reload does not empty: the browser keeps what was changed in them, as it keeps the text of a composer.

Only what differs from what the form started with is kept. The trap avoided: a form that comes back whole would put the
old values of fields nobody touched over what a colleague has stored since.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit.components import v2

from app.ui import visit

_ASSETS = Path(__file__).parent / "assets"
_GONE = "kept_fields:gone"


@dataclass(frozen=True)
class Field:
    """A widget by its key, what it starts with, and how a kept value is taken: it comes from the browser, so `take`
    raises TypeError or ValueError for what the widget could not hold."""

    key: str
    start: Any
    take: Callable[[Any], Any]


def one_of(options: Collection[Any]) -> Callable[[Any], Any]:
    """Takes one of the options."""

    def take(value: Any) -> Any:
        if isinstance(value, list | dict) or value not in options:
            raise ValueError("not among the options")
        return value

    return take


def text(limit: int) -> Callable[[Any], str]:
    """Takes a text, cut at the limit of its field."""

    def take(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError("not a text")
        return value[:limit]

    return take


def number(lowest: float, highest: float) -> Callable[[Any], float]:
    """Takes a number between both."""

    def take(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ValueError("not a number of this field")
        return value

    return take


def day(*, earliest: date = date.min, latest: date = date.max) -> Callable[[Any], date]:
    """Takes an ISO date between both."""

    def take(value: Any) -> date:
        found = date.fromisoformat(value)
        if not earliest <= found <= latest:
            raise ValueError("not a day of this field")
        return found

    return take


@lru_cache(maxsize=1)
def _component() -> Any:
    """Registered once, at its first use: importing this module does no work."""
    js = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in ("drafts.js", "fields.js"))
    return v2.component("account_intelligence_kept_fields", js=js)


def _user() -> str:
    return str(visit.current().identity.user_id)


def keep(subject: str, changed: Mapping[str, Any], restore: Callable[[Mapping[str, Any]], None]) -> None:
    """Keep JSON values under a subject such as `contact:<id>`; nothing changed is nothing to keep.

    When a page that shows nothing changed is opened and the browser has kept something, `restore` gets it, in a
    callback; it must check what it gets. Call it once per subject and run, after the fields.
    """
    key = "kept_" + "".join(letter if letter.isalnum() else "_" for letter in subject)

    def on_restored() -> None:
        kept = st.session_state[f"{key}_fields"].get("restored")
        if isinstance(kept, dict):
            restore(kept)

    with st.container(key=key):
        _component()(
            key=f"{key}_fields",
            data={
                "user": _user(),
                "subject": subject,
                "choices": dict(changed),
                "isUntouched": not changed,
                "gone": None,
            },
            height=1,
            on_restored_change=on_restored,
        )


def fields(subject: str, known: Mapping[str, Field]) -> None:
    """Keep what was changed in widgets of a form. Call it after they are drawn."""
    held = {name: st.session_state.get(field.key, field.start) for name, field in known.items()}
    keep(
        subject,
        {name: stored(value) for name, value in held.items() if value != known[name].start},
        lambda kept: give_back(kept, known),
    )


def stored(value: Any) -> Any:
    """A widget's value as JSON."""
    return value.isoformat() if isinstance(value, date) else value


def give_back(kept: Mapping[str, Any], known: Mapping[str, Field]) -> None:
    """Put kept values into their widgets, each only when it could stand there. For callbacks."""
    for name, field in known.items():
        if name not in kept:
            continue
        try:
            st.session_state[field.key] = None if kept[name] is None else field.take(kept[name])
        except (TypeError, ValueError):
            continue


def forget(*subjects: str) -> None:
    """Callback: it was stored or thrown away, so the browser drops what it keeps, a composer's text of the subject too.

    Needed where the form closes with the click that sends it: then nothing is left on the page to be told.
    """
    _gone()["subjects"] += subjects


def forget_text(idempotency_key: str) -> None:
    """Callback: the text that was sent with this key is stored. One changed since has another key, and stays."""
    _gone()["keys"].append(idempotency_key)


def _gone() -> dict[str, list[str]]:
    return st.session_state.setdefault(_GONE, {"subjects": [], "keys": []})


def drop_forgotten() -> None:
    """Let the browser drop what was forgotten since the last run; the frame calls it after a page and after a panel."""
    forgotten = st.session_state.pop(_GONE, None)
    if forgotten is None:
        return
    # an id, so that a component drawn again with the same list drops no draft begun since
    gone = {"id": uuid4().hex, **forgotten}
    with st.container(key=f"kept_gone_{gone['id']}"):
        _component()(
            key=f"kept_fields_{gone['id']}",
            data={"user": _user(), "subject": None, "choices": None, "isUntouched": True, "gone": gone},
            height=1,
        )
