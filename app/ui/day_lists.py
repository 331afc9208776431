"""The lists of My day: what is to be done now, what comes next, and what changed on my accounts.

Now = overdue, due today, and back from a snooze, most MRR at risk first within each. An empty list is said in one
sentence.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.actions.model import ActionRow
from app.ui import (
    action_panel,
    choices,
    data,
    event_words,
    figures,
    frame,
    navigation,
    page_style,
    tables,
    visit,
    words,
)
from app.ui.text import escaped

GROUPS = {"all": "All", "overdue": "Overdue", "today": "Due today", "back": "Back from snooze"}
ORDER = ("overdue", "today", "back")
CHANGES_SHOWN = 8
ACCOUNT, WHAT = 128, 190  # pixels of their columns
SPLIT = (1.78, 1)  # of the lists and of the suggestions beside them


def _group(action: ActionRow, work: data.MyWork) -> str | None:
    """Which part of Now an action belongs to; None for later."""
    if action.due_date is not None and action.due_date < work.today:
        return "overdue"
    if action.due_date == work.today:
        return "today"
    return "back" if action.returned_from_snooze_at is not None else None


def _due(action: ActionRow, group: str | None, work: data.MyWork) -> str:
    if group == "back":
        return "Back"
    return figures.due(action.due_date, work.today)


def _how(action: ActionRow) -> str:
    """The intervention, and why now where somebody said it."""
    how = words.word(words.INTERVENTIONS, action.intervention)
    if action.returned_from_snooze_at is not None and action.snooze_reason:
        return f"{how}. Snoozed: {action.snooze_reason}"
    return f"{how}: {words.reason_shown(action.reason)}" if action.reason else how


def _at_stake(action: ActionRow, accounts: pd.DataFrame) -> float:
    if action.account_key not in accounts.index:
        return 0.0
    value = accounts.at[action.account_key, "mrr_at_risk_eur"]
    return 0.0 if pd.isna(value) else float(value)


def _how_width(others: int) -> int:
    """Pixels for how and why: what the other columns leave of the list, beside the suggestions or above them."""
    list_room = page_style.room() if page_style.is_narrow() else page_style.room(SPLIT[0], sum(SPLIT))
    return max(list_room - tables.FRAME - others, 90)


def _table(rows: Sequence[ActionRow], dues: Sequence[str], accounts: pd.DataFrame, how_width: int) -> pd.DataFrame:
    """One row per action, in the order given, with what its account looks like today."""

    def of(action: ActionRow, column: str, missing: Any) -> Any:
        return accounts.at[action.account_key, column] if action.account_key in accounts.index else missing

    return pd.DataFrame(
        {
            "due": [[due] for due in dues],
            "account": [tables.fitted(action.account_name, ACCOUNT) for action in rows],
            "band": [[words.band_letter(of(action, "health_band", None))] for action in rows],
            "trend": [tables.trend_cell(of(action, "health_trend_90d", None)) for action in rows],
            "what": [tables.plain(tables.fitted(action.title, WHAT)) for action in rows],
            "how": [tables.fitted(_how(action), how_width) for action in rows],
            "open": ["Open"] * len(rows),
        }
    )


def _open(key: str, ids: list[Any]) -> None:
    row = tables.clicked_row(key)
    if row is not None and 0 <= row < len(ids):
        action_panel.open_in_drawer(ids[row])


def now(work: data.MyWork) -> None:
    """The table of what to do now, with a control that narrows it."""
    grouped = [(_group(action, work), action) for action in work.actions]
    todo = [(group, action) for group, action in grouped if group is not None]
    todo.sort(key=lambda pair: (ORDER.index(pair[0]), -_at_stake(pair[1], work.accounts)))
    # at the left: Streamlit's own tool bar of a table floats over what stands above its right end
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        note = f" :small[:gray[{len(todo)}, overdue before today, then most MRR at risk first]]" if todo else ""
        st.markdown(f"**Now**{note}", width="content")
        if todo:
            choices.one("Which", GROUPS, "now_group", start="all")
    if not todo:
        upcoming = [action for group, action in grouped if group is None and action.due_date]
        following = f"Next is {upcoming[0].account_name} on {figures.day(upcoming[0].due_date)}." if upcoming else ""
        frame.empty("Nothing is overdue or due today.", following or "The suggestions are what comes next.")
        _ways_on()
        return
    chosen = st.session_state.get("now_group") or "all"
    shown = [(group, action) for group, action in todo if chosen in ("all", group)]
    if not shown:
        frame.empty(f"Nothing here: {GROUPS[chosen].lower()}.", "Choose All to see the rest.")
        return
    dues = [_due(action, group, work) for group, action in shown]
    how_width = _how_width(104 + ACCOUNT + 54 + WHAT + 86 + 62)
    rows = _table([action for _, action in shown], dues, work.accounts, how_width)
    ids = [action.action_id for _, action in shown]
    opens = partial(_open, "now_open", ids)
    columns = {
        "due": tables.due_chip(dues),
        "account": tables.text("Account", ACCOUNT),
        "band": tables.band_chip(),
        "what": tables.link("What", "now_what", partial(_open, "now_what", ids), WHAT),
        "how": tables.text("How, and why now", how_width),
        "trend": tables.trend(),
        "open": tables.open_button("now_open", opens),
    }
    tables.show(rows, columns, key="now_table", alt="What to do now", row_height=tables.TALL_ROW, most=12)


def _ways_on() -> None:
    """Nobody stands here with nothing to click: where the rest of the work is."""
    with st.container(horizontal=True, gap="small", key="ways_on"):
        for place in navigation.PLACES:
            is_theirs = visit.current().identity.role in place.roles
            if is_theirs and place.address in ("assignments", "actions", "accounts"):
                st.page_link(navigation.address_of(place.address), label=place.title, icon=place.icon)


def coming(work: data.MyWork) -> None:
    """What is due in the next seven days, soonest first."""
    until = work.today + timedelta(days=7)
    later = [
        action
        for action in work.actions
        if _group(action, work) is None and action.due_date is not None and action.due_date <= until
    ]
    later.sort(key=lambda action: (action.due_date or until, -_at_stake(action, work.accounts)))
    shown = later[:5]
    note = (f"{len(shown)} of {len(later)} " if len(later) > len(shown) else "") + "in seven days, soonest first"
    frame.heading("Next", note)
    if not shown:
        frame.empty("Nothing is due in the next seven days.", "", icon=":material/event_available:")
        return
    dues = [figures.due(action.due_date, work.today) for action in shown]
    how_width = _how_width(92 + ACCOUNT + 54 + WHAT + 62)
    rows = _table(shown, dues, work.accounts, how_width)
    rows["due"] = dues
    ids = [action.action_id for action in shown]
    opens = partial(_open, "next_open", ids)
    columns = {
        "due": tables.text("Due", 92),
        "account": tables.text("Account", ACCOUNT),
        "band": tables.band_chip(),
        "what": tables.link("What", "next_what", partial(_open, "next_what", ids), WHAT),
        "how": tables.text("How, and why", how_width),
        "open": tables.open_button("next_open", opens),
    }
    tables.show(rows, columns, key="next_table", alt="What comes next")


def changed() -> None:
    """Band changes with their cause, champions who left, failed payments and NPS answers on my accounts."""
    here = visit.current()
    if here.publication is None:
        return
    changes = data.changes(here)
    frame.heading("Changed since yesterday", "on my accounts" if here.identity.owner_emails else "on all accounts")
    if not changes:
        frame.empty("Nothing worth a line since yesterday.", "", icon=":material/notifications_none:")
        return
    with st.container(border=True, gap="xxsmall", key="changes"):
        for change in changes[:CHANGES_SHOWN]:
            with st.container(horizontal=True, vertical_alignment="center", gap=None, wrap=False):
                st.markdown(f":small[:gray[{figures.event_time(change.occurred_at, now=here.now)}]]", width=84)
                told = f" {escaped(change.title, limit=60)}"
                navigation.account_link(
                    change.account_key, change.account_name, prefix=f"{_icon(change)} ", suffix=told
                )
                cause = event_words.event_detail(change.detail)
                if cause:
                    st.markdown(f":small[:gray[{escaped(cause, limit=80)}]]", width="stretch")
        if len(changes) > CHANGES_SHOWN:
            st.markdown(f":small[:gray[and {len(changes) - CHANGES_SHOWN} more]]")


def _icon(change: Any) -> str:
    kind = change.event_kind
    colour = {"band_change": "red", "champion_left": "orange", "payment_failed": "red", "nps_response": "green"}.get(
        kind, "gray"
    )
    if kind == "band_change" and change.title.endswith(("G", "Green")):
        return ":green[:material/trending_up:]"
    return f":{colour}[{words.EVENT_ICONS.get(kind, ':material/circle:')}]"
