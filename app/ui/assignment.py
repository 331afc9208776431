"""The queues of work that somebody should take on the left, who carries how much on the right."""

from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st

from app.actions.lifecycle import Status
from app.actions.model import ActionRow
from app.ui import (
    action_bulk,
    action_list_state,
    action_panel,
    action_undo,
    assignment_data,
    assignment_handovers,
    assignment_load,
    assignment_plan,
    choices,
    data,
    figures,
    frame,
    page_style,
    tables,
    visit,
    words,
)
from app.ui.text import shortened

SPLIT = (1.55, 1)  # of the queue and of the loads beside it
_RENEWED = "queue:renewed"
GIVE, CHANGE = "Give away", "Re-date, snooze or cancel"
ORDERS = {"Unassigned": "gravest first, then oldest"}
QUEUES = {
    "Unassigned": ("Nothing is unassigned.", "Every open action has an owner."),
    "Overdue": ("Nothing is overdue.", "Everything that was promised by today is done."),
    "Needs a decision": ("Nothing needs a decision.", "What is late for long comes here: reassign, re-date or cancel."),
    "All open": ("Nothing is open.", "Actions come from suggestions, playbooks, or Add action."),
}


def show() -> None:
    """Two parts, in the address: work, and the books that are in other hands."""
    work, books = choices.tabs(["Work", "Hand-overs"], "desk")
    if work.open:
        with work, frame.guard():
            action_undo.bar()
            left, right = page_style.split(SPLIT, "desk")
            with left:
                queue()
            with right:
                assignment_load.show(data.workload(visit.current()))
    if books.open:
        with books, frame.guard():
            assignment_handovers.show()


def _open(ids: list[UUID]) -> None:
    row = tables.clicked_row("queue_open")
    if row is not None and 0 <= row < len(ids):
        action_panel.open_in_drawer(ids[row])


def queue() -> None:
    """Actions that somebody should take or decide on, and what is to become of the ticked ones."""
    # at the left: Streamlit's own tool bar of a table floats over what stands above its right end
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Queue**", width="content")
        which = choices.one("Queue", list(QUEUES), "queue", start="Unassigned")
        st.markdown(f":small[:gray[{ORDERS.get(which, 'soonest due first')}]]", width="content")
    rows = assignment_data.queue(which, visit.current())
    if not rows:
        frame.empty(*QUEUES[which])
        frame.problem(assignment_plan.PLACE)
        return
    room = page_style.boxed(page_style.room() if page_style.is_narrow() else page_style.room(SPLIT[0], sum(SPLIT)))
    ticked = _picked(rows, which)
    _watch(which, rows, [action.action_id for action in ticked])
    if ticked and _wanted() == CHANGE:
        with st.container(border=True, gap="xsmall", key="change"):
            action_bulk.show(ticked, room=room, kinds=("redate", "snooze", "cancel"), can_open=False)
    else:
        assignment_plan.draw(ticked, room=room)


@st.fragment(run_every="15s")
def _watch(which: str, drawn: list[ActionRow], ticked: list[UUID]) -> None:
    """Look whether colleagues changed the queue: drawn anew when nothing is ticked, else said, so that no tick is
    lost."""
    if not visit.is_fragment_run():
        return
    here = visit.begin(is_background=True)
    if here is None:
        st.rerun()
    news = assignment_data.news(drawn, assignment_data.queue(which, here))
    if news is None:
        return
    if not ticked:
        st.rerun()
    st.markdown(f":orange[:material/sync:] {news}")
    st.button("Show the list as it is now", type="tertiary", key="queue_renew", on_click=_renew)
    if st.session_state.pop(_RENEWED, False):
        st.rerun()


def _renew() -> None:
    action_list_state.renew()
    st.session_state[_RENEWED] = True


def _wanted() -> str:
    """Whether the ticked actions shall go to somebody, or be dealt with: what is late for long may need either."""
    return (
        st.segmented_control(
            "What to do with them",
            [GIVE, CHANGE],
            default=GIVE,
            required=True,
            key="desk_do",
            label_visibility="collapsed",
        )
        or GIVE
    )


def _picked(rows: list[ActionRow], which: str) -> list[ActionRow]:
    """The table, and which of its rows are ticked."""
    here = visit.current()
    ids = [action.action_id for action in rows]
    dues = ["Snoozed" if one.status is Status.SNOOZED else figures.due(one.due_date, here.today) for one in rows]
    cells = pd.DataFrame(
        {
            "due": [[due] for due in dues],
            "account": [action.account_name for action in rows],
            "title": [shortened(action.title, limit=120) for action in rows],
            "priority": [words.PRIORITIES[action.priority] for action in rows],
            "owner": [action.owner_name or "nobody" for action in rows],
            "open": ["Open"] * len(rows),
        }
    )
    columns = {
        "due": tables.due_chip(dues),
        "account": tables.text("Account", 138),
        "title": tables.text("Action", 196),
        "priority": tables.text("Priority", 72),
        "owner": tables.text("Owner", 104),
        "open": tables.open_button("queue_open", partial(_open, ids)),
    }
    if which == "Unassigned":
        del columns["owner"]
    picked = st.dataframe(
        cells[list(columns)],
        column_config=columns,
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(rows), most=10),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"queue_table_{hash(tuple(ids))}_{action_list_state.number()}",
        alt="Actions in the queue",
    )
    return [rows[row] for row in picked["selection"]["rows"] if row < len(rows)]
