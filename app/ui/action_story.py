"""Notes and story of an action: everything that happened to it, newest first, with the composer on top.

Note bodies are what people typed: they are shown with `st.text`, never as Markdown.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.actions import service
from app.actions.lifecycle import Status
from app.actions.model import ActionDetail, ActionEvent, Contact, Note
from app.actions.vocabulary import UNDONE, EventKind
from app.auth import Identity, Permission, can
from app.ui import action_contacts, data, figures, frame, visit, words, writes
from app.ui.composer import composer
from app.ui.text import escaped

SHOWN_AT_FIRST = 12
SHORT = 160


Entry = Note | ActionEvent | Contact


def _save_note(action_id: UUID, body: str, idempotency_key: str, corrects: UUID | None) -> bool:
    def write(db: Connection, actor: Identity, now: datetime) -> Note:
        return service.add_note(
            db,
            actor=actor,
            now=now,
            action_id=action_id,
            body=body,
            corrects_note_id=corrects,
            idempotency_key=idempotency_key,
        )

    done = "Correction saved." if corrects else "Note saved."
    if writes.perform(write, place=f"notes:{action_id}", done=done) is None:
        return False
    st.session_state.pop(f"corrects:{action_id}", None)
    return True


@frame.panel
def draw(detail: ActionDetail) -> None:
    """Composer, then the story. A saved note reruns this panel only; a contact also fills in the outcome's form."""
    if visit.is_fragment_run():
        if action_contacts.was_logged():
            st.rerun()
        detail = data.action(detail.action.action_id)
    here = visit.current()
    action_id = detail.action.action_id
    may_note = can(here.identity, Permission.ADD_NOTE)
    if may_note:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Notes**", width="content")
            action_contacts.form(detail.action)
        _composer(detail)
    frame.problem(f"notes:{action_id}")
    logged = action_contacts.summary(detail.contacts)
    frame.heading("Story", logged)
    entries = _entries(detail)
    is_long = len(entries) > SHOWN_AT_FIRST
    shows_all = is_long and st.session_state.get(f"story_all_{action_id.hex}", False)
    names = _names(detail.events)
    with st.container(gap="xsmall", key=f"story_{action_id.hex}"):
        for at, entry in entries if shows_all else entries[:SHOWN_AT_FIRST]:
            with st.container(horizontal=True, gap="small", vertical_alignment="top", wrap=False):
                st.markdown(f":small[:gray[{figures.story_time(at, now=here.now)}]]", width=82)
                if isinstance(entry, Note):
                    _note(entry, detail, may_note=may_note)
                elif isinstance(entry, Contact):
                    st.markdown(action_contacts.told(entry))
                else:
                    st.markdown(told(entry, names, _until(entry, detail.events)))
    if is_long:
        st.toggle(f"Show all {len(entries)} entries", key=f"story_all_{action_id.hex}")


def _entries(detail: ActionDetail) -> list[tuple[datetime, Entry]]:
    """What the story tells, newest first; of one moment, the one that was written last."""
    superseded = {note.corrects_note_id for note in detail.notes}
    written = {
        event.after["note_id" if event.kind is EventKind.NOTE_ADDED else "contact_id"]: event.event_id
        for event in detail.events
        if event.kind in (EventKind.NOTE_ADDED, EventKind.CONTACT_LOGGED)
    }
    found: list[tuple[datetime, int, Entry]] = [
        *(
            (note.created_at, written.get(str(note.note_id), 0), note)
            for note in detail.notes
            if note.note_id not in superseded
        ),
        *((one.logged_at, written.get(str(one.contact_id), 0), one) for one in detail.contacts),
        *((event.at, event.event_id, event) for event in _tellable(detail.events)),
    ]
    found.sort(key=lambda entry: entry[:2], reverse=True)
    return [(at, entry) for at, _, entry in found]


def _composer(detail: ActionDetail) -> None:
    """The box for a new note, or for the correction of an own one, which starts with the text as it was."""
    here, action_id = visit.current(), detail.action.action_id
    chosen: UUID | None = st.session_state.get(f"corrects:{action_id}")
    old = next((note for note in detail.notes if note.note_id == chosen), None)
    composer(
        f"note_{action_id.hex}" if old is None else f"note_{action_id.hex}_{old.note_id.hex}",
        user_id=str(here.identity.user_id),
        subject=f"action:{action_id}" if old is None else f"correct:{old.note_id}",
        label="Note" if old is None else "Correction of your note",
        button="Save note" if old is None else "Save correction",
        start="" if old is None else old.body,
        save=lambda body, key: _save_note(action_id, body, key, None if old is None else old.note_id),
    )
    if old is not None:
        st.button(
            "Never mind: leave the note as it is",
            type="tertiary",
            key=f"uncorrect_{action_id.hex}",
            on_click=_correct,
            args=(action_id, None),
        )


def _correct(action_id: UUID, note_id: UUID | None) -> None:
    st.session_state[f"corrects:{action_id}"] = note_id


def _note(note: Note, detail: ActionDetail, *, may_note: bool) -> None:
    """Author and body: on one line when it is a short one, else the text as it was typed, line by line; the texts that
    it corrects are folded below it."""
    earlier = _earlier(note, detail.notes)
    mark = " :small[:gray[correction]]" if earlier else ""
    author = f"**{escaped(note.author_name.split(' ')[0])}**{mark}"
    is_short = len(note.body) <= SHORT and "\n" not in note.body.strip()
    with st.container(gap=None):
        st.markdown(f"{author}: {escaped(note.body)}" if is_short else author)
        if not is_short:
            st.text(note.body)
        if earlier:
            with st.expander("As it was before", icon=":material/history:"):
                for old in earlier:
                    st.text(old.body)
    is_chosen = st.session_state.get(f"corrects:{note.action_id}") == note.note_id
    if may_note and note.author_user_id == visit.current().identity.user_id and not is_chosen:
        st.button(
            "Correct",
            type="tertiary",
            key=f"correct_{note.note_id.hex}",
            on_click=_correct,
            args=(note.action_id, note.note_id),
            help="Your correction is a new note; this text stays readable below it",
        )


def _earlier(note: Note, notes: Sequence[Note]) -> list[Note]:
    """What a correction corrects, the newest first."""
    by_id = {one.note_id: one for one in notes}
    found: list[Note] = []
    while note.corrects_note_id is not None and note.corrects_note_id in by_id:
        note = by_id[note.corrects_note_id]
        found.append(note)
    return found


# A move writes these beside the status; the story tells them in the sentence of the move.
_PART_OF_A_MOVE = (
    "snoozed_until",
    "snooze_reason",
    "status_before_snooze",
    "result",
    "cancel_reason",
    "closed_at",
    "archived_at",
)


def _tellable(events: Sequence[ActionEvent]) -> list[ActionEvent]:
    """The events that deserve a line of their own."""
    moves = {event.version for event in events if event.field == "status"}
    return [
        event
        for event in events
        if event.kind not in (EventKind.NOTE_ADDED, EventKind.CONTACT_LOGGED)
        and not (event.version in moves and event.field in _PART_OF_A_MOVE)
    ]


def _until(event: ActionEvent, events: Sequence[ActionEvent]) -> str | None:
    """What a move carried with it: the day a snooze ends, or the result of a closing."""
    if event.field != "status":
        return None
    wanted = {"snoozed": "snoozed_until", "closed": "result"}.get(str(event.after))
    return next(
        (
            value_said(other.field, other.after)
            for other in events
            if other.version == event.version and other.field == wanted and wanted
        ),
        None,
    )


def value_said(field: str | None, value: Any) -> str:
    """A stored value as a person says it."""
    if value is None or value == "":
        return "nothing"
    lists = {
        "status": words.STATUSES,
        "priority": words.PRIORITIES,
        "intervention": words.INTERVENTIONS,
        "action_type": words.ACTION_TYPES,
        "result": words.RESULTS,
    }
    if field in lists and isinstance(value, str):
        return words.word(lists[field], value)
    if field in ("due_date", "snoozed_until") and isinstance(value, str):
        return figures.day(datetime.fromisoformat(value).date())
    return escaped(str(value), limit=120)


def _names(events: Sequence[ActionEvent]) -> dict[str, str]:
    """Who works actions, by id, escaped: read once a story, and only for one in which the owner changed."""
    if not any(event.field == "owner_user_id" for event in events):
        return {}
    return {str(person.user_id): escaped(person.display_name) for person in data.people()}


def _passed_on(event: ActionEvent, names: Mapping[str, str]) -> str:
    """From whom to whom; people who are deactivated by now have no name here."""
    if event.after is None:
        return f"put it back into the queue, from {names.get(str(event.before), 'somebody who has left')}"
    giver = f", from {names.get(str(event.before), 'somebody who has left')}" if event.before else " from the queue"
    if str(event.after) == str(event.actor_user_id):
        return f"took it{giver}"
    return f"gave it to **{names.get(str(event.after), 'somebody who has left')}**{giver}"


def _undone(event: ActionEvent, names: Mapping[str, str]) -> str:
    """What an undo took back, and what stands again."""
    if event.field == "status":
        if event.after == Status.CANCELLED:
            return "accepting the suggestion: the action is cancelled"
        return f"the move to {value_said('status', event.before).lower()}: {words.status_badge(str(event.after))} again"
    if event.field == "owner_user_id":
        holder = names.get(str(event.after), "somebody who has left") if event.after else "in the queue"
        return f"the change of hands: **{holder}** again"
    name = (event.field or "change").removesuffix("_date").replace("_", " ")
    return f"the change of {escaped(name)}: {value_said(event.field, event.after)} again"


def told(event: ActionEvent, names: Mapping[str, str], carried: str | None = None) -> str:
    """One event as a sentence of ours, Markdown; names and values escaped.

    `names` are those of active people by their id, escaped; `carried` is what a move brought with it.
    """
    who = f"**{escaped(event.actor_name.split(' ')[0] if event.actor_user_id else event.actor_name)}**"
    why = f": {escaped(event.reason, limit=300)}" if event.reason else ""
    if event.kind is EventKind.CREATED:
        source = event.after.get("source") if isinstance(event.after, dict) else None
        return f"{who} {'accepted the suggestion' if source == 'suggestion' else 'added this action'}"
    if event.reason == UNDONE:
        return f"{who} undid {_undone(event, names)}"
    if event.kind is EventKind.CLOSED:
        return f"{who} closed it{' as ' + carried.lower() if carried else ''}{why}"
    if event.field == "status":
        badge = words.status_badge(str(event.after)) + (f" until {carried}" if carried else "")
        reason = words.CANCELLATIONS.get(event.reason or "")
        return f"{who} moved it to {badge}{': ' + reason.lower() if reason else why}"
    if event.field == "escalation_level":
        level = event.after if isinstance(event.after, int) else 0
        return f"{who}: {words.ESCALATIONS.get(level, 'no longer late')}"
    if event.field == "archived_at":
        return f"{who} {'put it into the archive' if event.after else 'took it out of the archive'}"
    if event.field == "owner_user_id":
        return f"{who} {_passed_on(event, names)}{why}"
    if event.field:
        name = event.field.removesuffix("_user_id").removesuffix("_date").replace("_", " ")
        before, after = value_said(event.field, event.before), value_said(event.field, event.after)
        return f"{who} changed {escaped(name)} from {before} to {after}{why}"
    return f"{who}: {escaped(str(event.kind).replace('_', ' '))}{why}"
