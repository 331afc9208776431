"""Contacts with the customer in an action's panel: a short form to log one, and how the story tells them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions.contacts import log_contact
from app.actions.model import Action, Contact, ContactDraft
from app.auth import Identity
from app.ui import figures, frame, kept_fields, people_picker, visit, words, writes
from app.ui.kept_fields import Field
from app.ui.text import escaped

CONTACTS: Mapping[str, str] = {
    "call": "a call",
    "meeting": "a meeting",
    "email": "an e-mail",
    "in_product": "a contact in the product",
    "on_site": "a visit",
    "other": "a contact",
}
ICONS: Mapping[str, str] = {
    "call": ":material/call:",
    "meeting": ":material/groups:",
    "email": ":material/mail:",
    "in_product": ":material/chat:",
    "on_site": ":material/location_on:",
    "other": ":material/forum:",
}
FIELDS = ("channel", "on", "minutes", "reached", "who", "role")
_LOGGED = "contact:logged"
MOST_MINUTES, NAME_CHARACTERS = 6_000, 200


def place_of(action_id: UUID) -> str:
    """Where refusals of a contact are shown."""
    return f"contact:{action_id}"


def form(action: Action) -> None:
    """A popover with the form; it closes when the contact is logged."""
    here = visit.current()
    key = f"contact_{action.action_id.hex}"
    popover = st.popover("Log contact", icon=":material/call:", key=f"{key}_popover", on_change="rerun")
    if not popover.open:
        return
    people = people_picker.known(action.account_key)
    writes.form_key(place_of(action.action_id))
    with popover, st.container(width=400, gap="small"):
        frame.problem(place_of(action.action_id))
        st.session_state.setdefault(f"{key}_channel", "call")
        st.segmented_control(
            "How",
            list(words.CHANNELS),
            format_func=lambda code: words.CHANNELS[code],
            required=True,
            key=f"{key}_channel",
            wrap=True,
        )
        on, minutes = st.columns(2, gap="small")
        st.session_state.setdefault(f"{key}_on", here.today)
        with on:
            st.date_input("On", max_value=here.today, format="DD/MM/YYYY", key=f"{key}_on")
        with minutes:
            st.number_input(
                "Minutes",
                min_value=0,
                max_value=MOST_MINUTES,
                value=None,
                step=5,
                placeholder="–",
                key=f"{key}_minutes",
            )
        # off until somebody says so: a default that claims a reach would be learnt from
        st.toggle("Somebody was reached", key=f"{key}_reached", on_change=_reach_changed, args=(key,))
        who = people_picker.pick("Who was reached", people, f"{key}_who", on_change=partial(_who_changed, key))
        if who and not people.get(who):
            people_picker.role("Their role", f"{key}_role")
        st.button("Log it", type="primary", key=f"{key}_log", on_click=_log, args=(action, key, dict(people)))
        kept_fields.fields(place_of(action.action_id), _kept(key, here))


def _who_changed(key: str) -> None:
    """Callback: who is named was reached."""
    if st.session_state.get(f"{key}_who"):
        st.session_state[f"{key}_reached"] = True


def _reach_changed(key: str) -> None:
    """Callback: where nobody was reached, nobody is named."""
    if not st.session_state.get(f"{key}_reached"):
        st.session_state[f"{key}_who"] = None


def _kept(key: str, here: visit.Visit) -> dict[str, Field]:
    """What the browser keeps of the form."""
    return {
        "channel": Field(f"{key}_channel", "call", kept_fields.one_of(words.CHANNELS)),
        "on": Field(f"{key}_on", here.today, kept_fields.day(latest=here.today)),
        "minutes": Field(f"{key}_minutes", None, kept_fields.number(0, MOST_MINUTES)),
        "reached": Field(f"{key}_reached", False, kept_fields.one_of([True, False])),
        "who": Field(f"{key}_who", None, kept_fields.text(NAME_CHARACTERS)),
        "role": Field(f"{key}_role", None, kept_fields.one_of(words.STAKEHOLDER_ROLES)),
    }


def _log(action: Action, key: str, people: dict[str, str | None]) -> None:
    given = st.session_state
    was_reached = bool(given.get(f"{key}_reached"))
    who = given.get(f"{key}_who") if was_reached else None
    contact = ContactDraft(
        channel=given.get(f"{key}_channel") or "",
        contacted_on=given.get(f"{key}_on"),
        was_reached=was_reached,
        minutes=given.get(f"{key}_minutes"),
        person_reached=who,
        stakeholder_role_reached=(people.get(who) or given.get(f"{key}_role")) if who else None,
    )
    place = place_of(action.action_id)
    form_key = writes.form_key(place)

    def write(db: Connection, actor: Identity, now: datetime) -> Contact:
        return log_contact(
            db, actor=actor, now=now, action_id=action.action_id, contact=contact, idempotency_key=form_key
        )

    writes.renew_form(place)
    if writes.perform(write, place=place, done="Contact logged.") is None:
        return
    for field in FIELDS:
        given.pop(f"{key}_{field}", None)
    given[f"{key}_popover"] = False
    given[_LOGGED] = True
    kept_fields.forget(place)


def was_logged() -> bool:
    """Whether a contact was logged since the last time this was asked: the outcome's form starts with it."""
    return bool(st.session_state.pop(_LOGGED, False))


def summary(contacts: Sequence[Contact]) -> str:
    """`3 contacts, 1 without reach, 45 min`; empty without any."""
    if not contacts:
        return ""
    missed = sum(1 for contact in contacts if not contact.was_reached)
    minutes = sum(contact.minutes or 0 for contact in contacts)
    parts = [figures.count(len(contacts), "contact")]
    if missed:
        parts.append(f"{missed} without reach")
    if minutes:
        parts.append(figures.duration(minutes))
    return ", ".join(parts)


def told(contact: Contact) -> str:
    """One contact as a line of the story, Markdown."""
    who = f"**{escaped(contact.logged_by_name.split(' ')[0])}**"
    icon = ICONS[contact.channel] if contact.was_reached else ":material/phone_missed:"
    what = CONTACTS[contact.channel]
    if not contact.was_reached:
        text = f"{what}, nobody was reached"
    elif contact.person_reached:
        text = f"{what} with **{escaped(contact.person_reached, limit=80)}**"
    else:
        text = what
    facts = []
    if contact.stakeholder_role_reached and contact.stakeholder_role_reached != "unknown":
        facts.append(words.word(words.STAKEHOLDER_ROLES, contact.stakeholder_role_reached).lower())
    if contact.minutes:
        facts.append(figures.duration(contact.minutes))
    if contact.contacted_on != contact.logged_at.date():
        facts.append(f"on {figures.day(contact.contacted_on, today=contact.logged_at.date())}")
    return f"{who} logged :gray[{icon}] {text}" + (f" :gray[({', '.join(facts)})]" if facts else "")
