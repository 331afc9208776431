"""The audit trail: who changed what, from what to what. Actions tell their own story beside them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.audit import AuditEvent, Kind, Subject
from app.ui import choices, figures, frame, page_style, settings_data, tables, visit
from app.ui.text import escaped, shortened

MOST = 500
_EVERYTHING = "Everything"
SUBJECTS: Mapping[Subject, str] = {
    Subject.USER: "Users",
    Subject.CONFIGURATION: "Settings",
    Subject.RULE: "Rules",
    Subject.PLAYBOOK: "Playbooks",
    Subject.PLAYBOOK_RUN: "Playbook runs",
    Subject.HANDOVER: "Hand-overs",
    Subject.SAVED_VIEW: "Saved views",
    Subject.SAVED_QUERY: "Saved queries",
    Subject.MESSAGE: "Messages",
    Subject.SEGMENT: "Segments",
    Subject.DATA_ISSUE: "Data issues",
    Subject.RULE: "Rules",
}
_ONE: Mapping[Subject, str] = {
    Subject.USER: "User",
    Subject.CONFIGURATION: "Setting",
    Subject.RULE: "Rule",
    Subject.PLAYBOOK: "Playbook",
    Subject.PLAYBOOK_RUN: "Playbook run",
    Subject.HANDOVER: "Hand-over",
    Subject.SAVED_VIEW: "Saved view",
    Subject.SAVED_QUERY: "Saved query",
    Subject.MESSAGE: "Message",
    Subject.SEGMENT: "Segment",
    Subject.DATA_ISSUE: "Data issue",
    Subject.RULE: "Rule",
}
_QUIET = {"user_id", "version", "created_at", "playbook_id", "handover_id", "view_id", "segment_id"}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?")
_NAMELESS = "one that is gone"
_LISTED = 6


def ids_in(value: Any) -> set[str]:
    """Every id in a JSON value that `plain` would show."""
    if isinstance(value, dict):
        return set[str]().union(*(ids_in(one) for field, one in value.items() if field not in _QUIET))
    if isinstance(value, list):
        return set[str]().union(*map(ids_in, value[:_LISTED]))
    return {value} if isinstance(value, str) and _ID.fullmatch(value) else set()


def plain(value: Any, names: Mapping[str, str]) -> str:
    """A JSON value as a person reads it: ids by the name of what is meant, days and times in words, objects as
    `field: value`, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        parts = (f"{_field(field)}: {plain(one, names)}" for field, one in value.items() if field not in _QUIET)
        return ", ".join(parts) or "–"
    if isinstance(value, list):
        shown = [plain(one, names) for one in value[:_LISTED]]
        return ", ".join(shown) + (f" and {len(value) - _LISTED} more" if len(value) > _LISTED else "") or "–"
    text = str(value)
    if _ID.fullmatch(text):
        return names.get(text, _NAMELESS)
    return _moment(text) if _MOMENT.fullmatch(text) else text


def _moment(text: str) -> str:
    if len(text) == len("2026-11-20"):
        return figures.full_day(date.fromisoformat(text))
    local = datetime.fromisoformat(text).astimezone(figures.LONDON)
    return f"{figures.full_day(local.date())} {local:%H:%M}"


def _field(field: str) -> str:
    # what an id in it is meant for says who or what the line is about
    words = _ID.sub("", field).replace("_", " ").strip()
    return re.sub(" (key|ids?)$", lambda end: "s" if end[1] == "ids" else "", words)


def change(event: AuditEvent, names: Mapping[str, str]) -> tuple[str, str, str]:
    """What changed, from what, to what. Of two objects only the fields that differ."""
    if event.kind is Kind.CREATED:
        return "added", "–", plain(event.after, names)
    if event.kind is Kind.ENDED:
        return "ended", plain(event.before, names), plain(event.after, names)
    before, after = event.before, event.after
    if isinstance(before, dict) and isinstance(after, dict):
        fields = [field for field in after if before.get(field) != after[field]]
        before, after = {field: before.get(field) for field in fields}, {field: after[field] for field in fields}
    return _field(event.field or "changed"), plain(before, names), plain(after, names)


# all of them in sight at 1024 px; a line is read whole below the table. The first has its pixels, the others share
# what is left
_WHEN = 126
_COLUMNS = {
    "at": ("When", 0),
    "who": ("Who", 100),
    "what": ("What", 144),
    "field": ("Change", 130),
    "before": ("Before", 146),
    "after": ("After", 196),
    "why": ("Why", 96),
}


def _widths(room: int) -> dict[str, int]:
    """Pixels of each column."""
    each = max(room - _WHEN, 0) / sum(share for _, share in _COLUMNS.values())
    return {name: int(share * each) or _WHEN for name, (_, share) in _COLUMNS.items()}


@frame.panel
def show() -> None:
    """Filters in the address, then the newest changes."""
    here = visit.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Audit** :small[:gray[nothing here can be changed or removed]]", width="content")
        names = [_EVERYTHING, *SUBJECTS.values()]
        choices.accept("what", names)
        chosen = st.selectbox(
            "What",
            names,
            key="what",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        find = st.text_input(
            "Find in the trail",
            placeholder="Who, what or a value",
            type="search",
            live="300ms",
            icon=":material/search:",
            key="find_change",
            bind="query-params",
            label_visibility="collapsed",
            width=220,
        )
    subject = next((code for code, name in SUBJECTS.items() if name == chosen), None)
    events = settings_data.trail(here, subject=subject, limit=MOST)
    meant = set[str]().union(
        *(ids_in(value) for event in events for value in (event.subject_id, event.before, event.after))
    )
    names = settings_data.subjects(meant, here)
    rows = [_row(event, names, here) for event in events]
    wanted = (find or "").strip().lower()
    rows = [row for row in rows if wanted in " ".join(row.values()).lower()]
    if not rows:
        frame.empty("No change matches." if events else "Nothing has been changed yet.", "")
        return
    widths = _widths(page_style.room() - tables.FRAME - tables.TICKS)
    cells = pd.DataFrame([{name: tables.fitted(row[name], width) for name, width in widths.items()} for row in rows])
    columns = {name: tables.text(title, widths[name]) for name, (title, _) in _COLUMNS.items()}
    picked = st.dataframe(
        cells,
        column_config=columns,
        hide_index=True,
        row_height=tables.ROW,
        height=tables.height(len(rows), most=16),
        on_select="rerun",
        selection_mode="single-row",
        key=f"audit_{chosen}_{hash(wanted)}_{len(rows)}",
        alt="Changes, newest first",
    )
    place = picked["selection"]["rows"]
    if place and place[0] < len(rows):
        _whole(rows[place[0]])
    else:
        more = f" The newest {MOST} are shown." if len(events) == MOST else ""
        st.markdown(f":small[:gray[{figures.count(len(rows), 'change')}. Choose a line to read it whole.{more}]]")


def _row(event: AuditEvent, names: Mapping[str, str], here: visit.Visit) -> dict[str, str]:
    field, before, after = change(event, names)
    local = event.at.astimezone(figures.LONDON)
    which = names.get(event.subject_id, event.subject_id.replace("_", " "))
    is_id = _ID.fullmatch(which)
    return {
        "at": f"{figures.day(local.date(), today=here.today)} {local:%H:%M}",
        "who": event.actor_name,
        "what": _ONE[event.subject_kind] + ("" if is_id else f": {shortened(which, limit=60)}"),
        "field": field,
        "before": before,
        "after": after,
        "why": event.reason or "–",
    }


def _whole(row: Mapping[str, str]) -> None:
    with st.container(border=True, gap="xsmall", key="audit_whole"):
        st.markdown(f"**{escaped(row['what'])}** {escaped(row['field'])} :gray[{escaped(row['who'])}, {row['at']}]")
        left, right = st.columns(2, gap="small")
        for place, title, key in ((left, "Before", "before"), (right, "After", "after")):
            with place:
                st.markdown(f":small[:gray[{title}]]")
                st.text(row[key])
        if row["why"] != "–":
            st.text(row["why"])
