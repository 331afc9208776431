"""Timeline of an account: what the sources know and what we did, in one stream, newest first."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pandas as pd
import streamlit as st

from app.actions.model import ActionFilter
from app.calendar import DISPLAY_ZONE
from app.suggestions.model import OPEN_STATUSES, SuggestionStatus
from app.ui import account_data, choices, data, event_words, figures, frame, tables, visit, words
from app.ui.account_head import Subject

MOST = 300
WHERE = {
    "call": "CRM",
    "meeting": "CRM",
    "note": "CRM",
    "champion_left": "CRM",
    "ticket_opened": "Support desk",
    "ticket_solved": "Support desk",
    "invoice_issued": "Billing",
    "invoice_paid": "Billing",
    "payment_failed": "Billing",
    "mrr_change": "Billing",
    "nps_response": "Survey",
    "band_change": "Health score",
    "usage_step": "Product",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened, and who did it or which system knows it."""

    at: datetime
    kind: str
    what: str
    detail: str
    who: str = ""


def _from_sources(subject: Subject, here: visit.Visit) -> list[Entry]:
    return [
        Entry(
            event.occurred_at,
            event.event_kind,
            event.title,
            event_words.event_detail(event.detail),
            WHERE.get(event.event_kind, ""),
        )
        for event in account_data.of_account("events", subject.account.account_key, here)
    ]


def _from_us(account_key: str) -> list[Entry]:
    """Actions added and ended, notes, ratings, and suggestions, read fresh: they may be a second old."""
    entries = []
    for action in data.actions(ActionFilter(account_key=account_key), limit=300):
        done = words.word(words.INTERVENTIONS, action.intervention)
        entries.append(
            Entry(
                action.created_at,
                "action",
                f"Action added: {action.title}",
                words.reason_shown(action.reason) or done,
                action.owner_name or "",
            )
        )
        if action.closed_at is not None:
            end = words.RESULTS.get(action.result or "") or words.CANCELLATIONS.get(action.cancel_reason or "", "")
            entries.append(
                Entry(
                    action.closed_at,
                    "action",
                    f"Action {words.STATUSES[action.status].lower()}: {action.title}",
                    end,
                    action.owner_name or "",
                )
            )
    for rating in account_data.account_ratings(account_key):
        what = f"Rated {rating.score} of 5: {rating.meaning}"
        entries.append(Entry(rating.rated_at, "rating", what, rating.note or "", rating.rated_by_name))
    for note in account_data.account_notes(account_key):
        entries.append(Entry(note.created_at, "action_note", "Note", note.body, note.author_name))
    for item in account_data.account_suggestions(account_key):
        if item.status is SuggestionStatus.GENERATED:
            continue  # nobody has been shown it yet, and its CSM may still be asked how the account feels
        state = "" if item.status in OPEN_STATUSES else item.status.replace("_", " ").capitalize()
        why = f" ({words.word(words.DISMISSALS, item.dismissal_reason).lower()})" if item.dismissal_reason else ""
        entries.append(
            Entry(
                item.generated_at,
                "suggestion",
                f"Suggested: {item.title}",
                f"{item.sentence} {state}{why}".strip(),
                item.answered_by_name or "",
            )
        )
    return entries


@frame.panel
def show(subject: Subject) -> None:
    """The stream up to the as-of day, narrowed by kind."""
    here = visit.current()
    end = datetime.combine(subject.as_of + timedelta(days=1), time(), DISPLAY_ZONE)
    entries = _from_sources(subject, here) + _from_us(subject.account.account_key)
    if subject.is_past:
        entries = [entry for entry in entries if entry.at < end]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        chosen = choices.several("Kinds", list(words.TIMELINE_GROUPS), "kinds")
        wanted = {kind for group in chosen for kind in words.TIMELINE_GROUPS.get(group, ())}
        shown = [entry for entry in entries if not wanted or entry.kind in wanted]
        more = f", the newest {MOST} are shown" if len(shown) > MOST else ""
        st.markdown(
            f":small[:gray[{figures.count(len(shown), 'entry', 'entries')}{more} · click a cell to read all of it]]",
            width="content",
        )
    shown = shown[:MOST]
    if not shown:
        frame.empty("Nothing of this kind has happened yet.", "Choose other kinds.", icon=":material/timeline:")
        return
    names = [words.word(words.EVENT_KINDS, entry.kind) for entry in shown]
    rows = pd.DataFrame(
        {
            "at": [figures.event_time(entry.at, now=here.now) for entry in shown],
            "kind": [[name] for name in names],
            "what": [entry.what for entry in shown],
            "detail": [entry.detail for entry in shown],
            "who": [entry.who for entry in shown],
        }
    )
    options = list(dict.fromkeys(names))
    ours = {words.EVENT_KINDS[kind] for kind in ("action", "action_note", "suggestion", "rating")}
    bad = {words.EVENT_KINDS[kind] for kind in ("champion_left", "payment_failed", "band_change")}
    colours = ["blue" if name in ours else "red" if name in bad else "gray" for name in options]
    columns = {
        "at": tables.text("When", 92),
        "kind": tables.chip("Kind", options, colours, 124),
        "what": tables.text("What", 360),
        "detail": tables.text("Detail", 520),
        "who": tables.text("Who or where", 120),
    }
    tables.show(rows, columns, key="timeline", alt="Everything that happened to this account, newest first", most=18)
