"""Books in other hands: handing one over with what would move shown first, those that run, and those that were."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.errors import AppError
from app.handovers import service as handovers
from app.handovers.model import Handover, HandoverDraft, Moves
from app.handovers.plan import REASON_LIMIT
from app.ui import (
    assignment_data,
    data,
    figures,
    frame,
    kept_fields,
    page_style,
    settings_data,
    settings_leaving,
    visit,
    words,
    writes,
)
from app.ui.kept_fields import Field
from app.ui.text import escaped

PLACE = "handover"
END_PLACE = "handover:end"
MOVES = {
    "All open actions": Moves.ALL_OPEN,
    "Suggested, not started": Moves.SUGGESTED,
    "No actions": Moves.NONE,
}
ALL = next(iter(MOVES))
COVER_DAYS = 7
SPLIT = (1, 1.25)  # of the form and of what runs beside it


@frame.panel
def show() -> None:
    """The form on the left, what runs and what was on the right."""
    left, right = st.columns(list(SPLIT), gap="small")
    with left:
        _form()
    with right:
        _history()


def _form() -> None:
    here = visit.current()
    names = {str(one.user_id): one.display_name for one in data.people()}
    with st.container(border=True, gap="small", key="handover_form"):
        frame.heading("Hand over a book", "while somebody is away, or for good")
        with st.container(horizontal=True, gap="small"):
            giver = _person("Whose", "handover_from", names)
            receiver = _person("To whom", "handover_to", {key: one for key, one in names.items() if key != giver})
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            st.session_state.setdefault("handover_starts", here.today)
            starts = st.date_input("First day", format="DD/MM/YYYY", key="handover_starts", width=150)
            is_for_good = st.toggle("For good", key="handover_good")
            ends = None
            if not is_for_good:
                st.session_state.setdefault("handover_ends", here.today + timedelta(days=COVER_DAYS))
                ends = st.date_input("Last day", format="DD/MM/YYYY", key="handover_ends", width=150)
        st.session_state.setdefault("handover_moves", ALL)
        moves = st.segmented_control("What moves with it", list(MOVES), required=True, key="handover_moves")
        reason = st.text_input(
            "Why", max_chars=REASON_LIMIT, placeholder="Annual leave", key="handover_reason", live="300ms"
        )
        kept_fields.fields(PLACE, _kept(names, here))
        if giver is None or receiver is None:
            st.markdown(":small[:gray[Choose both people to see what would move.]]")
            frame.problem(PLACE)
            return
        draft = HandoverDraft(
            from_user_id=UUID(giver),
            to_user_id=UUID(receiver),
            starts_on=starts,
            ends_on=ends,
            moves=MOVES[moves or ALL].value,
            reason=reason or "",
        )
        _preview(draft, here)
        frame.problem(PLACE)


def _kept(names: Collection[str], here: visit.Visit) -> dict[str, Field]:
    """The form's widgets with what they start with, for the browser to keep what was changed."""
    last = here.today + timedelta(days=COVER_DAYS)
    return {
        "from": Field("handover_from", None, kept_fields.one_of(names)),
        "to": Field("handover_to", None, kept_fields.one_of(names)),
        "starts": Field("handover_starts", here.today, kept_fields.day(earliest=here.today)),
        "ends": Field("handover_ends", last, kept_fields.day(earliest=here.today)),
        "good": Field("handover_good", False, kept_fields.one_of([True, False])),
        "moves": Field("handover_moves", ALL, kept_fields.one_of(MOVES)),
        "reason": Field("handover_reason", "", kept_fields.text(REASON_LIMIT)),
    }


def _person(label: str, key: str, names: dict[str, str]) -> str | None:
    if st.session_state.get(key) not in names:
        st.session_state[key] = None
    return st.selectbox(
        label, list(names), format_func=lambda one: names[one], placeholder="Choose a person", key=key, width=210
    )


def _preview(draft: HandoverDraft, here: visit.Visit) -> None:
    """What would move; without a reason yet too, since that is asked for only to begin."""
    shown = (
        draft
        if draft.reason.strip()
        else HandoverDraft(
            from_user_id=draft.from_user_id,
            to_user_id=draft.to_user_id,
            starts_on=draft.starts_on,
            ends_on=draft.ends_on,
            moves=draft.moves,
            reason="–",
        )
    )
    try:
        room = page_style.boxed(page_style.room(SPLIT[0], sum(SPLIT)))
        settings_leaving.shown(settings_data.handover_preview(shown, here), here, room=room)
    except AppError as error:
        st.warning(frame.sentence(error), icon=":material/block:")
        return
    begins_now = draft.starts_on <= here.today
    st.button(
        "Hand over now" if begins_now else f"Plan it for {figures.day(draft.starts_on, today=here.today)}",
        type="primary",
        key="handover_begin",
        disabled=not draft.reason.strip(),
        on_click=_begin,
        args=(draft,),
    )
    if not draft.reason.strip():
        st.markdown(":small[:gray[missing: why]]")


def _begin(draft: HandoverDraft) -> None:
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> Handover:
        return handovers.begin(db, actor=actor, now=now, draft=draft, idempotency_key=form)

    made = writes.perform(write, place=PLACE, done=_told)
    writes.renew_form(PLACE)
    if made is not None:
        for field in _kept((), visit.current()).values():
            st.session_state.pop(field.key, None)
        kept_fields.forget(PLACE)


def _told(made: Handover) -> str:
    who = f"The book of {escaped(made.from_name)}"
    if made.started_at is None:
        return f"{who} goes to {escaped(made.to_name)} on {figures.day(made.starts_on)}."
    return f"{who} is with {escaped(made.to_name)}: {figures.count(len(made.items), 'action')} moved."


def _history() -> None:
    here = visit.current()
    frame.heading("Hand-overs", "what a cover moved and is still open goes back when it ends")
    frame.problem(END_PLACE)
    found = assignment_data.handover_history(here)
    if not found:
        frame.empty("No book is in other hands.", "Hand-overs stay here with what they moved.", icon=":material/group:")
    for one in found:
        with st.container(border=True, gap="xsmall", key=f"handover_{one.handover_id.hex}"):
            _one(one, here)


def _state(one: Handover, here: visit.Visit) -> str:
    if one.ended_at is not None:
        what = "Ended" if one.started_at else "Called off"
        return f":gray-badge[{what}] :small[{figures.day(one.ended_at.date(), today=here.today)}]"
    return ":blue-badge[Running]" if one.is_running else ":orange-badge[Waiting]"


def _one(one: Handover, here: visit.Visit) -> None:
    last = f"to {figures.day(one.ends_on, today=here.today)}" if one.ends_on else "until it is ended"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**{escaped(one.from_name)}** → **{escaped(one.to_name)}** {_state(one, here)}  \n"
            f":small[:gray[{figures.day(one.starts_on, today=here.today)} {last} · {escaped(one.reason, limit=120)} · "
            f"by {escaped(one.created_by_name)}]]"
        )
        if one.ended_at is None:
            label = "End now" if one.started_at else "Call off"
            with st.popover(label, key=f"end_{one.handover_id.hex}"):
                back = sum(item.status not in ("closed", "cancelled") for item in one.items)
                st.markdown(
                    f"{figures.count(back, 'open action')} of what it moved {'goes' if back == 1 else 'go'} back to "
                    f"{escaped(one.from_name)}, where {escaped(one.to_name)} still has it."
                    if one.started_at
                    else "Nothing has moved yet."
                )
                st.button(
                    label,
                    type="primary",
                    key=f"end_it_{one.handover_id.hex}",
                    on_click=_end,
                    args=(one.handover_id, one.version),
                )
    if one.items:
        with st.expander(f"{figures.count(len(one.items), 'action')} moved", key=f"moved_{one.handover_id.hex}"):
            lines = [
                f":small[**{escaped(item.account_name, limit=40)}** · {escaped(item.title, limit=80)} "
                f":gray[· {words.word(words.STATUSES, item.status).lower()}"
                f"{', went back' if item.returned_at else ''}]]"
                for item in one.items[:40]
            ]
            more = f"  \n:small[:gray[and {len(one.items) - 40} more]]" if len(one.items) > 40 else ""
            st.markdown("  \n".join(lines) + more)


def _end(handover_id: UUID, version: int) -> None:
    name = f"{END_PLACE}:{handover_id}:{version}"
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> Handover:
        return handovers.end(
            db, actor=actor, now=now, handover_id=handover_id, expected_version=version, idempotency_key=form
        )

    def told(one: Handover) -> str:
        back = sum(1 for item in one.items if item.returned_at)
        return f"{escaped(one.from_name)} has their book again; {figures.count(back, 'action')} went back."

    if writes.perform(write, place=END_PLACE, done=told) is not None:
        writes.renew_form(name)
