"""Segments on the Accounts page: one as a filter, and the dialog in which they are looked at, made and changed.

`?in_segment=<id>` is the one that is chosen. The trap avoided: a field or button that stands on the page takes whatever
a hostile socket sends at it in one message, a name and a press together; here everything that writes stands in a
dialog, which is not there until somebody has opened it.
"""

from datetime import date, datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity, Permission, can
from app.errors import AppError, NotFound
from app.segments import service
from app.segments.members import Size
from app.segments.service import Segment
from app.ui import figures, frame, segment_data, segment_details, visit, writes
from app.ui.portfolio import AccountFilter
from app.ui.text import escaped

PARAMETER = "in_segment"
PLACE = "segments"
_TO_OPEN = "segments:to_open"
_PICKED = "segments:picked"
_NEW = "new"


def begin() -> Segment | None:
    """The segment of the address. A link to nothing is explained and leaves everything as it is."""
    chosen = st.session_state.pop(_TO_OPEN, None)
    if chosen == "":
        st.query_params.pop(PARAMETER, None)
    elif chosen:
        st.query_params[PARAMETER] = chosen
    given = st.query_params.get(PARAMETER)
    if not given:
        return None
    try:
        return segment_data.segment(visit.current(), UUID(given))
    except (ValueError, NotFound):
        frame.explain(
            AppError("This segment does not exist, or is not shared with you.", hint="All accounts are shown.")
        )
        return None


def control(segment: Segment | None, chosen: AccountFilter, day: date | None) -> None:
    """The chip: what it holds, the dialog, and the way out of the segment."""
    label = "Segments" if segment is None else f"In: {escaped(segment.name, limit=28)}"
    if st.button(label, icon=":material/bookmarks:", key="segments_open", help="Segments: filters under a name"):
        frame.forget(PLACE)
        st.session_state[_PICKED] = str(segment.segment_id) if segment else None
        dialog(chosen, segment, day)
    if segment is not None:
        st.button(
            "Leave",
            icon=":material/close:",
            type="tertiary",
            help="Leave the segment: all accounts",
            key="segment_leave",
            on_click=_open,
            args=("",),
        )


def _open(segment_id: str) -> None:
    st.session_state[_TO_OPEN] = segment_id


def _pick(segment_id: str) -> None:
    frame.forget(PLACE)
    st.session_state[_PICKED] = segment_id


@st.dialog("Segments", width="large")
def dialog(chosen: AccountFilter, within: Segment | None, day: date | None) -> None:
    """The segments at the left, the one that was picked at the right; `chosen` is what can be saved as a new one."""
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None or _TO_OPEN in st.session_state:
        st.rerun()
    with frame.guard():
        found = segment_data.segments(here)
        sizes = segment_data.sizes(here, found)
        may_save = can(here.identity, Permission.SAVE_VIEW) and day is None
        picked = st.session_state.get(_PICKED) or (str(found[0].segment_id) if found else _NEW)
        left, right = st.columns([1, 1.7], gap="medium")
        with left:
            _list(found, sizes, picked, may_save)
        with right:
            with st.container(key="segments_problem"):
                frame.problem(PLACE)
            one = next((one for one in found if str(one.segment_id) == picked), None)
            if one is not None:
                _one(one, here, chosen if within is None else None)
            elif may_save:
                _new(chosen, within)
            frame.tell()


def _list(found: list[Segment], sizes: dict[UUID, Size], picked: str, may_save: bool) -> None:
    here = visit.current()
    with st.container(gap="xsmall", key="segments_list", height=440, border=False):
        if not found:
            st.markdown(
                ":small[:gray[No segments yet. A filter saved under a name can be used in lists and in rules.]]"
            )
        for one in found:
            size = sizes[one.segment_id]
            is_own = one.owner_user_id == here.identity.user_id
            whose = ("visible to all" if one.is_shared else "private") if is_own else f"by {one.owner_name}"
            with st.container(gap=None):
                st.button(
                    escaped(one.name, limit=44),
                    icon=":material/check:" if str(one.segment_id) == picked else ":material/bookmark_border:",
                    type="tertiary",
                    key=f"segment_{one.segment_id.hex}",
                    on_click=_pick,
                    args=(str(one.segment_id),),
                )
                frame.aside(
                    f"{figures.count(size.account_count, 'account')} · {figures.money_short(size.mrr_eur)} MRR · "
                    f"{escaped(whose, limit=30)}"
                )
        if may_save and picked != _NEW:
            st.button("Save this filter", icon=":material/add:", key="segment_new", on_click=_pick, args=(_NEW,))


def _one(one: Segment, here: visit.Visit, chosen: AccountFilter | None) -> None:
    segment_details.show(one, here)
    st.button(
        "Show these accounts",
        type="primary",
        key=f"segment_use_{one.segment_id.hex}",
        on_click=_open,
        args=(str(one.segment_id),),
    )
    if one.owner_user_id != here.identity.user_id or not can(here.identity, Permission.SAVE_VIEW):
        return
    with st.expander("Change it", icon=":material/edit:"):
        key = f"segment_form_{one.segment_id.hex}_{one.version}"
        _fields(key, one)
        criteria = chosen.criteria(owner_emails=here.identity.owner_emails) if chosen is not None else None
        takes = False
        if criteria is not None and criteria != one.asked():
            takes = st.toggle("Take the filter that is on the page", key=f"{key}_takes")
            if takes:
                frame.aside(f"Then: {segment_details.in_words(criteria)}")
        with st.container(horizontal=True, gap="xsmall"):
            stored = criteria.stored() if takes and criteria is not None else one.criteria
            st.button("Save changes", type="primary", key=f"{key}_save", on_click=_save, args=(key, one, stored))
            st.button(
                "Archive",
                icon=":material/archive:",
                type="tertiary",
                key=f"{key}_archive",
                on_click=_archive,
                args=(one,),
            )


def _new(chosen: AccountFilter, within: Segment | None) -> None:
    here = visit.current()
    criteria = chosen.criteria(owner_emails=here.identity.owner_emails)
    frame.heading("A new segment")
    if within is not None:
        st.markdown(
            f":gray[The page shows a part of “{escaped(within.name, limit=60)}”. Leave that segment first: a "
            "segment is not made of another.]"
        )
        return
    st.markdown(f":gray[Holds:] {segment_details.in_words(criteria)}")
    frame.aside("Set the filters on the page first. Who belongs to it is found anew on every build.")
    _fields("segment_form", None)
    st.button(
        "Save segment",
        type="primary",
        key="segment_form_save",
        on_click=_save,
        args=("segment_form", None, criteria.stored()),
    )


def _fields(key: str, one: Segment | None) -> None:
    writes.form_key(PLACE)
    st.session_state.setdefault(f"{key}_name", one.name if one else "")
    st.session_state.setdefault(f"{key}_description", (one.description or "") if one else "")
    st.session_state.setdefault(f"{key}_shared", one.is_shared if one else False)
    # what is typed stays while the page is open, also when the dialog was closed over it
    st.text_input(
        "Name",
        max_chars=service.NAME_LIMIT,
        placeholder="Renewals that need me",
        key=f"{key}_name",
        persist_state="session",
    )
    st.text_area(
        "What it is for",
        max_chars=service.DESCRIPTION_LIMIT,
        height=80,
        key=f"{key}_description",
        persist_state="session",
    )
    st.toggle("Visible to all", key=f"{key}_shared", persist_state="session")


def _save(key: str, one: Segment | None, criteria: dict[str, object]) -> None:
    name, description, is_shared = (st.session_state[f"{key}_{field}"] for field in ("name", "description", "shared"))
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> Segment:
        return service.save(
            db,
            actor=actor,
            now=now,
            name=name,
            description=description,
            criteria=criteria,
            is_shared=is_shared,
            segment_id=one.segment_id if one else None,
            expected_version=one.version if one else None,
            idempotency_key=form,
        )

    saved = writes.perform(write, place=PLACE, done=lambda kept: f"Segment saved: {escaped(kept.name)}.", said_at=PLACE)
    writes.renew_form(PLACE)
    if saved is not None:
        for field in ("name", "description", "shared"):
            st.session_state.pop(f"{key}_{field}", None)
        st.session_state[_PICKED] = str(saved.segment_id)


def _archive(one: Segment) -> None:
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> bool:
        service.archive(
            db,
            actor=actor,
            now=now,
            segment_id=one.segment_id,
            expected_version=one.version,
            idempotency_key=form,
        )
        return True

    gone = writes.perform(write, place=PLACE, done=f"Segment archived: {escaped(one.name)}.", said_at=PLACE)
    writes.renew_form(PLACE)
    if gone is not None:
        st.session_state[_PICKED] = None
        if st.query_params.get(PARAMETER) == str(one.segment_id):
            st.session_state[_TO_OPEN] = ""
