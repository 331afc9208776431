"""One user in a dialog: what an admin says of them, their sessions, and letting them go without losing their work.

What differs is written in one transaction, each step on the version the one before it made; a colleague's change in
between is told, and what was chosen stays in the fields.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app import sessions, users
from app.auth import Identity, Role
from app.errors import InvalidInput
from app.ui import frame, kept_fields, regions, settings_data, settings_factor, settings_leaving, visit, writes
from app.ui.kept_fields import Field
from app.ui.text import escaped
from app.users import User

_OPEN = "settings:user"
NEW = "new"
PLACE = "settings:user"
ROLE_WORDS = {
    "csm": "CSM: works actions and answers suggestions",
    "admin": "Admin: everything, for everybody",
    "analyst": "Analyst: reads",
}
NOT_OWNER = ""
MOST_HOURS = 168.0


def open_one(user_id: UUID) -> None:
    """Callback: the next run shows this person."""
    _start(str(user_id))


def open_new() -> None:
    """Callback: the next run shows the form for a new person."""
    _start(NEW)


def _start(what: str) -> None:
    close()
    st.session_state[_OPEN] = what
    frame.forget(PLACE)


def close() -> None:
    """Nothing is open any more, and the fields start anew."""
    st.session_state.pop(_OPEN, None)
    for key in [key for key in st.session_state if str(key).startswith("user_field_")]:
        del st.session_state[key]


def dialogs() -> None:
    """Whichever dialog was asked for."""
    wanted = st.session_state.get(_OPEN)
    if wanted == NEW:
        _new()
    elif wanted:
        _one(UUID(wanted))


def _subject(user: User | None) -> str:
    """What the kept fields of a person belong to; a password is never kept."""
    return f"user:{user.user_id if user else NEW}"


def _fields(user: User | None, here: visit.Visit) -> dict[str, Any]:
    """The fields that a new person and a known one share."""
    key = f"user_field_{user.user_id.hex if user else NEW}"
    given: dict[str, Any] = {}
    started: dict[str, Field] = {}

    def begin(name: str, start: Any, take: Callable[[Any], Any]) -> str:
        """The key of a widget that starts with `start`, and what the browser keeps of it. One that nobody touched
        follows a colleague's change, else it would be taken for a change of this person's."""
        widget = f"{key}_{name}"
        started[name] = Field(widget, start, take)
        before = st.session_state.get(f"{widget}_start", start)
        if st.session_state.setdefault(widget, start) == before:
            st.session_state[widget] = start
        st.session_state[f"{widget}_start"] = start
        return widget

    left, right = st.columns(2, gap="small")
    with left:
        name = begin("name", user.display_name if user else "", kept_fields.text(120))
        given["display_name"] = st.text_input("Name", max_chars=120, key=name, live="300ms")
        roles = list(ROLE_WORDS)
        given["role"] = st.selectbox(
            "Role",
            roles,
            format_func=lambda code: ROLE_WORDS[code],
            key=begin("role", user.role.value if user else roles[0], kept_fields.one_of(roles)),
        )
    with right:
        if user is None:
            email = begin("email", "", kept_fields.text(320))
            given["email"] = st.text_input("E-mail", max_chars=320, key=email, live="300ms")
        names = settings_data.owner_emails(here)
        if user is not None and user.owner_email:
            names.setdefault(user.owner_email, user.owner_email)
        owners = [NOT_OWNER, *sorted(names, key=lambda one: names[one].lower())]
        given["owner_email"] = st.selectbox(
            "Owner in the CRM",
            owners,
            format_func=lambda one: f"{names[one]} ({one})" if one else "Owns no accounts",
            key=begin("owner", (user.owner_email if user else None) or NOT_OWNER, kept_fields.one_of(owners)),
            help="The accounts of this owner are theirs to work.",
        )
        minutes = user.weekly_capacity_minutes if user else users.DEFAULT_CAPACITY_MINUTES
        hours = st.number_input(
            "Hours a week for actions",
            min_value=0.0,
            max_value=MOST_HOURS,
            step=0.5,
            format="%.1f",
            key=begin("hours", minutes / 60, kept_fields.number(0, MOST_HOURS)),
        )
        given["weekly_capacity_minutes"] = round(float(hours) * 60)
    if user is not None:
        left, right = st.columns(2, gap="small")
        with left:
            zones = settings_data.zones()
            zone = begin("zone", user.time_zone, kept_fields.one_of(zones))
            given["time_zone"] = st.selectbox("Time zone", zones, key=zone)
        with right:
            known = regions.regions()
            given["holiday_region"] = st.selectbox(
                "Public holidays of",
                known,
                format_func=regions.region_name,
                key=begin("region", user.holiday_region, kept_fields.one_of(known)),
            )
    kept_fields.fields(_subject(user), started)
    return given


@st.dialog("Add user", width="medium", on_dismiss=close)
def _new() -> None:
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None:
        st.rerun()
    given = _fields(None, here)
    given["password"] = st.text_input(
        "First password",
        type="password",
        autocomplete="new-password",
        key="user_field_new_password",
        help="Tell it to them in person; they change it under Preferences.",
    )
    frame.problem(PLACE)
    st.button("Add user", type="primary", key="user_create", on_click=_create, args=(given,))
    if st.session_state.get(_OPEN) is None:
        st.rerun()


def _create(given: dict[str, Any]) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> User:
        wanted = {**given, "owner_email": given["owner_email"] or None}
        return users.create_user(db, actor=actor, now=now, **wanted)

    if writes.perform(write, place=PLACE, done=lambda user: f"{escaped(user.display_name)} may sign in."):
        kept_fields.forget(_subject(None))
        close()


def changes(user: User, given: dict[str, Any]) -> dict[str, Any]:
    """What differs from the person as they are."""
    stored = {**{name: getattr(user, name) for name in given}, "owner_email": user.owner_email or NOT_OWNER}
    return {name: value for name, value in given.items() if value != stored[name]}


@st.dialog("User", width="medium", on_dismiss=close)
def _one(user_id: UUID) -> None:
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None or st.session_state.get(_OPEN) is None:
        st.rerun()
    user = settings_data.user(user_id)
    since = f"since {user.created_at.day} {user.created_at:%b %Y}"
    state = "" if user.is_active else " :gray-badge[Deactivated]"
    st.markdown(f"**{escaped(user.display_name)}** :gray[{escaped(user.email)} · {since}]{state}")
    if not user.is_active:
        st.markdown(":gray[Nobody signs in as this person. With their old password they could again.]")
        frame.problem(PLACE)
        st.button(
            "Reactivate",
            type="primary",
            key="user_reactivate",
            on_click=_reactivate,
            args=(user.user_id, user.version),
        )
        return
    has_factor = settings_data.has_second_factor(user.user_id)
    changed = changes(user, _fields(user, here))
    frame.problem(PLACE)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        version = writes.seen_version(user.user_id, user.version)
        st.button(
            "Save changes",
            type="primary",
            key="user_save",
            disabled=not changed,
            on_click=_save,
            args=(user.user_id, version, changed),
        )
        with st.popover("End sessions", key="user_sessions"):
            st.markdown("They are signed out everywhere and can sign in again.")
            st.button("End all sessions", key="user_end_sessions", on_click=_end_sessions, args=(user.user_id,))
        if user.user_id != here.identity.user_id:
            st.toggle("Deactivate…", key="user_field_leaving")
        if has_factor:
            st.toggle("Take the authenticator app away…", key=settings_factor.TOGGLE)
    if changed.get("role") == Role.ANALYST.value:
        st.markdown(":orange[Analysts work no actions: give their open ones to somebody else in Assignments.]")
    if st.session_state.get("user_field_leaving"):
        settings_leaving.draw(user, here, place=PLACE, done=close)
    if has_factor and st.session_state.get(settings_factor.TOGGLE):
        settings_factor.draw(user, here, place=PLACE)


def _save(user_id: UUID, version: int, changed: dict[str, Any]) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> User:
        profile = {name: value for name, value in changed.items() if name not in ("role", "weekly_capacity_minutes")}
        user = users.get_user(db, user_id)
        base = {"actor": actor, "now": now, "user_id": user_id}
        known = version
        if profile:
            user = users.set_profile(db, **base, **profile, expected_version=known)
            known = user.version
        if "role" in changed:
            user = users.change_role(db, **base, role=changed["role"], expected_version=known)
            known = user.version
        if "weekly_capacity_minutes" in changed:
            minutes = changed["weekly_capacity_minutes"]
            user = users.set_capacity(db, **base, weekly_capacity_minutes=minutes, expected_version=known)
        return user

    saved = writes.perform(write, place=PLACE, done=lambda user: f"{escaped(user.display_name)} is saved.")
    if saved:
        kept_fields.forget(_subject(saved))
        close()


def _reactivate(user_id: UUID, version: int) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> User:
        return users.reactivate(db, actor=actor, now=now, user_id=user_id, expected_version=version)

    if writes.perform(write, place=PLACE, done=lambda user: f"{escaped(user.display_name)} may sign in again."):
        close()


def _end_sessions(user_id: UUID) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> int:
        if user_id == actor.user_id:
            raise InvalidInput("user_id", "These are your own sessions.", hint="Sign out, or change your password.")
        return sessions.end_all_of(db, actor=actor, now=now, user_id=user_id)

    writes.perform(write, place=PLACE, done="They are signed out everywhere.")
