"""Choosing somebody of an account: from its contacts with their roles, or typed, for whoever the CRM does not know."""

from collections.abc import Callable, Mapping

import streamlit as st

from app.errors import MartUnavailable
from app.marts.people import Contact
from app.ui import account_data, visit, words
from app.ui.text import shortened


def known(account_key: str | None) -> Mapping[str, str | None]:
    """Names of the contacts who are still there with their roles, champions first; nothing before the first build."""
    if not account_key:
        return {}
    try:
        found: list[Contact] = account_data.of_account("contacts", account_key, visit.current())
    except MartUnavailable:
        return {}
    return {
        contact.contact_name: contact.stakeholder_role
        for contact in found
        if contact.contact_name and not contact.has_left
    }


def pick(
    label: str, people: Mapping[str, str | None], key: str, *, on_change: Callable[[], None] | None = None
) -> str | None:
    """A name of the list or a typed one; None for nobody."""

    def shown(name: str) -> str:
        known_role = people.get(name)
        role_word = (
            words.word(words.STAKEHOLDER_ROLES, known_role).lower() if known_role and known_role != "unknown" else ""
        )
        return shortened(name, limit=60) + (f" · {role_word}" if role_word else "")

    options = list(people)
    held = st.session_state.get(key)
    if held and held not in options:
        options.append(held)
    return st.selectbox(
        label,
        options,
        index=None,
        format_func=shown,
        placeholder="Choose, or type a name",
        accept_new_options=True,
        key=key,
        on_change=on_change,
    )


def role(label: str, key: str) -> None:
    """The role of a stakeholder, or none."""
    st.selectbox(
        label,
        list(words.STAKEHOLDER_ROLES),
        index=None,
        format_func=lambda code: words.STAKEHOLDER_ROLES[code],
        placeholder="–",
        key=key,
    )
