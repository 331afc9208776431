"""The tracker as a list: many rows to tick, one of them open beside it.

Groups are rows of the same table, because one table scrolls and ticks across groups: ticking the row of a group ticks
all of it, a click on its name folds it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from app.actions.lifecycle import Status, is_open
from app.actions.model import ActionRow
from app.ui import (
    action_bulk,
    action_filters,
    action_groups,
    action_list_state,
    action_open,
    action_panel,
    charts,
    choices,
    figures,
    frame,
    page_style,
    tables,
    visit,
    words,
)
from app.ui.action_data import Tracked
from app.ui.action_filters import Wanted
from app.ui.action_groups import Group

# ground of the row that is open, and of the row of a group: tints of the theme, which a styled cell cannot name
_OPEN_ROW = {False: "#ECEFFC", True: "#1F2744"}
# of the list and of what is open beside it: on a wide window, and on one of 1024 px
WIDTHS = {False: (1, 1.22), True: (1.25, 1)}
_TICKED = "ticked"  # shown in place of an action
_PANEL_HEIGHT = 620
_NARROWEST = {"priority": 42, "due": 56, "status": 88, "owner": 60}
_LINK_INDENT = 7
_GROUP_ROW = {False: "#F6F7F9", True: "#1B1E25"}


def due_shown(action: ActionRow, today: date) -> str:
    """When an action is due, in the few letters of a cell."""
    if not is_open(action.status):
        return figures.short_day(action.closed_at.date(), today=today) if action.closed_at else "–"
    if action.status is Status.SNOOZED and action.snoozed_until:
        return f"back {figures.short_day(action.snoozed_until, today=today)}"
    if action.due_date is None:
        return "–"
    days = (action.due_date - today).days
    return f"−{-days} d" if days < 0 else "today" if days == 0 else figures.short_day(action.due_date, today=today)


def grouping() -> str:
    """The control of the groups, for the row of filters."""
    choices.accept("group", action_groups.GROUPINGS)
    with st.container(width=108):
        return st.selectbox(
            "Group by",
            list(action_groups.GROUPINGS),
            format_func=lambda code: action_groups.GROUPINGS[code],
            key="group",
            bind="query-params",
            label_visibility="collapsed",
        )


def show(found: Tracked, by: str, wanted: Wanted) -> None:
    """List left; at the right what is ticked, else the chosen action, else the first of the list."""
    chosen = action_open.chosen() or (found.rows[0].action_id if found.rows else None)
    mine, other = WIDTHS[page_style.is_narrow()]
    left, right = st.columns([mine, other], gap="small")
    # before the list is drawn, which takes a moment: what is still on the screen would take a note for another action
    place = right if st.session_state.get(action_list_state.SHOWN) == chosen else right.skeleton(height=_PANEL_HEIGHT)
    with left:
        ticked = _table(found, by, chosen, wanted) if found.rows else []
        if not found.rows:
            action_filters.nothing(wanted)
    st.session_state[action_list_state.SHOWN] = _TICKED if ticked else chosen
    with place.container(border=True, key="action_panel"):
        if ticked:
            action_bulk.show(ticked, room=page_style.boxed(page_style.room(other, mine + other)))
        elif chosen is None:
            st.markdown("**No action is open here.** :gray[Choose others, or add one.]")
        else:
            try:
                action_panel.show(chosen)
            except Exception as error:
                frame.explain(error)


Line = ActionRow | Group


def _lines(groups: Sequence[Group], folded: set[str]) -> list[Line]:
    """Rows of the table: a group's own row before its actions, which are left out where it is folded."""
    lines: list[Line] = []
    for group in groups:
        if group.name:
            lines.append(group)
        if group.name not in folded:
            lines += group.rows
    return lines


def _clicked(lines: list[Line], by: str) -> None:
    """A click on a name: open the action, or fold the group."""
    row = tables.clicked_row("action_open")
    if row is None or not 0 <= row < len(lines):
        return
    line = lines[row]
    if isinstance(line, Group):
        folded = st.session_state.setdefault(f"folded:{by}", set())
        folded.symmetric_difference_update({line.name})
    else:
        action_open.choose(line.action_id)


def _table(found: Tracked, by: str, chosen: UUID | None, wanted: Wanted) -> list[ActionRow]:
    """Draw the table; returns the ticked actions."""
    today = visit.current().today
    # above: the tool bar of the table floats over its right end
    _sum(found, today, is_queue=wanted.who == "unassigned")
    folded: set[str] = st.session_state.get(f"folded:{by}", set())
    lines = _lines(action_groups.grouped(found.rows, by, today), folded)
    order = ["priority", "title", "account", "due", "status", "owner"]
    left_out = ({"account"} if by == "account" else set()) | (set() if wanted.who == "all" else {"owner"})
    order = [name for name in order if name not in left_out]
    mine, other = WIDTHS[page_style.is_narrow()]
    widths = _widths(order, page_style.room(mine, mine + other) - tables.FRAME - tables.TICKS)
    cells = pd.DataFrame([_cells(line, today, folded, widths) for line in lines])
    configuration = {
        "priority": tables.priority_chip(),
        "title": tables.link("Action", "action_open", partial(_clicked, lines, by), widths["title"]),
        "account": tables.text("Account", widths.get("account")),
        "due": tables.text("Due", widths["due"]),
        "status": tables.status_chip(widths["status"]),
        "owner": tables.text("Owner", widths.get("owner")),
    }
    key = f"action_list_{hash(tuple(_id(line) for line in lines))}_{action_list_state.number()}"
    st.dataframe(
        _styled(cells.loc[:, order], lines, chosen),
        column_config=configuration,
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(lines), most=18),
        selection_mode="multi-row",
        on_select="rerun" if action_bulk.may_change() else "ignore",
        key=key,
        alt="Actions",
        placeholder="",
    )
    ticked: dict[UUID, ActionRow] = {}
    for row in st.session_state[key]["selection"]["rows"] if action_bulk.may_change() else ():
        line = lines[row] if row < len(lines) else None
        for action in () if line is None else line.rows if isinstance(line, Group) else (line,):
            ticked[action.action_id] = action
    return list(ticked.values())


def _id(line: Line) -> object:
    return line.name if isinstance(line, Group) else line.action_id


def _widths(order: Sequence[str], room: int) -> dict[str, int]:
    """Pixels of each column: the account gets enough to be known by, the title all that is left."""
    widths = {name: _NARROWEST[name] for name in order if name in _NARROWEST}
    left = max(room - sum(widths.values()), 180)
    if "account" in order:
        widths["account"] = left // 3
    widths["title"] = left - widths.get("account", 0)
    return widths


def _cells(line: Line, today: date, folded: set[str], widths: Mapping[str, int]) -> dict[str, object]:
    if isinstance(line, Group):
        sign = "▶" if line.name in folded else "▼"
        count = f" · {len(line.rows)}"
        name = tables.fitted(line.name, widths["title"] - _LINK_INDENT - 14 - 7 * len(count))
        title = f"{sign} {tables.plain(name)}{count}"
        return {"priority": None, "due": None, "title": title, "account": None, "owner": None, "status": None}
    return {
        "due": due_shown(line, today).removeprefix("back "),
        "priority": [words.PRIORITIES[line.priority][0]],
        "title": tables.plain(tables.fitted(line.title, widths["title"] - _LINK_INDENT)),
        "account": tables.fitted(line.account_name, widths.get("account", 0)),
        "owner": tables.fitted(line.owner_name.split(" ")[0] if line.owner_name else "nobody", widths.get("owner", 0)),
        "status": [words.STATUS_CHIPS[line.status]],
    }


def _styled(cells: pd.DataFrame, lines: Sequence[Line], chosen: UUID | None) -> Styler:
    """The open row and the rows of groups on a ground of their own."""
    is_dark = charts.is_dark()

    def ground(row: pd.Series) -> list[str]:
        line = lines[int(str(row.name))]
        if isinstance(line, Group):
            return [f"background-color: {_GROUP_ROW[is_dark]}"] * len(row)
        is_chosen = line.action_id == chosen
        return [f"background-color: {_OPEN_ROW[is_dark]}" if is_chosen else ""] * len(row)

    return cells.style.apply(ground, axis=1)


def _sum(found: Tracked, today: date, *, is_queue: bool) -> None:
    open_count = sum(count for status, count in found.counts.items() if is_open(status))
    late = sum(
        1
        for action in found.rows
        if is_open(action.status)
        and action.status is not Status.SNOOZED
        and action.due_date is not None
        and action.due_date < today
    )
    ended = found.total - open_count
    parts = [f"{figures.grouped(open_count)} open", f"{figures.grouped(late)} overdue"]
    if ended:
        parts.append(f"{figures.grouped(ended)} ended")
    if found.total > len(found.rows):
        parts.append(f"the first {figures.grouped(len(found.rows))} are listed")
    parts.append("gravest first, then oldest" if is_queue else "soonest due first")
    st.markdown(f":small[:gray[{', '.join(parts)}]]")
