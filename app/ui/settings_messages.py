"""Messages that left or are waiting to: who they went to, what went wrong, and sending one again."""

from datetime import datetime
from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.notices import outbox
from app.notices.outbox import Channel, Message, MessageStatus
from app.ui import choices, figures, frame, settings_data, tables, visit, writes
from app.ui.text import escaped, shortened

PLACE = "settings:messages"
MOST = 200
STATES = {"pending": "Waiting", "sent": "Sent", "given_up": "Given up"}
_COLOURS = {"Waiting": "blue", "Sent": "green", "Given up": "red"}
_ALL = "All"


@frame.panel
def show() -> None:
    """Counts by state as the filter, the newest messages, and the text of the chosen one."""
    here = visit.current()
    counts = settings_data.message_counts(here)
    if not outbox.is_configured(Channel.EMAIL):
        st.info(
            "No mail server is set up (SMTP_HOST): people are told in their inbox only.", icon=":material/mail_off:"
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = ", ".join(f"{count} {STATES[status].lower()}" for status, count in counts.items() if count)
        st.markdown(f"**Messages** :small[:gray[{told or 'none yet'}]]", width="content")
        names = [_ALL, *STATES.values()]
        chosen = choices.one("State", names, "state", start=_ALL)
    status = next((code for code, name in STATES.items() if name == chosen), None)
    messages = settings_data.messages(here, status=status, limit=MOST)
    frame.problem(PLACE)
    if not messages:
        frame.empty("No message here.", "Summaries and notices by e-mail appear as they are written.")
        return
    _table(messages, here)


def _table(messages: list[Message], here: visit.Visit) -> None:
    ids = [one.message_id for one in messages]
    cells = pd.DataFrame(
        {
            "state": [[STATES[one.status]] for one in messages],
            "made": [figures.clock(one.created_at, now=here.now) for one in messages],
            "to": [one.recipient for one in messages],
            "subject": [shortened(one.subject, limit=120) for one in messages],
            "attempts": [one.attempts for one in messages],
            "next": [_next(one, here.now) for one in messages],
            "error": [shortened(one.last_error, limit=160) or "–" for one in messages],
            "retry": ["" if one.status is MessageStatus.SENT else "Send now" for one in messages],
        }
    )
    columns = {
        "state": tables.chip("State", list(_COLOURS), list(_COLOURS.values()), 84),
        "made": tables.text("Written", 88),
        "to": tables.text("To", 196),
        "subject": tables.text("Subject", 280),
        "attempts": tables.number("Tries", 52, "%d", metric="send_attempts"),
        "next": tables.text("Sent or next try", 112),
        "error": tables.text("Error", 220),
        "retry": tables.open_button("message_retry", partial(_retry_row, ids), width=84),
    }
    picked = st.dataframe(
        cells[list(columns)],
        column_config=columns,
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(messages), most=14),
        on_select="rerun",
        selection_mode="single-row",
        key=f"messages_{hash(tuple(ids))}",
        alt="Messages, newest first",
    )
    rows = picked["selection"]["rows"]
    if rows and rows[0] < len(messages):
        _text(messages[rows[0]])
    else:
        st.markdown(":small[:gray[Choose a message to read it.]]")


def _next(message: Message, now: datetime) -> str:
    if message.status is MessageStatus.SENT:
        return figures.clock(message.sent_at, now=now) if message.sent_at else "–"
    if message.status is MessageStatus.GIVEN_UP:
        return "–"
    return "now" if message.next_attempt_at <= now else f"{message.next_attempt_at.astimezone(figures.LONDON):%H:%M}"


def _text(message: Message) -> None:
    with st.container(border=True, gap="xsmall", key="message_text"):
        st.markdown(f"**{escaped(message.subject)}** :small[:gray[to {escaped(message.recipient)}]]")
        if message.last_error:
            st.markdown(f":red[:material/error: {escaped(message.last_error, limit=500)}]")
        st.text(message.body)


def _retry_row(ids: list[UUID]) -> None:
    row = tables.clicked_row("message_retry")
    if row is not None and 0 <= row < len(ids):
        _retry(ids[row])


def _retry(message_id: UUID) -> None:
    name = f"{PLACE}:{message_id}"
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> Message:
        return outbox.retry(db, actor=actor, now=now, message_id=message_id, idempotency_key=form)

    if writes.perform(write, place=PLACE, done="It is sent with the next delivery, within a minute or so."):
        writes.renew_form(name)
