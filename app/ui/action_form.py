"""The fields of an action: one form for a new one, for editing, and for accepting a suggestion with changes.

Fields do not rerun anything while they are filled in (`on_change="ignore"`); what they hold arrives together with the
click that sends the form. The reason is typed into a composer, so that a reload or an expired session does not lose it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import streamlit as st

from app.auth import Role
from app.calendar import add_business_days
from app.ui import visit, words
from app.ui.composer import composer

REASON_CHARACTERS = 200
NOBODY = "nobody"


@dataclass(frozen=True)
class Prefill:
    """What a form starts with, from the place it was opened at."""

    intervention: str = "diagnostic_call"
    action_type: str = "risk"
    priority: str = "medium"
    title: str = ""
    due_date: date | None = None
    reason: str = ""
    stakeholder: str = ""
    owner_user_id: UUID | None = None


@dataclass(frozen=True)
class Person:
    """Somebody an action can be given to."""

    user_id: UUID
    name: str


def _choice(label: str, codes: Mapping[str, str], start: str, key: str) -> None:
    options = list(codes)
    # the option itself, not the equal member of an enum: Streamlit would try to convert that
    st.session_state.setdefault(key, options[options.index(start)] if start in options else options[0])
    st.selectbox(label, options, format_func=lambda code: words.word(codes, code), key=key, on_change="ignore")


def _typed(key: str, start: Any) -> None:
    st.session_state.setdefault(key, start)


def draw(
    name: str,
    prefill: Prefill,
    *,
    button: str,
    subject: str,
    send: Callable[[dict[str, Any], str], bool],
    people: Sequence[Person] = (),
) -> None:
    """Draw the form. `send(values, idempotency_key)` gets the columns of an action and answers whether it was stored.

    `name` makes the keys of its widgets; `subject` is what the draft of the reason belongs to. `people` non-empty draws
    the owner, for those who may assign.
    """
    here = visit.current()
    due = prefill.due_date or add_business_days(here.today, 3)
    left, right = st.columns(2, gap="small")
    with left:
        _choice("What to do", words.INTERVENTIONS, prefill.intervention, f"{name}_intervention")
        _choice("Kind", words.ACTION_TYPES, prefill.action_type, f"{name}_type")
    with right:
        _choice("Priority", words.PRIORITIES, prefill.priority, f"{name}_priority")
        _typed(f"{name}_due", max(due, here.today))
        st.date_input("Due", min_value=here.today, format="DD/MM/YYYY", key=f"{name}_due", on_change="ignore")
    _typed(f"{name}_title", prefill.title)
    st.text_input(
        "Title",
        max_chars=200,
        placeholder="As what to do, unless you name it",
        key=f"{name}_title",
        on_change="ignore",
    )
    if people and here.identity.role is Role.ADMIN:
        _owner(name, prefill, people)

    def save(reason: str, idempotency_key: str) -> bool:
        return send(_values(name, reason, prefill), idempotency_key)

    st.markdown(":small[Why now]")
    composer(
        f"{name}_reason",
        user_id=str(here.identity.user_id),
        subject=subject,
        label="Why now",
        save=save,
        button=button,
        placeholder="The reason in a line, with a figure where there is one",
        start=words.reason_shown(prefill.reason),
        is_optional=True,
        limit=REASON_CHARACTERS,
        height=56,
    )


def _owner(name: str, prefill: Prefill, people: Sequence[Person]) -> None:
    names = {str(person.user_id): person.name for person in people} | {NOBODY: "Nobody yet: the queue"}
    start = str(prefill.owner_user_id) if prefill.owner_user_id else NOBODY
    _choice("Owner", names, start, f"{name}_owner")


def _values(name: str, reason: str, prefill: Prefill) -> dict[str, Any]:
    """The columns as the form holds them when it is sent."""
    given = st.session_state
    intervention = given[f"{name}_intervention"]
    values: dict[str, Any] = {
        "intervention": intervention,
        "action_type": given[f"{name}_type"],
        "priority": given[f"{name}_priority"],
        "due_date": given[f"{name}_due"],
        "title": (given[f"{name}_title"] or "").strip() or words.word(words.INTERVENTIONS, intervention),
        "reason": words.reason_stored(reason),
        "stakeholder": prefill.stakeholder or None,
    }
    owner = given.get(f"{name}_owner")
    values["owner_user_id"] = UUID(owner) if owner and owner != NOBODY else (None if owner else prefill.owner_user_id)
    return values


def forget(name: str) -> None:
    """After a success the next form of this name starts afresh."""
    for field in ("intervention", "type", "priority", "due", "title", "owner"):
        st.session_state.pop(f"{name}_{field}", None)
