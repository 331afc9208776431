"""The list of actions with its filters in the address, and the chosen action beside it.

`?action=<id>` opens one, also when the filters would hide it, so that a shared link always leads to what was meant.
"""

from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st

from app.actions.lifecycle import Category, Status
from app.actions.model import ActionFilter, ActionRow
from app.actions.vocabulary import ActionType
from app.auth import Role
from app.ui import action_panel, data, figures, filters, frame, tables, visit, words
from app.ui.text import shortened

WHO = {"mine": "Mine", "unassigned": "Unassigned", "all": "Everybody"}
PARAMETER = "action"
MOST = 400
_PICKED = "actions:picked"
_TABLE = "actions:table"


def chosen_action() -> UUID | None:
    """The action just picked in the list, else the one of the address; None without one or when it is not an id.

    A pick is written to the address here and not in its callback, where Streamlit does not pass it on to the browser.
    """
    picked = st.session_state.pop(_PICKED, None)
    if picked is not None:
        st.query_params[PARAMETER] = picked
    given = st.query_params.get(PARAMETER)
    try:
        return UUID(given) if given else None
    except ValueError:
        return None


def whose_control() -> str:
    """Mine, nobody's, or everybody's; drawn beside the page's heading."""
    start = "mine" if visit.current().identity.role is Role.CSM else "all"
    return (
        st.segmented_control(
            "Whose",
            list(WHO),
            format_func=lambda code: WHO[code],
            default=start,
            required=True,
            key="who",
            bind="query-params",
            label_visibility="collapsed",
        )
        or start
    )


def _filter(who: str) -> ActionFilter:
    here = visit.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        text = st.text_input(
            "Search actions",
            placeholder="Search actions",
            type="search",
            live="300ms",
            icon=":material/search:",
            key="find",
            bind="query-params",
            label_visibility="collapsed",
            width=170,
        )
        names = {words.STATUSES[status]: Status(status) for status in words.STATUSES}
        statuses = filters.chip("Status", list(names), "status")
        kinds = {words.ACTION_TYPES[kind]: ActionType(kind) for kind in words.ACTION_TYPES}
        types = filters.chip("Type", list(kinds), "type")
    return ActionFilter(
        owner_user_id=here.identity.user_id if who == "mine" else None,
        is_unassigned=who == "unassigned",
        statuses=tuple(names[name] for name in statuses),
        categories=() if statuses else (Category.NOT_STARTED, Category.STARTED, Category.PAUSED),
        action_types=tuple(kinds[name] for name in types),
        text=(text or "").strip() or None,
    )


def _due(action: ActionRow) -> str:
    today = visit.current().today
    if action.status is Status.SNOOZED and action.snoozed_until:
        return f"back {figures.day(action.snoozed_until, today=today)}"
    if action.due_date is None:
        return "–"
    days = (action.due_date - today).days
    return f"−{-days} d" if days < 0 else "today" if days == 0 else figures.day(action.due_date, today=today)


def _select(key: str, ids: list[UUID]) -> None:
    chosen = st.session_state[key]["selection"]["rows"]
    if chosen and chosen[0] < len(ids):
        st.session_state[_PICKED] = str(ids[chosen[0]])


def _open(ids: list[UUID]) -> None:
    """A click on a title; the table is then made anew, since a selection cannot be moved from here."""
    row = tables.clicked_row("action_open")
    if row is not None and 0 <= row < len(ids):
        st.session_state[_PICKED] = str(ids[row])
        st.session_state[_TABLE] = st.session_state.get(_TABLE, 0) + 1


def show(who: str) -> None:
    """List left, action right; without a choice the first of the list is open."""
    left, right = st.columns([1, 1.45], gap="small")
    with left:
        wanted = _filter(who)
        rows = data.actions(wanted, limit=MOST)
        chosen = chosen_action() or (rows[0].action_id if rows else None)
        _table(rows, chosen, is_mine=who == "mine")
    with right, st.container(border=True, key="action_panel"):
        if chosen is None:
            st.markdown("**No action is open here.** :gray[Choose others, or add one.]")
            return
        try:
            action_panel.show(chosen)
        except Exception as error:
            frame.explain(error)


def _table(rows: list[ActionRow], chosen: UUID | None, *, is_mine: bool) -> None:
    today = visit.current().today
    if not rows:
        frame.empty(
            "No action matches.", "Take a filter away, or look at everybody's.", icon=":material/filter_alt_off:"
        )
        return
    ids = [action.action_id for action in rows]
    cells = pd.DataFrame(
        {
            "due": [_due(action) for action in rows],
            "title": [tables.plain(shortened(action.title, limit=120)) for action in rows],
            "account": [action.account_name for action in rows],
            "owner": [action.owner_name or "nobody" for action in rows],
            "status": [[words.STATUS_CHIPS[action.status]] for action in rows],
        }
    )
    order = ["due", "title", "account", "status"] if is_mine else ["due", "title", "account", "owner", "status"]
    configuration = {
        "due": tables.text("Due", 82),
        "title": tables.link("Action", "action_open", partial(_open, ids), 176 if is_mine else 146),
        "account": tables.text("Account", 138 if is_mine else 106),
        "owner": tables.text("Owner", 92),
        "status": tables.status_chip(),
    }
    place = ids.index(chosen) if chosen is not None and chosen in ids else None
    mode = "single-row-required" if place is not None else "single-row"
    key = f"action_list_{hash(tuple(ids))}_{mode}_{st.session_state.get(_TABLE, 0)}"
    st.dataframe(
        cells[order],
        column_config=configuration,
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(rows), most=18),
        selection_mode=mode,
        selection_default={"selection": {"rows": [place], "columns": [], "cells": []}} if place is not None else None,
        on_select=lambda: _select(key, ids),
        key=key,
        alt="Actions, the one that is due first on top",
    )
    open_now = [action for action in rows if action.closed_at is None]
    late = sum(1 for action in open_now if action.due_date is not None and action.due_date < today)
    more = f", the first {MOST} are shown" if len(rows) == MOST else ""
    st.markdown(f":small[:gray[{len(open_now)} open, {late} overdue{more}]]")
