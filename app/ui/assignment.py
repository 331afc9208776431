"""Load per person, the queue of unassigned and overdue work, and moving actions with a preview of the load after."""

from datetime import datetime
from functools import partial
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.actions import service
from app.actions.model import ActionFilter, ActionRow, ReassignResult, Workload
from app.auth import Identity
from app.ui import action_panel, charts, data, figures, frame, portfolio_charts, tables, visit, words, writes
from app.ui.text import escaped, shortened

QUEUES = {"unassigned": "Unassigned", "overdue": "Overdue", "open": "All open"}
PLACE = "reassign"
_MOVED = "reassign:moved"
NOBODY = "nobody"


def show() -> None:
    """Queue on the left, load on the right, the plan below the queue."""
    here = visit.current()
    load = data.workload(here)
    left, right = st.columns([1.55, 1], gap="small")
    with left:
        queue(load)
    with right:
        _load(load)


def _load(load: list[Workload]) -> None:
    here = visit.current()
    with st.container(border=True, gap="xsmall", key="load"):
        frame.heading("Load per person", ":red[overdue] and :blue[other open actions]")
        rows = pd.DataFrame(
            {
                "owner_name": [person.display_name for person in load],
                "open_count": [person.open_count for person in load],
                "overdue_count": [person.overdue_count for person in load],
            }
        )
        if not len(rows):
            st.markdown(":gray[Nobody works actions yet.]")
            return
        charts.draw(
            portfolio_charts.workload_bars(rows, dark=charts.is_dark()),
            key="load_bars",
            alt="Open and overdue actions per person",
        )
    owned = {csm.csm_email: csm for csm in data.csms(here)} if here.publication else {}

    def of(person: Workload, field: str) -> float | None:
        csm = owned.get(person.owner_email)
        return None if csm is None else getattr(csm, field)

    table = pd.DataFrame(
        {
            "name": [person.display_name for person in load],
            "accounts": [of(person, "account_count") for person in load],
            "at_risk": [round(of(person, "mrr_at_risk_eur") or 0) for person in load],
            "week": [person.due_this_week_count for person in load],
            "hours": [
                f"{figures.hours(person.minutes_this_week)} of {figures.hours(person.weekly_capacity_minutes)}"
                for person in load
            ],
        }
    )
    columns = {
        "name": tables.text("Person", 104),
        "accounts": tables.number("Accounts", 68, "%d"),
        "at_risk": tables.number("At risk, €", 72),
        "week": tables.number("This week", 70, "%d"),
        "hours": tables.text("Hours", 72, right=True),
    }
    tables.show(table, columns, key="load_table", alt="Accounts, revenue at risk and hours per person")


def _queued(which: str) -> list[ActionRow]:
    here = visit.current()
    if which == "unassigned":
        return data.actions(ActionFilter(is_unassigned=True, categories=data.OPEN))
    if which == "overdue":
        awake = data.OPEN[:2]
        return data.actions(ActionFilter(categories=awake, due_before=here.today))
    return data.actions(ActionFilter(categories=data.OPEN))


def _open(ids: list[UUID]) -> None:
    row = tables.clicked_row("queue_open")
    if row is not None and 0 <= row < len(ids):
        action_panel.open_in_drawer(ids[row])


@frame.panel
def queue(load: list[Workload]) -> None:
    """Actions that somebody should take, with a plan for the ticked ones. A move redraws the page: the loads
    changed.
    """
    if st.session_state.pop(_MOVED, False) and visit.is_fragment_run():
        st.rerun()
    # at the left: Streamlit's own tool bar of a table floats over what stands above its right end
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("**Queue**", width="content")
        which = (
            st.segmented_control(
                "Queue",
                list(QUEUES),
                format_func=lambda code: QUEUES[code],
                default="unassigned",
                required=True,
                key="queue",
                bind="query-params",
                label_visibility="collapsed",
            )
            or "unassigned"
        )
    rows = _queued(which)
    if not rows:
        frame.empty(
            f"Nothing {'is' if which != 'open' else 'here'} {QUEUES[which].lower()}.",
            "Everybody knows what to do next.",
        )
        frame.problem(PLACE)
        return
    here = visit.current()
    ids = [action.action_id for action in rows]
    dues = [figures.due(action.due_date, here.today) for action in rows]
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
    picked = st.dataframe(
        cells,
        column_config={
            "due": tables.due_chip(dues),
            "account": tables.text("Account", 138),
            "title": tables.text("Action", 196),
            "priority": tables.text("Priority", 72),
            "owner": tables.text("Owner", 104),
            "open": tables.open_button("queue_open", partial(_open, ids)),
        },
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(rows), most=14),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"queue_table_{hash(tuple(ids))}",
        alt="Actions in the queue",
    )
    ticked = [rows[row] for row in picked["selection"]["rows"] if row < len(rows)]
    _plan(ticked, load)
    frame.problem(PLACE)


def _plan(ticked: list[ActionRow], load: list[Workload]) -> None:
    """Whom the ticked actions go to, and what that makes of the loads, before anything moves."""
    with st.container(border=True, gap="xsmall", key="plan"):
        if not ticked:
            st.markdown("**Plan** :small[:gray[tick actions above to give them to somebody]]")
            return
        names = {str(user.user_id): user.display_name for user in data.people()} | {NOBODY: "Nobody: back to the queue"}
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            chosen = st.selectbox(
                "Give to",
                list(names),
                index=None,
                format_func=lambda key: names[key],
                placeholder="Choose a person",
                key="give_to",
                width=260,
            )
            st.button(
                f"Reassign {figures.count(len(ticked), 'action')}",
                type="primary",
                key="reassign",
                disabled=chosen is None,
                on_click=_reassign,
                args=([action.action_id for action in ticked],),
            )
        if chosen is None:
            return
        writes.form_key(PLACE)
        st.markdown("  \n".join(preview(ticked, load, None if chosen == NOBODY else UUID(chosen), names[chosen])))


def preview(ticked: list[ActionRow], load: list[Workload], owner: UUID | None, name: str) -> list[str]:
    """Lines of load before and after, the receiver first; actions that are theirs already are named as unchanged."""
    before = {person.user_id: person for person in load}
    moving = [action for action in ticked if action.owner_user_id != owner]
    lines = []
    if owner is not None:
        open_count = before[owner].open_count if owner in before else 0
        lines.append(f"**{escaped(name)}** {open_count} → **{open_count + len(moving)}** open")
    for giver in dict.fromkeys(action.owner_user_id for action in moving if action.owner_user_id):
        count = sum(1 for action in moving if action.owner_user_id == giver)
        if giver in before:
            has = before[giver].open_count
            lines.append(f"{escaped(before[giver].display_name)} {has} → **{has - count}** open")
    unchanged = len(ticked) - len(moving)
    if unchanged:
        lines.append(f":gray[{figures.count(unchanged, 'action')} already there]")
    return lines


def _reassign(ids: list[UUID]) -> None:
    chosen = st.session_state.get("give_to")
    if chosen is None:
        return
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> ReassignResult:
        owner = None if chosen == NOBODY else UUID(chosen)
        return service.reassign(db, actor=actor, now=now, action_ids=ids, owner_user_id=owner, idempotency_key=form)

    result = writes.perform(write, place=PLACE, done=_told)
    if result is not None:
        writes.renew_form(PLACE)
        st.session_state[_MOVED] = True


def _told(result: ReassignResult) -> str:
    text = f"{figures.count(len(result.changed), 'action')} reassigned."
    if result.refused:
        text += f" {len(result.refused)} stayed: {escaped(result.refused[0].message)}"
    return text
