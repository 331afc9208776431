"""Giving ticked actions away: to one person, or shared out by a strategy, seen line by line before anything moves.

Either way the moves of one click are bulk changes, one per receiver, made in one transaction and undone together within
a minute.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.actions import bulk
from app.actions.assignment import Load, Plan, Strategy
from app.actions.bulk import BulkResult
from app.actions.bulk_plan import Assign
from app.actions.model import ActionFilter, ActionRow
from app.auth import Identity
from app.errors import AppError
from app.ui import action_list_state, action_undo, assignment_data, data, figures, frame, tables, visit, writes
from app.ui.text import escaped, shortened

PLACE = "reassign"
NOBODY = "nobody"
SENTENCE_ROW = 60  # from 4 rem on Streamlit wraps the text of a cell
SENTENCE_LINE = 16  # pixels of each line of it
ONE = "One person"
STRATEGIES = {
    "Account's CSM": Strategy.ACCOUNT_OWNER,
    "Least load": Strategy.LEAST_LOAD,
    "Least MRR": Strategy.LEAST_MRR,
    "In turn": Strategy.ROUND_ROBIN,
}
# an action, the version it was shown at, and whom it goes to
Move = tuple[UUID, int, UUID | None]


def draw(ticked: Sequence[ActionRow], *, room: int) -> None:
    """Whom the ticked actions go to, and what that makes of the loads, in `room` pixels."""
    with st.container(border=True, gap="xsmall", key="plan"):
        if not ticked:
            st.markdown("**Plan** :small[:gray[tick actions above to give them to somebody, or to share them out]]")
            frame.problem(PLACE)
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**Give {figures.count(len(ticked), 'action')}** to", width="content")
            how = st.segmented_control(
                "Give to", [ONE, *STRATEGIES], default=ONE, required=True, key="how", label_visibility="collapsed"
            )
        try:
            if how == ONE:
                _to_one(ticked)
            else:
                _shared(ticked, STRATEGIES[how], room)
        except AppError as error:
            st.error(frame.sentence(error), icon=":material/error:")
        frame.problem(PLACE)


def _to_one(ticked: Sequence[ActionRow]) -> None:
    here = visit.current()
    names = {str(user.user_id): user.display_name for user in data.people()} | {NOBODY: "Nobody: back to the queue"}
    chosen = st.selectbox(
        "Person",
        list(names),
        index=None,
        format_func=lambda key: names[key],
        placeholder="Choose a person",
        key="give_to",
        label_visibility="collapsed",
        width=280,
    )
    if chosen is None:
        return
    owner = None if chosen == NOBODY else UUID(chosen)
    lines = assignment_data.preview(owner, [action.action_id for action in ticked], here).lines
    moves: list[Move] = [(line.action_id, line.version, owner) for line in lines if line.refusal is None]
    stays = [line for line in lines if line.refusal is not None]
    givers: dict[str, int] = {}
    moving = {action_id for action_id, _, _ in moves}
    for action in ticked:
        if action.action_id in moving:
            name = action.owner_name or "the queue"
            givers[name] = givers.get(name, 0) + 1
    said = ", ".join(f"{count} from {escaped(name)}" for name, count in givers.items())
    receiver = "the queue" if owner is None else f"**{escaped(names[chosen])}**"
    if moves:
        st.markdown(f"{figures.count(len(moves), 'action')} to {receiver}: {said}.{_load_after(owner, len(moves))}")
    for line in stays[:3]:
        st.markdown(f":small[:gray[{escaped(line.title, limit=80)} stays: {escaped(line.refusal)}]]")
    if len(stays) > 3:
        st.markdown(f":small[:gray[and {len(stays) - 3} more stay]]")
    _button(moves)


def _load_after(owner: UUID | None, count: int) -> str:
    load = next((one for one in data.workload(visit.current()) if one.user_id == owner), None)
    if owner is None or load is None:
        return f" Open: 0 → **{count}**." if owner else ""
    away = f" :orange[Their book is with {escaped(load.covered_by)} now.]" if load.covered_by else ""
    return f" Open: {load.open_count} → **{load.open_count + count}**.{away}"


def _shared(ticked: Sequence[ActionRow], strategy: Strategy, room: int) -> None:
    here = visit.current()
    plan = assignment_data.plan(strategy.value, [action.action_id for action in ticked], here)
    known = {action.action_id: action for action in ticked}
    if plan.moves:
        cells = pd.DataFrame(
            {
                "take": [True] * len(plan.moves),
                "what": [
                    f"{known[move.action_id].account_name}: {shortened(known[move.action_id].title, limit=100)}"
                    for move in plan.moves
                ],
                "from": [known[move.action_id].owner_name or "nobody" for move in plan.moves],
                "to": [move.owner_name for move in plan.moves],
                "why": [move.reason for move in plan.moves],
            }
        )
        columns = {
            "take": st.column_config.CheckboxColumn("Move", width=66),
            "what": tables.text("Action", 150),
            "from": tables.text("From", 76),
            "to": tables.text("To", 76),
            "why": tables.text("Why", why := max(room - tables.FRAME - 66 - 150 - 76 - 76, 240)),
        }
        lines = max(tables.line_count(move.reason, why) for move in plan.moves)
        row_height = max(SENTENCE_ROW, lines * SENTENCE_LINE + 12)
        edited = st.data_editor(
            cells,
            column_config=columns,
            disabled=[name for name in columns if name != "take"],
            hide_index=True,
            row_height=row_height,
            height=tables.height(len(cells), row_height=row_height, most=6),
            key=f"planned_{hash(plan.moves)}",
            alt="Proposed moves with their reasons; take the tick away to leave one out",
        )
        taken = [move for move, is_taken in zip(plan.moves, edited["take"].tolist(), strict=True) if is_taken]
        st.markdown(before_and_after(plan, left_out=len(plan.moves) - len(taken)))
        _button([(move.action_id, move.version, move.owner_user_id) for move in taken])
    for left in plan.left[:4]:
        title = known[left.action_id].title if left.action_id in known else "An action"
        st.markdown(f":small[:gray[{escaped(title, limit=60)} stays: {escaped(left.reason, limit=240)}]]")
    if len(plan.left) > 4:
        st.markdown(f":small[:gray[and {len(plan.left) - 4} more stay]]")


def before_and_after(plan: Plan, *, left_out: int) -> str:
    """Everybody whose load the whole plan changes, on one line each way."""
    after = {one.user_id: one for one in plan.after}

    def told(before: Load) -> str:
        now = after[before.user_id]
        hours = f"{figures.hours(before.booked_minutes)} → {figures.hours(now.booked_minutes)} h"
        return f"{escaped(before.display_name)} {before.open_count} → **{now.open_count}** open, {hours}"

    changed = [told(one) for one in plan.before if after[one.user_id].open_count != one.open_count]
    note = f" :gray[with the {figures.count(left_out, 'line')} left out]" if left_out else ""
    return ":small[" + " · ".join(changed) + f"{note}]"


def _button(moves: Sequence[Move]) -> None:
    st.button(
        f"Move {figures.count(len(moves), 'action')}",
        type="primary",
        key="reassign",
        disabled=not moves,
        on_click=_move,
        args=(tuple(moves),),
    )


def _move(moves: tuple[Move, ...]) -> None:
    """Callback: one bulk change per receiver, all or none of the transaction; lines are refused by themselves."""
    name = f"{PLACE}:{hash(moves)}"
    form = writes.form_key(name)

    def write(db: Connection, actor: Identity, now: datetime) -> list[BulkResult]:
        receivers = list(dict.fromkeys(owner for _, _, owner in moves))
        return [
            bulk.apply(
                db,
                actor=actor,
                now=now,
                change=Assign(owner_user_id=owner),
                items=[(action_id, version) for action_id, version, to in moves if to == owner],
                idempotency_key=f"{form}:{owner or NOBODY}",
            )
            for owner in receivers
        ]

    results = writes.perform(write, place=PLACE)  # the line with the undo says what was done
    if results is None:
        return
    writes.renew_form(name)
    action_list_state.renew()
    st.session_state.pop("give_to", None)
    action_undo.keep_all(results, _told(results))
    if stayed := _stayed(results):
        # the list below is drawn anew: what was refused is told beside it, and not for a moment only
        frame.remember(PLACE, stayed)


def _told(results: Sequence[BulkResult]) -> str:
    changed = sum(len(result.changed) for result in results)
    return f"{figures.count(changed, 'action')} moved." if changed else ""


def _stayed(results: Sequence[BulkResult]) -> AppError | None:
    refused = [one for result in results for one in result.refused]
    if not refused:
        return None
    (first,) = data.actions(ActionFilter(action_ids=(refused[0].action_id,)), limit=1)
    whose = f"It is with {first.owner_name} now." if first.owner_name else "It has no owner."
    more = f" {len(refused) - 1} more stayed too." if len(refused) > 1 else ""
    return AppError(
        f"{shortened(first.title, limit=60)} stayed: {refused[0].message} {whose}{more}",
        hint="The list shows them as they are now.",
    )
