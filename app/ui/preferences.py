"""A person's own settings: what they are told and when, where they work, and their password.

Each choice is stored as it is made. What a choice means for this person (the next holidays, the clock there) stands
beside it, because `Europe/Lisbon` alone tells nobody when their digest comes.
"""

from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from app import users
from app.auth import Identity, Permission, can
from app.calendar import time_zones
from app.errors import InvalidInput
from app.notices import outbox
from app.notices.outbox import Channel
from app.ui import figures, frame, regions, settings_data, visit, writes

PLACE = "preferences"
PASSWORD_PLACE = "preferences:password"  # noqa: S105  # the name of a panel
DIGESTS = {"never": "Never", "daily": "Every working day", "weekly": "Once a week"}
_MEANS = {
    "never": "No summary is sent.",
    "daily": "At 07:00 on your working days, when there is something to tell.",
    "weekly": "At 07:00 on the first working day of your week, when there is something to tell.",
}


def show() -> None:
    """What is sent and where the person works on the left, the password on the right."""
    left, right = st.columns([1.25, 1], gap="small")
    with left:
        chosen()
    with right:
        password()


@frame.panel
def chosen() -> None:
    """The choices that are stored as they are made."""
    here = visit.current()
    me = settings_data.user(here.identity.user_id)
    _told(me)
    _place(me, here)
    frame.problem(PLACE)


def _told(me: users.User) -> None:
    with st.container(border=True, gap="small", key="told"):
        frame.heading("What you are told", "everything is in the inbox as well")
        if not outbox.is_configured(Channel.EMAIL):
            st.info("No mail server is set up here: nothing is sent by e-mail.", icon=":material/mail_off:")
        _hold("digest", me.digest.value)
        st.segmented_control(
            "Summary of my work by e-mail",
            list(DIGESTS),
            format_func=lambda code: DIGESTS[code],
            required=True,
            key="digest",
            on_change=_store,
            args=("digest",),
        )
        st.markdown(f":small[:gray[{_MEANS[me.digest.value]}]]")
        _hold("has_notice_mail", me.has_notice_mail)
        st.toggle(
            "Send each notice by e-mail at once", key="has_notice_mail", on_change=_store, args=("has_notice_mail",)
        )
    identity = visit.current().identity
    if any(can(identity, Permission.RATE_ACCOUNT, account_owner_email=email) for email in identity.owner_emails):
        _asked(me)


def _asked(me: users.User) -> None:
    with st.container(border=True, gap="small", key="asked"):
        frame.heading("What you are asked", "only of accounts that are yours or that you cover")
        _hold("is_asked_pulse", me.is_asked_pulse)
        st.toggle(
            "Ask how an account feels before its suggestions are shown",
            key="is_asked_pulse",
            on_change=_store,
            args=("is_asked_pulse",),
        )
        frame.aside("At most once a day for an account, and not again for 14 days after you answered.")


def _place(me: users.User, here: visit.Visit) -> None:
    with st.container(border=True, gap="small", key="where"):
        frame.heading("Where you work", "decides your working days, due dates and when the summary comes")
        left, right = st.columns(2, gap="small")
        with left:
            _hold("time_zone", me.time_zone)
            st.selectbox("Time zone", time_zones(), key="time_zone", on_change=_store, args=("time_zone",))
            st.markdown(f":small[:gray[It is {regions.clock_there(me.time_zone, here.now)} there now.]]")
        with right:
            _hold("holiday_region", me.holiday_region)
            st.selectbox(
                "Public holidays of",
                regions.regions(),
                format_func=regions.region_name,
                key="holiday_region",
                on_change=_store,
                args=("holiday_region",),
            )
            coming = regions.next_holidays(me.holiday_region, after=here.today)
            listed = ", ".join(f"{name} on {figures.day(day, today=here.today)}" for day, name in coming[:2])
            st.markdown(f":small[:gray[Next: {listed}.]]" if listed else ":small[:gray[None in the coming year.]]")


def _hold(field: str, stored: Any) -> None:
    """A control shows what is stored, also after a choice that was refused."""
    st.session_state[field] = stored


def _store(field: str) -> None:
    value = st.session_state[field]

    def write(db: Connection, actor: Identity, now: datetime) -> users.User:
        return users.set_preferences(db, actor=actor, now=now, **{field: value})

    writes.perform(write, place=PLACE, done="Saved.")


@frame.panel
def password() -> None:
    """Change of password; what was typed stays after a refusal and goes after a success."""
    with st.form("password", border=True):
        frame.heading("Password", "your other sessions end when it changes")
        st.text_input("Current password", type="password", key="password_now", autocomplete="current-password")
        st.text_input("New password", type="password", key="password_new", autocomplete="new-password")
        st.text_input("New password again", type="password", key="password_again", autocomplete="new-password")
        st.form_submit_button("Change password", on_click=_change)
    frame.problem(PASSWORD_PLACE)


def _change() -> None:
    given = st.session_state
    # a message made by hand may press the button of a form whose fields it leaves out
    now_, new, again = (given.get(field) or "" for field in ("password_now", "password_new", "password_again"))

    def write(db: Connection, actor: Identity, now: datetime) -> None:
        if new != again:
            raise InvalidInput("password_again", "The two new passwords differ.", hint="Type the new one twice.")
        users.change_password(
            db, actor=actor, now=now, current_password=now_, new_password=new, token=visit.session_token()
        )

    writes.perform(write, place=PASSWORD_PLACE, done="Your password is changed. Other sessions have ended.")
    if frame.met(PASSWORD_PLACE) is None:
        for field in ("password_now", "password_new", "password_again"):
            given[field] = ""
