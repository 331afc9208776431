"""Changing the fields of an action that exists, also while somebody else does.

What only one of both changed is written beside the other's in one click, and said. Where both changed the same field
the two values stand side by side, and nothing is saved before the person has chosen: a default would lose one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from app.actions import service
from app.actions.merging import merge
from app.actions.model import Action
from app.auth import Identity
from app.errors import StaleVersion
from app.ui import (
    action_clashes,
    action_dialog,
    action_form,
    frame,
    kept_fields,
    visit,
    writes,
)
from app.ui.action_clashes import Clash
from app.ui.action_form import Prefill

FIELDS = (*action_form.WIDGETS, "reason")
Values = dict[str, Any]


@dataclass(frozen=True)
class Editing:
    """What a form was opened on: the version, and the values that the person's own changes are told from.

    After a refusal `seen` is the version whose clashes are shown; values that only the others changed are taken into
    `base`, those that clash stay, so that a form that is closed and opened again meets the same clash again.
    """

    version: int
    base: Values
    seen: int | None = None
    clashes: Mapping[str, Clash] = field(default_factory=dict)
    taken: tuple[str, ...] = ()

    @property
    def settled(self) -> Values:
        """The values that the next click is based on: of a clash, theirs, which the person has been shown."""
        return self.base | {name: clash.theirs for name, clash in self.clashes.items()}


def _name(action: Action) -> str:
    return f"edit_{action.action_id.hex}"


def _subject(action: Action) -> str:
    return f"edit-action:{action.action_id}"


def place_of(action: Action) -> str:
    """Where refusals of an edit are shown."""
    return f"edit:{action.action_id}"


def _values(action: Action) -> Values:
    """The columns that the form edits, as the form holds them."""
    return {name: action_form.plain(getattr(action, name)) for name in FIELDS}


@frame.panel
def popover(action: Action) -> None:
    """A popover, not a dialog, because the action itself may stand in a drawer and two dialogs cannot be open at
    once. Closed, its fields start anew; the browser gives back what was changed in them.
    """
    name = _name(action)
    if st.session_state.pop(f"{name}_saved", False) and visit.is_fragment_run():
        st.rerun()
    drawn = st.popover("Edit", type="tertiary", icon=":material/edit:", key=f"{name}_popover", on_change="rerun")
    if not drawn.open:
        _start_anew(action)
        return
    editing: Editing = st.session_state.setdefault(
        f"{name}_editing", Editing(version=action.version, base=_values(action))
    )
    base = editing.base

    def send(values: Values, idempotency_key: str) -> bool:
        return _save(action, values, idempotency_key)

    with drawn, st.container(width=520):
        # a place of its own, always there: fields that move are mounted anew, and the date came back empty then
        with st.container(gap="small", key=f"{name}_above"):
            if editing.clashes:
                action_clashes.draw(name, editing.clashes, editing.taken, on_pick=lambda one: _pick(action, one))
            else:
                frame.problem(place_of(action))
        takes_their_reason = st.session_state.get(f"{name}_pick_reason") == action_clashes.THEIRS
        action_form.draw(
            name,
            Prefill(**{**base, "reason": base["reason"] or "", "stakeholder": base["stakeholder"] or ""}),
            button="Save changes",
            subject=_subject(action),
            send=send,
            people=action_dialog.people_for_owner(),
            account_key=action.account_key,
            missing=action_clashes.missing(name, editing.clashes),
            keeps_fields=False,
            instead=editing.clashes["reason"].theirs or "" if takes_their_reason else None,
        )
        _keep(action, editing)


def _start_anew(action: Action) -> None:
    name = _name(action)
    action_form.forget(name)
    for key in ("editing", *(f"pick_{one}" for one in FIELDS)):
        st.session_state.pop(f"{name}_{key}", None)
    frame.forget(place_of(action))


# what the browser keeps


def _keep(action: Action, editing: Editing) -> None:
    """Keep the changed fields, with the values they were changed from: a clash must be met after a reload too."""
    name = _name(action)
    held = {
        one: st.session_state[f"{name}_{key}"]
        for one, key in action_form.WIDGETS.items()
        if f"{name}_{key}" in st.session_state
    }
    start = {one: action_form.held(one, editing.base[one]) for one in held}
    changed = {one: kept_fields.stored(value) for one, value in held.items() if value != start[one]}
    if changed:
        changed = {
            "version": editing.version,
            "base": {one: kept_fields.stored(start[one]) for one in changed},
            "mine": changed,
        }
    kept_fields.keep(_subject(action), changed, lambda kept: _give_back(action, kept))


def _give_back(action: Action, kept: Mapping[str, Any]) -> None:
    """Callback: put the kept changes into the fields, and what they were changed from under them."""
    version, base, mine = kept.get("version"), kept.get("base"), kept.get("mine")
    if not isinstance(version, int) or not isinstance(base, dict) or not isinstance(mine, dict):
        return
    name = _name(action)
    known = action_form.kept(name, action_dialog.people_for_owner())
    editing: Editing = st.session_state.get(f"{name}_editing") or Editing(action.version, _values(action))
    started = dict(editing.base)
    for one, widget in known.items():
        if one not in base or one not in mine:
            continue
        try:
            before = None if base[one] is None else widget.take(base[one])
            st.session_state[widget.key] = None if mine[one] is None else widget.take(mine[one])
        except (TypeError, ValueError):
            continue
        started[one] = action_form.column_of(one, before)
    version = min(max(version, 1), action.version)
    st.session_state[f"{name}_editing"] = replace(editing, version=version, base=started)


# saving


def _save(action: Action, values: Values, idempotency_key: str) -> bool:
    """Callback: write what differs from what the form was opened on."""
    name, place = _name(action), place_of(action)
    editing: Editing = st.session_state[f"{name}_editing"]
    based_on = editing.settled
    changes = {one: value for one, value in values.items() if value != based_on[one]}

    def write(db: Connection, actor: Identity, now: datetime) -> str:
        service.edit_action(
            db,
            actor=actor,
            now=now,
            action_id=action.action_id,
            expected_version=editing.seen or editing.version,
            changes=changes,
            base={one: based_on[one] for one in changes},
            idempotency_key=idempotency_key,
        )
        since = service.get_action(db, action.action_id).events
        others = {
            event.field: event
            for event in since
            if event.version > editing.version and event.field in FIELDS and event.field not in changes
        }
        return " ".join(["Changes saved.", *(action_clashes.told(event, actor) for event in others.values())])

    if writes.perform(write, place=place, done=str) is not None:
        st.session_state[f"{name}_popover"] = False
        st.session_state[f"{name}_saved"] = True
        _start_anew(action)
        kept_fields.forget(_subject(action), _their_subject(action))
        return True
    refused = frame.met(place)
    if isinstance(refused, StaleVersion):
        _meet(action, editing, values, refused)
    return False


def _their_subject(action: Action) -> str:
    return action_form.instead_of(_subject(action))


def _meet(action: Action, editing: Editing, values: Values, refused: StaleVersion) -> None:
    """Keep what both changed as clashes to choose from, and take over what only the others did."""
    name, now = _name(action), visit.current()
    theirs = _values(refused.current)
    merged = merge(editing.settled, theirs, values)
    newest = {event.field: event for event in refused.changes}
    clashes = {one: clash for one, clash in editing.clashes.items() if one not in merged.taken}
    for one in merged.collisions:
        event = newest.get(one)
        clashes[one] = Clash(
            theirs=theirs[one],
            mine=values[one],
            who=action_clashes.who(event, now.identity) if event else "Somebody",
            at=event.at if event else refused.current.updated_at,
            held=st.session_state.get(f"{name}_{action_form.WIDGETS.get(one)}"),
        )
        st.session_state.pop(f"{name}_pick_{one}", None)
    base = dict(editing.base)
    for one in merged.taken:
        base[one] = theirs[one]
        action_form.take_over(name, one, theirs[one])
        st.session_state.pop(f"{name}_pick_{one}", None)
    said = tuple(action_clashes.told(newest[one], now.identity) for one in merged.taken if one in newest)
    st.session_state[f"{name}_editing"] = replace(
        editing, base=base, seen=refused.current.version, clashes=clashes, taken=said
    )


# choosing


def _pick(action: Action, one: str) -> None:
    """Callback: the field shows what would be saved, and can still be edited. The reason's own box is another one."""
    name = _name(action)
    editing: Editing = st.session_state[f"{name}_editing"]
    key = f"{name}_{action_form.WIDGETS.get(one)}"
    clash = editing.clashes[one]
    if key not in st.session_state:
        return
    if st.session_state.get(f"{name}_pick_{one}") == action_clashes.THEIRS:
        clash = replace(clash, held=st.session_state[key])
        st.session_state[f"{name}_editing"] = replace(editing, clashes={**editing.clashes, one: clash})
        action_form.take_over(name, one, clash.theirs)
    elif st.session_state[key] == action_form.held(one, clash.theirs):
        st.session_state[key] = clash.held
