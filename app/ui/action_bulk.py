"""One change to the ticked actions: what it is, what it would do to each, then doing it.

The preview is drawn while the fields are filled in, so that what is applied is always what was seen: the versions that
go along are those of the lines on the screen. The reason of a snooze changes no line, so the preview does not wait for
it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.actions import bulk
from app.actions.bulk import BulkPreview, BulkResult
from app.actions.bulk_plan import Assign, BulkChange, Cancel, Redate, Snooze
from app.actions.lifecycle import CANCELLED_BY_PEOPLE
from app.actions.model import ActionRow
from app.auth import Identity, Permission, Role, can
from app.db import read
from app.errors import InvalidInput
from app.ui import (
    action_data,
    action_list_state,
    action_open,
    action_undo,
    action_why,
    figures,
    frame,
    tables,
    visit,
    words,
    writes,
)
from app.ui.text import escaped, shortened

PLACE = "bulk"
NOBODY = "Nobody: back to the queue"
KINDS = {"snooze": "Snooze", "redate": "Re-date", "cancel": "Cancel", "assign": "Assign"}
# "Cancel" alone, on a row of choices, would be read as a way out
_CHOICES = KINDS | {"cancel": "Cancel actions"}
_SHIFT, _DATE = "Push", "Set one date"
_NOT_SAID_YET = "?"
_HEADS = {"title": "Action", "account": "Account", "before": "Now", "after": "Then"}
_ROOM_FOR_ACCOUNT = 280  # pixels for action and account together: less, and neither can be told
_CHANGED = "bulk:changed"


def may_change() -> bool:
    """Whether the person here may change any action: else nothing can be ticked."""
    me = visit.current().identity
    return can(me, Permission.WORK_ACTION, owner_user_id=me.user_id)


@frame.panel
def show(ticked: list[ActionRow], *, room: int, kinds: Sequence[str] = tuple(KINDS), can_open: bool = True) -> None:
    """The bar and the preview below it, for some `kinds` of change, in `room` pixels. Applying redraws the page: it
    changes the list.

    `can_open` when the page shows an opened action beside its list.
    """
    if st.session_state.pop(_CHANGED, False) and visit.is_fragment_run():
        st.rerun()
    here = visit.current()
    offered = [kind for kind in kinds if kind != "assign" or here.identity.role is Role.ADMIN]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{figures.count(len(ticked), 'action')} ticked**", width="content")
        with st.container(horizontal=True, width="content", gap="small"):
            if can_open and len(ticked) == 1:
                # a name in the table can only be clicked: this is the way in for a keyboard
                st.button(
                    "Open it",
                    icon=":material/open_in_full:",
                    type="tertiary",
                    key="bulk_open",
                    on_click=_open,
                    args=(ticked[0].action_id,),
                )
            st.button("Clear", icon=":material/close:", type="tertiary", key="bulk_clear", on_click=_clear)
    kind = (
        st.segmented_control(
            "What to do with them",
            offered,
            format_func=lambda code: _CHOICES[code],
            default=offered[0],
            required=True,
            key="bulk_kind",
            label_visibility="collapsed",
        )
        or offered[0]
    )
    change, missing = _change(kind)
    writes.form_key(PLACE)
    preview, problem = (None, missing) if change is None else _preview(change, ticked)
    frame.problem(PLACE)
    if preview is None:
        st.markdown(f":small[:gray[{escaped(problem)}]]")
    _lines(preview, ticked, room)
    items = [(line.action_id, line.version) for line in preview.lines if not line.refusal] if preview else []
    button = f"{KINDS[kind]} {figures.count(len(items) if preview else len(ticked), 'action')}"
    if isinstance(change, Snooze):
        _why(change, items, button)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not isinstance(change, Snooze):
            st.button(
                button,
                type="primary",
                key="bulk_apply",
                disabled=not items,
                on_click=_apply,
                args=(change, items),
            )
        if preview is not None and len(items) < len(preview.lines):
            refused = [line.refusal for line in preview.lines if line.refusal]
            stay = figures.count(len(refused), "action stays as it is", "actions stay as they are")
            why = " ".join(escaped(reason) for reason in dict.fromkeys(refused))
            st.markdown(f":small[:orange[{stay}.] {why}]")
        elif items:
            st.markdown(":small[:gray[can be undone for a minute]]", width="content")


def _open(action_id: UUID) -> None:
    action_open.choose(action_id)
    _clear()


def _clear() -> None:
    frame.forget(PLACE)
    action_list_state.renew()
    st.session_state[_CHANGED] = True


def _change(kind: str) -> tuple[BulkChange | None, str]:
    """The fields of one kind of change; the change, or what is missing for it."""
    today = visit.current().today
    if kind == "snooze":
        with st.container(width=400, gap="xsmall"):
            until = action_why.until_field(today, "bulk_until")
        return (Snooze(until=until, reason=_NOT_SAID_YET), "") if until else (None, "Choose the day.")
    if kind == "cancel":
        reason = st.selectbox(
            "Reason",
            [reason.value for reason in CANCELLED_BY_PEOPLE],
            index=None,
            format_func=lambda code: words.CANCELLATIONS[code],
            placeholder="Choose a reason",
            key="bulk_reason",
            width=320,
        )
        return (Cancel(reason=reason), "") if reason else (None, "Choose a reason; the preview is then shown here.")
    if kind == "assign":
        people = action_data.owners()
        name = st.selectbox(
            "Give to",
            [*people, NOBODY],
            index=None,
            placeholder="Choose a person",
            key="bulk_owner",
            width=320,
        )
        return (Assign(owner_user_id=people.get(name)), "") if name else (None, "Choose who gets them.")
    return _redate()


def _redate() -> tuple[BulkChange | None, str]:
    today = visit.current().today
    # a row that breaks where the panel is narrow: two columns of it cut the second choice
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        way = st.segmented_control(
            "How", [_SHIFT, _DATE], default=_SHIFT, required=True, key="bulk_redate", label_visibility="collapsed"
        )
        if way == _DATE:
            day = st.date_input(
                "New due date", value=None, min_value=today, format="DD/MM/YYYY", key="bulk_due", width=200
            )
            return (Redate(due_date=day), "") if day else (None, "Choose the day.")
        st.session_state.setdefault("bulk_shift", 5)
        days = st.number_input("By how many business days", min_value=1, max_value=250, key="bulk_shift", width=200)
    return Redate(shift_business_days=int(days or 1)), ""


def _preview(change: BulkChange, ticked: list[ActionRow]) -> tuple[BulkPreview | None, str]:
    here = visit.current()
    try:
        with read() as db:
            ids = [action.action_id for action in ticked]
            return bulk.preview(db, actor=here.identity, now=here.now, change=change, action_ids=ids), ""
    except InvalidInput as error:
        return None, f"{error.message} {error.hint}".strip()


def widths(room: int) -> dict[str, int]:
    """Pixels of the preview's columns: what then is stands in sight before everything else, the account last."""
    before, after = 96, 130
    left = max(room - tables.FRAME - before - after, 120)
    if left < _ROOM_FOR_ACCOUNT:
        return {"title": left, "before": before, "after": after}
    account = left // 3
    more = min(left // 5, 110)
    return {"title": left - account - more, "account": account, "before": before, "after": after + more}


def _lines(preview: BulkPreview | None, ticked: list[ActionRow], room: int) -> None:
    """What happens to each; before there is a preview, which ones they are."""
    wide = widths(room)
    if preview is None:
        rows = pd.DataFrame(
            {
                "title": [shortened(action.title, limit=90) for action in ticked],
                "account": [action.account_name for action in ticked],
            }
        )
        account = (room - tables.FRAME) // 3
        columns = {
            "title": tables.text("Action", room - tables.FRAME - account),
            "account": tables.text("Account", account),
        }
    else:
        rows = pd.DataFrame(
            {
                "title": [tables.fitted(line.title, wide["title"]) for line in preview.lines],
                "account": [tables.fitted(line.account_name, wide.get("account", 0)) for line in preview.lines],
                "before": [line.before for line in preview.lines],
                "after": [f"stays: {line.refusal}" if line.refusal else f"→ {line.after}" for line in preview.lines],
            }
        )
        columns = {name: tables.text(_HEADS[name], width) for name, width in wide.items()}
    tables.show(rows, columns, key="bulk_preview", alt="What happens to each ticked action", most=12)


def _why(change: Snooze, items: list[tuple[UUID, int]], button: str) -> None:
    """The reason all of them share, with the button that snoozes them; what is typed outlives a reload."""
    action_why.why(
        "bulk_why",
        subject="bulk-snooze",
        button=button,
        placeholder="What are we waiting for?",
        save=lambda reason, _: _applied(replace(change, reason=reason), items),
        missing="" if items else "none of them can be snoozed",
    )


def _apply(change: BulkChange, items: list[tuple[UUID, int]]) -> None:
    """Callback of the changes that one click is enough for."""
    _applied(change, items)


def _applied(change: BulkChange, items: list[tuple[UUID, int]]) -> bool:
    """Whether it was done, at least to those that were not refused."""
    form = writes.form_key(PLACE)

    def write(db: Connection, actor: Identity, now: datetime) -> BulkResult:
        return bulk.apply(db, actor=actor, now=now, change=change, items=items, idempotency_key=form)

    result = writes.perform(write, place=PLACE)  # the line with the undo says what was done
    writes.renew_form(PLACE)
    if result is None:
        return False
    action_undo.keep(result, told(result, change))
    for field in ("reason", "owner", "due"):
        st.session_state.pop(f"bulk_{field}", None)
    action_list_state.renew()
    st.session_state[_CHANGED] = True
    return True


def told(result: BulkResult, change: BulkChange) -> str:
    """What a change did, our own Markdown."""
    count = figures.count(len(result.changed), "action")
    if isinstance(change, Snooze):
        until = next((action.snoozed_until for action in result.changed), change.until)
        text = f"{count} snoozed until {figures.day(until)}."
    elif isinstance(change, Cancel):
        text = f"{count} cancelled: {words.word(words.CANCELLATIONS, change.reason).lower()}."
    elif isinstance(change, Assign):
        text = f"{count} {'given away' if change.owner_user_id else 'put back into the queue'}."
    elif change.due_date is not None:
        text = f"{count} now due {figures.day(change.due_date)}."
    else:
        text = f"{count} pushed by {figures.count(change.shift_business_days or 0, 'business day')}."
    if result.refused:
        text += f" {len(result.refused)} stayed: {escaped(result.refused[0].message)}"
    return text
