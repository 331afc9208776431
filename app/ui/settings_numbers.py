"""Escalation, retention and the company's holidays: a few numbers and days, each with what it means for people."""

from datetime import date, timedelta

import streamlit as st

from app.ui import figures, frame, visit
from app.ui.settings_drafts import Draft, Rows

_ESCALATION = {
    "digest_day": ("Named in the summary", "The owner's next summary names the action as late."),
    "owner_and_admin_day": ("Owner and admins told", "The owner and every admin get a notice."),
    "decision_day": ("An admin must decide", "It lies in Assignments until it is reassigned, re-dated or cancelled."),
}
_RETENTION = {
    "archive_after_days": ("Ended actions leave the lists after, days", 1, "They stay on the account and in figures."),
    "expire_after_days": (
        "Actions nobody started are cancelled after, days",
        7,
        "As no longer relevant, with the reason in their story.",
    ),
    "forget_statements_after_days": (
        "Texts of SQL statements are forgotten after, days",
        30,
        "Who asked when, how it ended and a hash of the text stay. Saved queries stay as they are.",
    ),
}


def read(value: dict[str, int]) -> Rows:
    """Numbers by name, as the one row of a draft."""
    return {"": dict(value)}


def write(rows: Rows) -> dict[str, int]:
    """The way back of `read`."""
    return rows[""]


@frame.panel
def escalation() -> None:
    """After how many business days late something happens."""
    names = {field: title.lower() for field, (title, _) in _ESCALATION.items()}
    draft = Draft("escalation", "escalation", names=names, read=read, write=write)
    with st.container(border=True, gap="small", key="escalation_box"):
        draft.head("When an action is late", "business days after its due date, in its owner's calendar")
        edited: dict[str, int] = {}
        with st.container(gap="small"):
            for field, (title, meaning) in _ESCALATION.items():
                edited[field] = number(draft, field, title, lowest=1, highest=60, meaning=meaning)
        draft.finish({"": edited})


@frame.panel
def retention() -> None:
    """When actions leave the lists, and when what analysts asked is forgotten."""
    names = {field: title.lower() for field, (title, _, _) in _RETENTION.items()}
    draft = Draft("retention", "retention", names=names, read=read, write=write)
    with st.container(border=True, gap="small", key="retention_box"):
        draft.head("Retention", "no action is deleted; calendar days")
        edited: dict[str, int] = {}
        with st.container(horizontal=True, gap="small"):
            for field, (title, lowest, meaning) in _RETENTION.items():
                edited[field] = number(draft, field, title, lowest=lowest, highest=3_650, meaning=meaning)
        draft.finish({"": edited})


def number(draft: Draft, field: str, title: str, *, lowest: int, highest: int, meaning: str, width: int = 380) -> int:
    """One number of a draft, with what it means for people below it."""
    with st.container(gap="xxsmall", width=width):
        value = st.number_input(
            title,
            min_value=lowest,
            max_value=highest,
            value=int(draft.start[""][field]),
            step=1,
            key=f"{draft.key}_{field}",
            width=min(260, width),
        )
        st.markdown(f":small[:gray[{meaning}]]")
    return int(value)


def _days_read(value: dict[str, list[str]]) -> Rows:
    """A row a day."""
    return {day: {"label": figures.full_day(date.fromisoformat(day))} for day in value["days"]}


def _is_day(code: str) -> bool:
    try:
        return date.fromisoformat(code).isoformat() == code
    except ValueError:
        return False


def _days_write(rows: Rows) -> dict[str, list[str]]:
    return {"days": sorted(rows)}


@frame.panel
def holidays() -> None:
    """Days on which nobody of the company works."""
    draft = Draft(
        "company_holidays",
        "holidays",
        names={"label": ""},
        read=_days_read,
        write=_days_write,
        is_new_code=_is_day,
    )
    key = f"{draft.key}_days"
    days: list[str] = st.session_state.setdefault(key, sorted(draft.start))
    with st.container(border=True, gap="small", key="holidays_box"):
        draft.head("Company holidays", "nobody works then; public holidays follow from each person's region")
        today = visit.current().today
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            st.date_input(  # pyright: ignore[reportCallIssue]
                "Add days",
                value=(),  # pyright: ignore[reportArgumentType]
                min_value=today - timedelta(days=366),
                max_value=today + timedelta(days=3 * 366),
                format="DD/MM/YYYY",
                key=f"{key}_new",
                help="One day, or the first and the last of several",
                on_change=_add,
                args=(key,),
                width=260,
            )
        if not days:
            st.markdown(":gray[No day yet.]")
        st.pills(
            "Days, click one to take it out",
            days,
            format_func=lambda day: figures.day(date.fromisoformat(day)) + f" {day[:4]} ✕",
            selection_mode="single",
            key=f"{key}_gone",
            on_change=_remove,
            args=(key,),
            label_visibility="visible" if days else "collapsed",
        )
        draft.finish({day: {"label": figures.full_day(date.fromisoformat(day))} for day in days})


def _add(key: str) -> None:
    given = st.session_state[f"{key}_new"]
    chosen = given if isinstance(given, tuple) else (given,)
    # of a stretch the first click comes alone: nothing is added before the second
    if len(chosen) != 2:
        return
    first, last = chosen
    added = [(first + timedelta(days=offset)).isoformat() for offset in range((last - first).days + 1)]
    st.session_state[key] = sorted({*st.session_state.get(key, []), *added})
    st.session_state[f"{key}_new"] = ()


def _remove(key: str) -> None:
    gone = st.session_state[f"{key}_gone"]
    st.session_state[key] = [day for day in st.session_state.get(key, []) if day != gone]
    st.session_state[f"{key}_gone"] = None
