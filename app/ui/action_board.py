"""The tracker as a board: a column for each category of status, with its true count; a card opens its action.

A card's menu has the legal moves; before one that hinders the work a dialog asks what stands in the way, and what needs
a reason or an outcome opens the action.
"""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import streamlit as st

from app.actions.lifecycle import CATEGORY, Category, Status, is_open, legal_moves
from app.actions.model import ActionRow
from app.ui import (
    action_claim,
    action_data,
    action_filters,
    action_hindered,
    action_list,
    action_moves,
    action_panel,
    figures,
    frame,
    visit,
    words,
)
from app.ui.action_data import Tracked
from app.ui.action_filters import Wanted
from app.ui.text import escaped

COLUMNS: Mapping[Category, str] = {
    Category.NOT_STARTED: "Not started",
    Category.STARTED: "Started",
    Category.PAUSED: "Paused",
    Category.CLOSED: "Closed",
    Category.CANCELLED: "Cancelled",
}
# of the priorities that a card names: the others are most cards
PRIORITY_COLOURS = {"critical": "red", "high": "orange"}
RESULT_COLOURS = {"successful": "green", "unsuccessful": "red"}
FIRST, MORE = 12, 24
_OPENING = {"snooze": "Snooze…", "close": "Close…", "cancel": "Cancel the action…", "reopen": "Reopen…"}
_TAKE = "take"
PLACE = "board"


@frame.panel
def show(wanted: Wanted) -> None:
    """The columns. A move redraws the page, so that counts and the other columns follow."""
    if action_moves.was_moved() and visit.is_fragment_run():
        st.rerun()
    found = action_data.tracked(wanted.parts)
    if not found.rows:
        action_filters.nothing(wanted)
        return
    frame.problem(PLACE)
    cards: dict[Category, list[ActionRow]] = {category: [] for category in COLUMNS}
    for action in found.rows:
        cards[CATEGORY[action.status]].append(action)
    for column, category in zip(st.columns(len(COLUMNS), gap="xsmall"), COLUMNS, strict=True):
        with column:
            _column(category, cards[category], found, wanted)


def _column(category: Category, cards: list[ActionRow], found: Tracked, wanted: Wanted) -> None:
    count = sum(number for status, number in found.counts.items() if CATEGORY[status] is category)
    has_ended = category in action_filters.ENDED
    note = " this week" if has_ended and wanted.is_this_week else ""
    key = f"board_{category}"
    with st.container(gap="xsmall", key=key):
        st.markdown(f"**{COLUMNS[category]}** :gray[{figures.grouped(count)}{note}]")
        if not cards:
            st.markdown(":small[:gray[None]]")
        shown = st.session_state.get(f"{key}_shown", FIRST)
        for action in cards[:shown]:
            _card(action, is_mine=wanted.who == "mine")
        if len(cards) > shown:
            more = min(MORE, len(cards) - shown)
            st.button(f"Show {more} more", type="tertiary", key=f"{key}_more", on_click=_more, args=(key, shown + more))
        elif count > len(cards):
            st.markdown(f":small[:gray[{figures.grouped(count - len(cards))} more: narrow the filters to see them]]")


def _more(key: str, shown: int) -> None:
    st.session_state[f"{key}_shown"] = shown


def _card(action: ActionRow, *, is_mine: bool) -> None:
    key = f"card_{action.action_id.hex}"
    owner = escaped(action.owner_name.split(" ")[0], limit=20) if action.owner_name else "nobody"
    whose = "" if is_mine else f" :gray[· {owner}]"
    with st.container(border=True, gap=None, key=key):
        st.button(
            escaped(action.title, limit=70),
            type="tertiary",
            key=f"{key}_open",
            on_click=_opened,
            args=(action.action_id,),
            wrap=False,
        )
        st.markdown(f":small[{escaped(action.account_name, limit=28)}{whose}]")
        moves = _moves(action)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", wrap=False):
            st.markdown(f":small[:gray[{' · '.join(_facts(action, visit.current().today))}]]")
            if moves and not is_open(action.status):
                # one thing can be done with what has ended: no menu of one line
                st.button(
                    _OPENING["reopen"],
                    type="tertiary",
                    key=f"{key}_reopen",
                    on_click=_opened,
                    args=(action.action_id,),
                )
            elif moves:
                st.menu_button(
                    "Move",
                    list(moves),
                    format_func=lambda code: moves[code],
                    type="tertiary",
                    key=f"{key}_move",
                    on_click=_moved,
                    args=(f"{key}_move", action.action_id, action.version, action.status.value),
                )


def _facts(action: ActionRow, today: date) -> list[str]:
    """What a card says of an action, Markdown: when it is due and what is out of the ordinary; for one that ended when
    and how."""
    due = action_list.due_shown(action, today)
    if action.status is Status.CLOSED:
        result = action.result or ""
        return [due, f":{RESULT_COLOURS.get(result, 'gray')}[{words.word(words.RESULTS, result)}]"]
    if action.status is Status.CANCELLED:
        return [due, words.word(words.CANCELLATIONS, action.cancel_reason)]
    late = action.status is not Status.SNOOZED and action.due_date is not None and action.due_date < today
    facts = [f":red[**{due}**]" if late else f"**{due}**" if due == "today" else due]
    if action.priority in PRIORITY_COLOURS:
        facts.append(f":{PRIORITY_COLOURS[action.priority]}[{words.word(words.PRIORITIES, action.priority)}]")
    if action.status in (Status.BLOCKED, Status.WAITING_ON_CUSTOMER):
        facts.append(f":{words.STATUS_COLOURS[action.status]}[{words.word(words.STATUS_CHIPS, action.status)}]")
    return facts


def _moves(action: ActionRow) -> dict[str, str]:
    """What the menu of a card offers to the person here."""
    offered: dict[str, str] = {}
    if action.owner_user_id is None and is_open(action.status) and action_claim.may_claim():
        offered[_TAKE] = "Take it"
    if not action_moves.may_work(action):
        return offered
    legal = legal_moves(action.status, status_before_snooze=action.status_before_snooze)
    if not is_open(action.status):
        return offered | {"reopen": _OPENING["reopen"]}
    for status in legal:
        if status in action_moves.PLAIN_MOVES:
            name = action_moves.PLAIN_MOVES[status]
            if action.status is Status.SNOOZED:
                offered[status.value] = f"Wake up: {name.lower()}"
            else:
                offered[status.value] = f"{name}…" if status in action_hindered.WHAT_FOR else name
    endings = {Status.SNOOZED: "snooze", Status.CLOSED: "close", Status.CANCELLED: "cancel"}
    return offered | {code: _OPENING[code] for status, code in endings.items() if status in legal}


def _opened(action_id: UUID) -> None:
    # the drawer is drawn by the page, which a click inside the panel of the board does not run
    action_panel.open_in_drawer(action_id)
    action_moves.note_moved()


def _moved(key: str, action_id: UUID, version: int, came_from: str) -> None:
    chosen = st.session_state.get(key)
    if chosen == _TAKE:
        action_claim.claim(action_id, version, PLACE, is_on_page=True)
        action_moves.note_moved()
    elif chosen in _OPENING:
        _opened(action_id)
    elif chosen in action_hindered.WHAT_FOR and came_from != Status.SNOOZED:
        action_hindered.ask(action_id, version, Status(chosen), PLACE)
        action_moves.note_moved()
    elif chosen:
        action_moves.move(action_id, version, chosen, place=PLACE, is_on_page=True)
