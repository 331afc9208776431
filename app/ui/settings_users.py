"""Users: who may sign in and as what, with the list first and everything about one person in a dialog."""

from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st

from app.auth import Role
from app.front import front_origin
from app.settings import get_settings
from app.ui import figures, frame, settings_data, settings_user, tables, visit
from app.ui.text import shortened

ROLES = {Role.CSM: "CSM", Role.ADMIN: "Admin", Role.ANALYST: "Analyst"}
_COLOURS = {"CSM": "blue", "Admin": "violet", "Analyst": "gray"}


def show() -> None:
    """Everybody in a table; a dialog over it when somebody was chosen."""
    table()
    settings_user.dialogs()


def table() -> None:
    """Everybody, active people first. No panel of its own: a dialog opens from it, over the whole page."""
    here = visit.current()
    everybody = settings_data.people()
    open_counts = settings_data.open_counts(here)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        active = sum(person.is_active for person in everybody)
        gone = f", {len(everybody) - active} deactivated" if active < len(everybody) else ""
        st.markdown(f"**Users** :small[:gray[{active} active{gone}]]", width="content")
        st.text_input(
            "Find a person",
            placeholder="Find a person",
            type="search",
            live="300ms",
            icon=":material/search:",
            key="find_user",
            bind="query-params",
            label_visibility="collapsed",
            width=200,
        )
        st.button("Add user", icon=":material/person_add:", key="add_user", on_click=settings_user.open_new)
        if get_settings().public_url:  # a page of the shell, which the front door serves
            address = f"{front_origin()}/security"
            st.markdown(f":small[Second factor per role: [Sign-in and security]({address})]", width="content")
    find = (st.session_state.get("find_user") or "").strip().lower()
    shown = [one for one in everybody if find in f"{one.display_name} {one.email} {one.owner_email or ''}".lower()]
    shown.sort(key=lambda one: not one.is_active)
    if not shown:
        frame.empty("Nobody is called that.", "Search for a part of a name or an address.")
        return
    ids = [one.user_id for one in shown]
    cells = pd.DataFrame(
        {
            "name": [tables.plain(shortened(one.display_name, limit=60)) for one in shown],
            "role": [[ROLES[one.role]] for one in shown],
            "state": [["Active" if one.is_active else "Deactivated"] for one in shown],
            "email": [one.email for one in shown],
            "owner": [_owner(one.owner_email, one.email) for one in shown],
            "open": [open_counts.get(one.user_id, 0) for one in shown],
            "hours": [figures.hours(one.weekly_capacity_minutes) for one in shown],
            "region": [f"{one.holiday_region}, {one.time_zone.split('/')[-1].replace('_', ' ')}" for one in shown],
            "edit": ["Edit"] * len(shown),
        }
    )
    # together they just fit a window of 1024 px
    columns = {
        "name": tables.link("Name", "user_name", partial(_open, "user_name", ids), 140),
        "role": tables.chip("Role", list(_COLOURS), list(_COLOURS.values()), 76),
        "state": tables.chip("State", ["Active", "Deactivated"], ["green", "gray"], 102),
        "email": tables.text("E-mail", 206),
        "owner": tables.text("CRM owner", 110),
        "open": tables.number("Open", 52, "%d", metric="open_actions"),
        "hours": tables.spelled("h a week", 76, metric="capacity_hours"),
        "region": tables.text("Works in", 134),
        "edit": tables.open_button("user_edit", partial(_open, "user_edit", ids)),
    }
    tables.show(cells, columns, key="users_table", alt="Users", most=20)


def _owner(owner_email: str | None, email: str) -> str:
    return "–" if owner_email is None else "same address" if owner_email == email else owner_email


def _open(key: str, ids: list[UUID]) -> None:
    row = tables.clicked_row(key)
    if row is not None and 0 <= row < len(ids):
        settings_user.open_one(ids[row])
