"""One data issue, opened over the page: what the rule said, the proof of each figure it used, who says it is wrong and
why, and for admins and analysts what was found.
"""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity, Permission, can
from app.db import read
from app.suggestions import data_issues
from app.suggestions.data_issues import DataIssue, IssueStatus, Report
from app.suggestions.proofs import ProvedFigure
from app.ui import figures, frame, navigation, proof_link, visit, writes
from app.ui.composer import composer
from app.ui.text import escaped, with_bold_figures

Find = Callable[[Connection, UUID], DataIssue | None]
_OPENED = "data_issue:opened"
_DONE = "data_issue:done"
STATES = {IssueStatus.OPEN: "Open", IssueStatus.RESOLVED: "Resolved", IssueStatus.WITHDRAWN: "Taken back"}
_COLOURS = {IssueStatus.OPEN: "orange", IssueStatus.RESOLVED: "green", IssueStatus.WITHDRAWN: "gray"}


def open_issue(issue_id: UUID) -> None:
    """Callback: this issue, once the page is drawn again."""
    st.session_state[_OPENED] = (data_issues.issue, issue_id)


def open_of(suggestion_id: UUID) -> None:
    """Callback: the issue that dismissing this suggestion opened or joined."""
    st.session_state[_OPENED] = (data_issues.of_suggestion, suggestion_id)


def opened() -> None:
    """Draw the one that was asked for, until it is closed: what else redraws the page must not take it away from who
    is writing in it.
    """
    wanted = st.session_state.get(_OPENED)
    if wanted is not None:
        _dialog(*wanted)


def _left() -> None:
    st.session_state.pop(_OPENED, None)


@st.dialog("Wrong data", width="medium", on_dismiss=_left)
def _dialog(find: Find, key: UUID) -> None:
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None or st.session_state.pop(_DONE, False):
        _left()
        st.rerun()
    try:
        show(find, key, here)
    except Exception as error:
        frame.explain(error)


def show(find: Find, key: UUID, here: visit.Visit) -> None:
    """What the dialog holds. Raises NotFound."""
    with read() as db:
        issue = find(db, key)
    if issue is None:
        frame.empty("This was taken back.", "The suggestion stands again, and nothing is said to be wrong.")
        return
    frame.problem(_place(issue.issue_id))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        navigation.account_link(issue.account_key, issue.account_name)
        st.markdown(f":{_COLOURS[issue.status]}-badge[{STATES[issue.status]}]", width="content")
        st.markdown(f":small[:gray[{issue.rule_id}, version {issue.rule_version}]]", width="content")
    st.markdown(with_bold_figures(issue.sentence))
    with st.container(border=True, gap="xxsmall", key="data_issue_figures"):
        frame.heading("What it rests on", f"as of build {issue.build_id}; each figure leads to its proof")
        for one in issue.figures:
            _figure(one)
    frame.heading("Said to be wrong by")
    for report in issue.reports:
        st.markdown(_said(report, here))
    mine = [one for one in issue.reports if one.reported_by == here.identity.user_id]
    if issue.status is IssueStatus.RESOLVED and issue.resolved_at is not None:
        at = figures.clock(issue.resolved_at, now=here.now)
        st.success(f"{escaped(issue.resolved_by_name)}, {at}: {escaped(issue.resolution, limit=500)}")
    elif issue.status is IssueStatus.OPEN:
        if mine:
            _what_is_wrong(issue, mine[-1], here)
        _what_was_found(issue, here)


def _figure(one: ProvedFigure) -> None:
    name = proof_link.name_of(one.column)
    if len(one.key) == 2:
        name += f" on {figures.day(date.fromisoformat(one.key[1]))}"
    elif one.mart == "fct_invoices":  # its key says which
        name += f" of {escaped(one.key[0])}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        proof_link.link(one.mart, one.key, one.column, label=f":material/verified: {name}")
        st.markdown(f"**{escaped(one.value, limit=60)}**" if one.value else "", width="content")


def _said(report: Report, here: visit.Visit) -> str:
    at = figures.clock(report.reported_at, now=here.now)
    note = f": {escaped(report.note, limit=500)}" if report.note else ""
    return f"{escaped(report.reported_by_name)} :small[:gray[{at}]]{note}"


def _place(issue_id: UUID) -> str:
    return f"data_issue:{issue_id}"


def _what_is_wrong(issue: DataIssue, mine: Report, here: visit.Visit) -> None:
    composer(
        f"data_issue_note_{issue.issue_id.hex}",
        user_id=str(here.identity.user_id),
        subject=f"data_issue_note:{mine.suggestion_id}",
        label="What is wrong, if you like",
        save=lambda note, form: _say(issue, mine.suggestion_id, note, form),
        button="Save",
        placeholder="What it should say, and how you know",
        start=mine.note or "",
        limit=data_issues.NOTE_LIMIT,
        height=56,
    )


def _what_was_found(issue: DataIssue, here: visit.Visit) -> None:
    if not can(here.identity, Permission.RESOLVE_DATA_ISSUE):
        frame.aside("Analysts and admins look into it; you hear when it is resolved.")
        return
    composer(
        f"data_issue_found_{issue.issue_id.hex}",
        user_id=str(here.identity.user_id),
        subject=f"data_issue_found:{issue.issue_id}",
        label="What you found",
        save=lambda found, form: _resolve(issue, found, form),
        button="Resolve",
        placeholder="What was wrong and what was done, or why it is right",
        empty_hint="missing: what you found",
        limit=data_issues.NOTE_LIMIT,
        height=56,
    )


def _say(issue: DataIssue, suggestion_id: UUID, note: str, form: str) -> bool:
    def write(db: Connection, actor: Identity, now: datetime) -> DataIssue:
        return data_issues.say(db, actor=actor, now=now, suggestion_id=suggestion_id, note=note, idempotency_key=form)

    return _stored(writes.perform(write, place=_place(issue.issue_id), done="Saved with the data issue."))


def _resolve(issue: DataIssue, found: str, form: str) -> bool:
    def write(db: Connection, actor: Identity, now: datetime) -> DataIssue:
        return data_issues.resolve(
            db,
            actor=actor,
            now=now,
            issue_id=issue.issue_id,
            expected_version=issue.version,
            resolution=found,
            idempotency_key=form,
        )

    done = "Resolved: who reported it is told."
    return _stored(writes.perform(write, place=_place(issue.issue_id), done=done))


def _stored(answer: DataIssue | None) -> bool:
    st.session_state[_DONE] = answer is not None
    return answer is not None
