"""The fields of an action: one form for a new one, for editing, and for accepting a suggestion with changes.

In a new one the treatment proposes the kind, and the kind its priority, due date and reasons; what was set by hand
stays. The reason is typed into a composer, and the browser keeps the other fields beside it, so that a reload or an
expired session loses none of them.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import streamlit as st

from app.actions.defaults import Defaults
from app.auth import Role
from app.calendar import add_business_days
from app.ui import kept_fields, people_picker, shortcuts, visit, words
from app.ui.composer import composer
from app.ui.kept_fields import Field

REASON_CHARACTERS = 200
NOBODY = "nobody"
TITLE_CHARACTERS = 200
FIELDS = ("intervention", "type", "priority", "due", "title", "owner", "stakeholder", "why", "given")

# the widget that holds a column; the reason is typed into a composer, which keeps its own text
WIDGETS = {
    "intervention": "intervention",
    "action_type": "type",
    "priority": "priority",
    "due_date": "due",
    "title": "title",
    "stakeholder": "stakeholder",
    "owner_user_id": "owner",
}


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


def _choice(
    label: str, codes: Mapping[str, str], start: str, key: str, on_change: Callable[[], None] | None = None
) -> None:
    options = list(codes)
    # the option itself, not the equal member of an enum: Streamlit would try to convert that
    st.session_state.setdefault(key, options[options.index(start)] if start in options else options[0])
    st.selectbox(
        label, options, format_func=lambda code: words.word(codes, code), key=key, on_change=on_change or "rerun"
    )


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
    account_key: str | None = None,
    defaults: Defaults | None = None,
    starts_at_title: bool = False,
    missing: str = "",
    instead: str | None = None,
    keeps_fields: bool = True,
) -> None:
    """Draw the form. `send(values, idempotency_key)` gets the columns of an action and answers whether it was stored.

    `name` makes the keys of its widgets; `subject` is what the draft of the reason belongs to. `people` non-empty draws
    the owner, for those who may assign; `account_key` the stakeholder, from that account's contacts
    (empty: no account is chosen yet). With `defaults`,
    those of a new action, one field proposes the next. `starts_at_title` when nothing before it is to be filled in.
    `missing` names what keeps the button off; `instead` is a reason to write on in place of one's own, whose draft
    stays. Without `keeps_fields` the caller keeps them.
    """
    here = visit.current()
    if defaults is not None:
        _propose(name, prefill, defaults)
    names = defaults.offered_interventions() if defaults else words.INTERVENTIONS
    types = defaults.offered_types() if defaults else words.ACTION_TYPES
    left, right = st.columns(2, gap="small")
    with left:
        treated = None if defaults is None else (lambda: _treatment_chosen(name, defaults))
        _choice("What to do", names, prefill.intervention, f"{name}_intervention", treated)
        turned = None if defaults is None else (lambda: _type_chosen(name, defaults))
        _choice("Kind", types, prefill.action_type, f"{name}_type", turned)
    with right:
        _choice("Priority", words.PRIORITIES, prefill.priority, f"{name}_priority")
        if defaults is None:
            # what is overdue, or has no date, stays so until somebody changes just that
            _typed(f"{name}_due", prefill.due_date)
        else:
            _typed(f"{name}_due", max(prefill.due_date or add_business_days(here.today, 3), here.today))
        day = st.session_state[f"{name}_due"]
        earliest = min(day or here.today, here.today) if defaults is None else here.today
        st.date_input("Due", value=None, min_value=earliest, format="DD/MM/YYYY", key=f"{name}_due")
    left, right = st.columns(2, gap="small")
    with left, shortcuts.start_here() if starts_at_title else nullcontext():
        _typed(f"{name}_title", prefill.title)
        st.text_input(
            "Title",
            max_chars=TITLE_CHARACTERS,
            placeholder="As what to do, unless you name it",
            key=f"{name}_title",
            live="300ms",
        )
    with right:
        if account_key is not None:
            _typed(f"{name}_stakeholder", prefill.stakeholder or None)
            people_picker.pick("Stakeholder", people_picker.known(account_key), f"{name}_stakeholder")
    if people and here.identity.role is Role.ADMIN:
        _owner(name, prefill, people)
    if defaults is not None:
        _reasons(name, defaults)

    def save(reason: str, idempotency_key: str) -> bool:
        return send(_values(name, reason, prefill, defaults), idempotency_key)

    if defaults is None:
        st.markdown(":small[Why now]")
    composer(
        f"{name}_reason" if instead is None else f"{name}_reason_instead",
        user_id=str(here.identity.user_id),
        subject=subject if instead is None else instead_of(subject),
        label="Why now",
        save=save,
        button=button,
        placeholder="The reason in a line, with a figure where there is one",
        missing=missing,
        start=words.reason_shown(prefill.reason if instead is None else instead),
        is_optional=True,
        is_sent_from_anywhere=True,
        limit=REASON_CHARACTERS,
        height=56,
        choices=_held(name) if keeps_fields else None,
        is_untouched=st.session_state[f"{name}_title"] == prefill.title,
        restore=lambda given: kept_fields.give_back(given, kept(name, people, earliest=here.today)),
    )


def kept(name: str, people: Sequence[Person] = (), *, earliest: date = date.min) -> dict[str, Field]:
    """The widget of each column with what it could hold; a due date before `earliest` is moved there."""
    takes: dict[str, Callable[[Any], Any]] = {
        "intervention": kept_fields.one_of(words.INTERVENTIONS),
        "action_type": kept_fields.one_of(words.ACTION_TYPES),
        "priority": kept_fields.one_of(words.PRIORITIES),
        "due_date": lambda value: max(date.fromisoformat(value), earliest),
        "title": kept_fields.text(TITLE_CHARACTERS),
        "stakeholder": kept_fields.text(TITLE_CHARACTERS),
        "owner_user_id": kept_fields.one_of([NOBODY, *(str(person.user_id) for person in people)]),
    }
    return {column: Field(f"{name}_{WIDGETS[column]}", None, take) for column, take in takes.items()}


def _held(name: str) -> dict[str, Any]:
    """What the browser keeps of a new action beside its reason, so that a reload loses none of it."""
    return {
        column: kept_fields.stored(st.session_state[f"{name}_{widget}"])
        for column, widget in WIDGETS.items()
        if f"{name}_{widget}" in st.session_state
    }


def _propose(name: str, prefill: Prefill, defaults: Defaults) -> None:
    """The first time: what the treatment and its kind propose, where the place it was opened at says nothing."""
    if f"{name}_intervention" in st.session_state:
        return
    offered = defaults.offered_interventions()
    st.session_state[f"{name}_intervention"] = (
        prefill.intervention if prefill.intervention in offered else next(iter(offered))
    )
    _treatment_chosen(name, defaults)
    if prefill.due_date is not None:
        st.session_state[f"{name}_due"] = prefill.due_date


def _treatment_chosen(name: str, defaults: Defaults) -> None:
    st.session_state[f"{name}_type"] = defaults.type_of(st.session_state[f"{name}_intervention"])
    _type_chosen(name, defaults)


def _type_chosen(name: str, defaults: Defaults) -> None:
    """Priority and due date follow the kind, each as long as nobody set it by hand."""
    state = st.session_state
    given = state.get(f"{name}_given", {})
    chosen = state[f"{name}_type"]
    proposed = {"priority": defaults.priority_of(chosen), "due": defaults.due_of(chosen)}
    for field, value in proposed.items():
        if field not in given or state.get(f"{name}_{field}") == given[field]:
            state[f"{name}_{field}"] = value
    state[f"{name}_given"] = proposed
    state.pop(f"{name}_why", None)


def _reasons(name: str, defaults: Defaults) -> None:
    """The reasons of the chosen kind, one tap each."""
    offered = defaults.offered_reasons(st.session_state[f"{name}_type"])
    if offered:
        st.pills("Why now", list(offered), format_func=lambda code: offered[code], key=f"{name}_why")
    else:
        st.markdown(":small[Why now]")


def _owner(name: str, prefill: Prefill, people: Sequence[Person]) -> None:
    names = {str(person.user_id): person.name for person in people} | {NOBODY: "Nobody yet: the queue"}
    start = str(prefill.owner_user_id) if prefill.owner_user_id else NOBODY
    _choice("Owner", names, start, f"{name}_owner")


def _values(name: str, reason: str, prefill: Prefill, defaults: Defaults | None) -> dict[str, Any]:
    """The columns as the form holds them when it is sent."""
    given = st.session_state
    intervention = given[f"{name}_intervention"]
    labels = defaults.offered_interventions() if defaults else words.INTERVENTIONS
    typed, tapped = words.reason_stored(reason), given.get(f"{name}_why")
    if defaults is not None and tapped and typed and typed != tapped:
        typed = f"{defaults.reasons.label(tapped)}: {typed}"[:REASON_CHARACTERS]
    stakeholder = given.get(f"{name}_stakeholder", prefill.stakeholder)
    values: dict[str, Any] = {
        "intervention": intervention,
        "action_type": given[f"{name}_type"],
        "priority": given[f"{name}_priority"],
        "due_date": given[f"{name}_due"],
        "title": (given[f"{name}_title"] or "").strip() or words.word(labels, intervention),
        "reason": typed or tapped,
        "stakeholder": (stakeholder or "").strip() or None,
    }
    owner = given.get(f"{name}_owner")
    values["owner_user_id"] = UUID(owner) if owner and owner != NOBODY else (None if owner else prefill.owner_user_id)
    return values


def plain(value: Any) -> Any:
    """A column's value without its enum: a member among plain options is one that Streamlit tries to convert."""
    return value.value if isinstance(value, StrEnum) else value


def held(column: str, value: Any) -> Any:
    """A column's value as its widget holds it."""
    if column == "owner_user_id":
        return str(value) if value else NOBODY
    return plain(value)


def column_of(column: str, value: Any) -> Any:
    """The way back of `held`."""
    if column == "owner_user_id":
        return UUID(value) if value and value != NOBODY else None
    return value


def take_over(name: str, column: str, value: Any) -> None:
    """Callback: put somebody else's newer value into its field."""
    key = f"{name}_{WIDGETS.get(column)}"
    if key in st.session_state:
        st.session_state[key] = held(column, value)


def instead_of(subject: str) -> str:
    """What a draft belongs to that is written on somebody else's reason in place of one's own."""
    return f"{subject}:instead"


def forget(name: str) -> None:
    """After a success the next form of this name starts afresh."""
    for field in FIELDS:
        st.session_state.pop(f"{name}_{field}", None)
