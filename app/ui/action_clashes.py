"""What two people changed in the same field of an action, side by side, with the choice between both.

Nothing is chosen at first: a default would lose one of the two.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st

from app.actions.model import ActionEvent
from app.auth import Identity
from app.ui import action_story, data, figures, visit, words
from app.ui.text import escaped

LABELS = {
    "intervention": "What to do",
    "action_type": "Kind",
    "priority": "Priority",
    "due_date": "Due",
    "title": "Title",
    "stakeholder": "Stakeholder",
    "owner_user_id": "Owner",
    "reason": "Why now",
}
MINE, THEIRS = "Keep mine", "Take theirs"


@dataclass(frozen=True)
class Clash:
    """A field that both changed: their value, told by whom and when, and mine; `held` is what my widget held last."""

    theirs: Any
    mine: Any
    who: str
    at: datetime
    held: Any


def missing(name: str, clashes: Collection[str]) -> str:
    """What must be chosen before anything is saved, for the button; empty when nothing must."""
    open_ones = [LABELS[one].lower() for one in clashes if not st.session_state.get(f"{name}_pick_{one}")]
    return "choose first: " + ", ".join(open_ones) if open_ones else ""


def draw(name: str, clashes: Mapping[str, Clash], taken: Sequence[str], *, on_pick: Callable[[str], None]) -> None:
    """Both values of each field that both changed, side by side, and the choice below them; then what is taken over.

    `name` makes the keys of the choices, `on_pick` is the callback of each and gets its column.
    """
    here = visit.current()
    with st.container(border=True, gap="small", key=f"{name}_clashes"):
        names = " and ".join(dict.fromkeys(clash.who.rstrip(",") for clash in clashes.values()))
        st.markdown(
            f":orange[:material/sync_problem:] **{names} changed the same meanwhile.** Choose what stays, then save."
        )
        for one, clash in clashes.items():
            with st.container(gap="xxsmall"):
                st.markdown(f":small[**{LABELS[one]}**]")
                theirs, mine = st.columns(2, gap="small")
                at = figures.clock(clash.at, now=here.now)
                theirs.markdown(f":small[:gray[{clash.who.rstrip(',')}, {at}:]]  \n{said(one, clash.theirs)}")
                mine.markdown(f":small[:gray[yours:]]  \n{said(one, clash.mine)}")
                st.segmented_control(
                    f"{LABELS[one]}: which to keep",
                    [THEIRS, MINE],
                    key=f"{name}_pick_{one}",
                    label_visibility="collapsed",
                    on_change=on_pick,
                    args=(one,),
                )
        for line in taken:
            st.markdown(f":small[:gray[{line}]]")


def told(event: ActionEvent, actor: Identity) -> str:
    """What somebody else changed beside, our own Markdown."""
    label = LABELS[str(event.field)].lower()
    return f"{who(event, actor)} changed {label} to {said(str(event.field), event.after)}; that stays."


def who(event: ActionEvent, actor: Identity) -> str:
    """Who changed a field, escaped: by their first name, or oneself elsewhere."""
    if event.actor_user_id == actor.user_id:
        return "You, in another window,"
    return escaped(event.actor_name.split(" ")[0] if event.actor_user_id else event.actor_name)


def said(one: str, value: Any) -> str:
    """A column's value as a person says it, our own Markdown."""
    if one == "reason":
        return escaped(words.reason_shown(value or ""), limit=200) or "nothing"
    if one == "owner_user_id" and value:
        names = {str(person.user_id): escaped(person.display_name) for person in data.people()}
        return names.get(str(value), "somebody who has left")
    return action_story.value_said(one, value.isoformat() if isinstance(value, date) else value)
