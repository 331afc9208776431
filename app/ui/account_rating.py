"""Rating an account, and how the rating that stands is shown: a CSM's own word beside the computed score."""

from datetime import date, datetime

import streamlit as st
from sqlalchemy import Connection

from app import ratings
from app.auth import Identity, Permission, can
from app.calendar import display_date
from app.marts.accounts import Account
from app.ratings import Rating
from app.ui import figures, frame, kept_fields, visit, writes
from app.ui.kept_fields import Field
from app.ui.text import escaped

_SCORES = tuple(ratings.MEANINGS)


def may_rate(account: Account) -> bool:
    """Whether the account is theirs to rate."""
    return can(visit.current().identity, Permission.RATE_ACCOUNT, account_owner_email=account.csm_email)


def cell(found: list[Rating], today: date) -> tuple[str, str]:
    """The newest rating of a list, newest first: value and small print, for the head."""
    if not found:
        return "**–**", "not rated yet"
    newest = found[0]
    word = escaped(newest.meaning.partition(":")[0])
    who = escaped(newest.rated_by_name.split(" ")[0], limit=20)
    return f"**{newest.score}** {word}", f"of 5, {who}, {figures.ago(display_date(newest.rated_at), today)}"


def button(account: Account) -> None:
    """A popover with the five meanings; left out for accounts of others and for those who only read."""
    if not may_rate(account):
        return
    key, place = f"rate_{account.account_key}", _place(account.account_key)
    opened = st.popover("Rate", icon=":material/sentiment_satisfied:", key=f"{key}_popover", on_change="rerun")
    if not opened.open:
        return
    writes.form_key(place)
    with opened, st.container(width=360, gap="small"):
        frame.problem(place)
        st.radio(
            "How do they feel about us?",
            _SCORES,
            index=None,
            format_func=lambda score: f"{score}  {ratings.MEANINGS[score]}",
            key=f"{key}_score",
        )
        st.text_input("Why, if you like", max_chars=ratings.NOTE_LIMIT, live="300ms", key=f"{key}_note")
        st.button(
            "Rate",
            type="primary",
            key=f"{key}_send",
            disabled=st.session_state.get(f"{key}_score") is None,
            help="Choose one first" if st.session_state.get(f"{key}_score") is None else None,
            on_click=_rate,
            args=(account.account_key, key),
        )
        st.markdown(":small[:gray[Kept apart: it does not change the health score.]]")
        kept_fields.fields(place, _kept(key))


def _kept(key: str) -> dict[str, Field]:
    return {
        "score": Field(f"{key}_score", None, kept_fields.one_of(_SCORES)),
        "note": Field(f"{key}_note", "", kept_fields.text(ratings.NOTE_LIMIT)),
    }


def _place(account_key: str) -> str:
    return f"rate:{account_key}"


def _rate(account_key: str, key: str) -> None:
    place = _place(account_key)
    form = writes.form_key(place)
    score, note = st.session_state.get(f"{key}_score"), st.session_state.get(f"{key}_note")
    if score is None:
        return

    def write(db: Connection, actor: Identity, now: datetime) -> Rating:
        return ratings.rate(
            db, actor=actor, now=now, account_key=account_key, score=score, note=note, idempotency_key=form
        )

    made = writes.perform(write, place=place, done=lambda one: f"Rated {one.score} of 5: {one.meaning}.")
    if made is None:
        return
    writes.renew_form(place)
    for field in ("score", "note"):
        st.session_state.pop(f"{key}_{field}", None)
    st.session_state[f"{key}_popover"] = False
    kept_fields.forget(place)
