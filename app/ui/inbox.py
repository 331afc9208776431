"""The inbox: what others did that concerns me, newest first, each line opening what it is about.

Opening a line reads it. "Mark all read" names the notices that were on the screen's count, so that one which arrives
between drawing and clicking is not marked unseen.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection
from streamlit.delta_generator import DeltaGenerator

from app.auth import Identity
from app.notices import service
from app.notices.service import LARGEST_PAGE, Notice
from app.ui import action_panel, choices, figures, frame, inbox_data, navigation, visit, words, writes
from app.ui.text import escaped, shortened

PLACE = "inbox"
STEP = 25
_LIMIT = "inbox:limit"


def show(controls: DeltaGenerator) -> None:
    """The controls beside the heading, then the lines by day."""
    here = visit.current()
    unread = inbox_data.notices(here.identity, only_unread=True, limit=LARGEST_PAGE)
    with controls:
        which = choices.one("Which notices", {"all": "All", "unread": "Unread"}, "notices", start="all")
        st.button(
            "Mark all read",
            icon=":material/done_all:",
            disabled=not unread,
            key="read_all",
            on_click=_read,
            args=([notice.notice_id for notice in unread],),
            kwargs={"is_told": True},
        )
    frame.problem(PLACE)
    limit = st.session_state.setdefault(_LIMIT, STEP)
    # one more than is drawn tells whether there are more
    found = unread if which == "unread" else inbox_data.notices(here.identity, only_unread=False, limit=limit + 1)
    if not found:
        _nothing(is_filtered=which == "unread")
        return
    shown = found[:limit]
    today = here.today
    for title, lines in _by_day(shown, today):
        frame.heading(title)
        with st.container(border=True, gap=None, key=f"inbox_{title.lower().replace(' ', '_')}"):
            for notice in lines:
                _line(notice, here.now)
    if len(found) > limit:
        st.button("Show more", key="more_notices", type="tertiary", icon=":material/expand_more:", on_click=_more)


def _nothing(*, is_filtered: bool) -> None:
    if is_filtered:
        frame.empty("You have read everything.", "Choose All to look at earlier notices.")
    else:
        frame.empty(
            "Nothing has happened yet that concerns you.",
            "You are told here when somebody gives you an action, notes on yours, or when one comes back or is late.",
            icon=":material/notifications_none:",
        )


def _by_day(notices: Sequence[Notice], today: date) -> list[tuple[str, list[Notice]]]:
    """Newest first, under Today, Yesterday, This week and Earlier; parts without a notice are left out."""
    monday = today - timedelta(days=today.weekday())
    parts: dict[str, list[Notice]] = {"Today": [], "Yesterday": [], "This week": [], "Earlier": []}
    for notice in notices:
        day = notice.created_at.astimezone(figures.LONDON).date()
        if day >= today:
            parts["Today"].append(notice)
        elif day == today - timedelta(days=1):
            parts["Yesterday"].append(notice)
        else:
            parts["This week" if day >= monday else "Earlier"].append(notice)
    return [(title, lines) for title, lines in parts.items() if lines]


def _line(notice: Notice, now: datetime) -> None:
    """One notice: unread ones are bold, carry a dot and can be marked."""
    is_new = notice.read_at is None
    title = escaped(notice.title, limit=140)
    label = f"**{title}**" if is_new else title
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.markdown(f":{'blue' if is_new else 'gray'}[{words.NOTICES[notice.kind]}]", width=20)
        if notice.action_id is None and notice.account_key is None:
            st.markdown(label, width="content")
        else:
            st.button(label, key=f"open_{notice.notice_id.hex}", type="tertiary", on_click=_open, args=(notice,))
        about = escaped(" · ".join(notice.body.splitlines()), limit=150) if notice.body else ""
        st.markdown(f":small[:gray[{about}]]", width="stretch")
        st.markdown(f":small[:gray[{figures.clock(notice.created_at, now=now)}]]", width=76, text_alignment="right")
        st.button(
            "",
            icon=":material/done:",
            key=f"read_{notice.notice_id.hex}",
            help=f"Mark as read: {shortened(notice.title, limit=60)}" if is_new else "You have read this",
            type="tertiary",
            disabled=not is_new,
            on_click=_read,
            args=([notice.notice_id],),
        )


def _more() -> None:
    st.session_state[_LIMIT] = st.session_state.get(_LIMIT, STEP) + STEP


def _read(notice_ids: list[UUID], *, is_told: bool = False) -> None:
    def write(db: Connection, actor: Identity, now: datetime) -> int:
        return service.mark_read(db, identity=actor, now=now, notice_ids=notice_ids)

    writes.perform(
        write, place=PLACE, done=lambda count: f"{figures.count(count, 'notice')} marked as read." if is_told else ""
    )


def _open(notice: Notice) -> None:
    """Callback: read it, then show the action over this page, or go to the account."""
    if notice.read_at is None:
        _read([notice.notice_id])
    if notice.action_id is not None:
        action_panel.open_in_drawer(notice.action_id)
    elif notice.account_key is not None:
        st.switch_page(navigation.address_of("account"), query_params={"account": notice.account_key})
