"""Saved views of the tracker: a set and the way it is looked at, under a name, with a link.

`?saved=<id>` opens one: what it holds is put into the controls before they are drawn, once, so that what is changed
afterwards stays changed. It is kept in the address beside the filters, which is why copying the address shares it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app import saved_views
from app.auth import Identity, Permission, can
from app.db import read
from app.errors import AppError, NotFound
from app.notices.links import page_url
from app.saved_views import SavedView, ViewPage
from app.ui import frame, visit, writes
from app.ui.action_calendar_days import SPANS
from app.ui.action_filters import SEVERAL, SINGLE, VIEWS, WHO
from app.ui.action_groups import GROUPINGS
from app.ui.text import escaped

PARAMETER = "saved"
PLACE = "saved_view"
_TO_OPEN = "views:to_open"
_APPLIED = "views:applied"
_NAMES: Mapping[str, Mapping[str, str]] = {"who": WHO, "as": VIEWS, "group": GROUPINGS, "span": SPANS}
_NOTHING: Mapping[str, Any] = {"find": "", "owner": None, "due": None, "archived": False, "group": "none"}


def begin() -> SavedView | None:
    """The view of the address, its filters put into the controls when it has just been opened; call it before they
    are drawn. A link to nothing is explained and leaves everything as it is."""
    chosen = st.session_state.pop(_TO_OPEN, None)
    if chosen == "":
        st.query_params.pop(PARAMETER, None)
    elif chosen:
        st.query_params[PARAMETER] = chosen
        st.session_state.pop(_APPLIED, None)
    given = st.query_params.get(PARAMETER)
    if not given:
        return None
    try:
        with read() as db:
            view = saved_views.get_view(db, identity=visit.current().identity, view_id=UUID(given))
    except (ValueError, NotFound):
        frame.explain(AppError("This view does not exist, or is not shared with you.", hint="Ask whoever sent it."))
        return None
    if st.session_state.get(_APPLIED) != given:
        _apply(view.query)
        st.session_state[_APPLIED] = given
    return view


def _apply(query: Mapping[str, list[str]]) -> None:
    for key in SEVERAL:
        st.session_state[key] = list(query.get(key, []))
    for key in SINGLE:
        value = next(iter(query.get(key, [])), None)
        if key in _NAMES and value is not None:
            value = next((code for code, name in _NAMES[key].items() if name == value), None)
        if key == "archived":
            value = value == "true"
        if value is not None or key in _NOTHING:
            st.session_state[key] = value if value is not None else _NOTHING[key]


def held() -> dict[str, list[str]]:
    """What the controls hold, as the address spells it; whose and the way it is looked at are always named, because
    what goes without saying differs between roles."""
    found: dict[str, list[str]] = {}
    for key in (*SINGLE, *SEVERAL):
        value = st.session_state.get(key)
        if key in _NAMES and value is not None:
            value = None if value == _NOTHING.get(key) else _NAMES[key][value]
        if value:
            found[key] = list(value) if key in SEVERAL else ["true" if value is True else str(value)]
    return found


def menu(view: SavedView | None) -> None:
    """The popover: open one, save what is on the screen, rename, share, remove; call it after the controls."""
    here = visit.current()
    is_changed = view is not None and held() != view.query
    label = "Views" if view is None else f"{escaped(view.name, limit=28)}{' (changed)' if is_changed else ''}"
    with st.popover(label, icon=":material/bookmark:", key="views"), st.container(width=340, gap="small"):
        frame.problem(PLACE)
        _list(view)
        if view is not None:
            note = "for whoever may see it" if view.is_shared else "for yourself: it is not shared"
            st.markdown(f":small[Link] :small[:gray[{note}]]")
            st.code(f"{page_url('actions')}?{PARAMETER}={view.view_id}", language=None)
        if can(here.identity, Permission.SAVE_VIEW):
            _form(view if view is not None and view.owner_user_id == here.identity.user_id else None, is_changed)


def _list(view: SavedView | None) -> None:
    here = visit.current()
    with read() as db:
        found = saved_views.list_views(db, identity=here.identity, page=ViewPage.ACTIONS)
    with st.container(gap=None, key="views_list"):
        if not found:
            st.markdown(":small[:gray[No views yet. Set the filters, then save them here under a name.]]")
        for one in found:
            is_open = view is not None and one.view_id == view.view_id
            mine = one.owner_user_id == here.identity.user_id
            note = ("shared" if one.is_shared else "") if mine else f"by {escaped(one.owner_name, limit=30)}"
            st.button(
                f"{escaped(one.name, limit=60)}" + (f" :small[:gray[{note}]]" if note else ""),
                icon=":material/check:" if is_open else ":material/bookmark_border:",
                type="tertiary",
                key=f"view_{one.view_id.hex}",
                on_click=_open,
                args=(str(one.view_id),),
            )
        if view is not None:
            st.button(
                "Leave this view",
                icon=":material/close:",
                type="tertiary",
                key="view_leave",
                on_click=_open,
                args=("",),
            )


def _open(view_id: str) -> None:
    frame.forget(PLACE)
    st.session_state[_TO_OPEN] = view_id


def _form(own: SavedView | None, is_changed: bool) -> None:
    writes.form_key(PLACE)
    key = f"view_form_{own.view_id.hex}_{own.version}" if own else "view_form"
    st.session_state.setdefault(f"{key}_name", own.name if own else "")
    st.session_state.setdefault(f"{key}_shared", own.is_shared if own else False)
    st.text_input("Name", max_chars=saved_views.NAME_LIMIT, placeholder="Renewals that need me", key=f"{key}_name")
    st.toggle("Colleagues see it too", key=f"{key}_shared")
    with st.container(horizontal=True, gap="xsmall"):
        if own is None:
            st.button("Save view", type="primary", key="view_save", on_click=_save, args=(key, None))
            return
        label = "Save changes" if is_changed else "Save name and sharing"
        st.button(label, type="primary", key="view_save", on_click=_save, args=(key, own))
        st.button("Remove", type="tertiary", icon=":material/delete:", key="view_remove", on_click=_remove, args=(own,))


def _save(key: str, own: SavedView | None) -> None:
    name, is_shared, query = st.session_state[f"{key}_name"], st.session_state[f"{key}_shared"], held()
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> SavedView:
        return saved_views.save(
            db,
            actor=actor,
            now=now,
            page=ViewPage.ACTIONS,
            name=name,
            query=query,
            is_shared=is_shared,
            view_id=own.view_id if own else None,
            expected_version=own.version if own else None,
            idempotency_key=form,
        )

    saved = writes.perform(write, place=PLACE, done=lambda view: f"View saved: {escaped(view.name)}.")
    if saved is not None:
        for field in ("name", "shared"):
            st.session_state.pop(f"{key}_{field}", None)
        st.session_state[_TO_OPEN] = str(saved.view_id)
    writes.renew_form(PLACE)


def _remove(own: SavedView) -> None:
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> bool:
        saved_views.remove(
            db, actor=actor, now=now, view_id=own.view_id, expected_version=own.version, idempotency_key=form
        )
        return True

    if writes.perform(write, place=PLACE, done=f"View removed: {escaped(own.name)}.") is not None:
        st.session_state[_TO_OPEN] = ""
    writes.renew_form(PLACE)
