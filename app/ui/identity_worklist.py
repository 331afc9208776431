"""Records whose account the rules cannot tell: the work list on the Trust page, and the dialog to decide in."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app import identity_links
from app.auth import Identity, Permission, can
from app.db import read
from app.identity_links import Decision, Issue
from app.ui import data, figures, frame, tables, visit, words, writes
from app.ui.composer import composer
from app.ui.text import escaped, shortened

_TABLE = "identity_open"
_OPENED = "identity:opened"
_DONE = "identity:done"
_NOBODY, _OTHER = "nobody", "other"
_WHAT_HANGS = {"stripe": "invoice", "zendesk": "ticket", "product": "user", "survey": "answer"}
MOST_ROWS = 12


def show(issues: Sequence[Issue], decided: Sequence[Decision]) -> None:
    """The list, those with the most hanging on them first; who may decide opens a record by its name."""
    frame.heading(
        "Whose record is this?", "the rules could not tell for sure; what is torn or nobody's counts for no account"
    )
    if not issues:
        frame.empty("Every source record is linked for sure.")
        return
    here = visit.current()
    may_decide = can(here.identity, Permission.LINK_RECORD)
    held = {(one.source, one.source_id): one for one in decided}
    names = data.account_names(here)
    rows = pd.DataFrame(
        {
            "record": [tables.plain(one.source_name or one.source_id) for one in issues],
            "kind": [[words.word(words.IDENTITY_ISSUES, one.issue_kind)] for one in issues],
            "source": [words.word(words.SOURCE_SYSTEMS, one.source) for one in issues],
            "named": [_named(one) for one in issues],
            "hanging": [_hanging(one) for one in issues],
            "decided": [_decided(held.get((one.source, one.source_id)), names) for one in issues],
        }
    )
    opening = tables.link("Record", _TABLE, lambda: _clicked(issues), 190) if may_decide else tables.text("Record", 190)
    kinds = list(words.IDENTITY_ISSUES.values())
    columns = {
        "record": opening,
        "kind": tables.chip("What is wrong", kinds, ["red", "orange", "blue"], 104),
        "source": tables.text("Source", 140),
        "named": tables.text("Accounts named", 300),
        "hanging": tables.spelled("Hangs on it", 110, metric="records_hanging"),
        "decided": tables.text("Decided, from the next build", 300),
    }
    tables.show(rows, columns, key="trust_identity", alt="Source records without a sure account", most=MOST_ROWS)
    if not may_decide:
        frame.aside("Analysts and admins decide.")
    opened = st.session_state.pop(_OPENED, None)
    for issue in issues:
        if issue.issue_key == opened:
            _dialog(issue)


def _named(issue: Issue) -> str:
    return ", ".join(dict.fromkeys(one.account_name or one.account_key for one in issue.candidates)) or "none"


def _hanging(issue: Issue) -> str:
    return figures.count(issue.record_count, _WHAT_HANGS[issue.source])


def _decided(decision: Decision | None, names: dict[str, str]) -> str:
    return "" if decision is None else f"{_account(decision.account_key, names)}, by {decision.linked_by_name}"


def _account(account_key: str | None, names: dict[str, str]) -> str:
    return "No account" if account_key is None else names.get(account_key, "an account that has left")


def _clicked(issues: Sequence[Issue]) -> None:
    row = tables.clicked_row(_TABLE)
    if row is not None:
        st.session_state[_OPENED] = issues[row].issue_key


@st.dialog("Whose record is this?", width="medium")
def _dialog(issue: Issue) -> None:
    here = visit.begin() if visit.is_fragment_run() else visit.current()
    if here is None or st.session_state.pop(_DONE, False):
        st.rerun()
    try:
        ask(issue, here)
    except Exception as error:
        frame.explain(error)


def ask(issue: Issue, here: visit.Visit) -> None:
    """What the dialog holds: what is known of the record, whose it is, and why."""
    frame.problem(_place(issue))
    source = words.word(words.SOURCE_SYSTEMS, issue.source)
    st.markdown(
        f"**{escaped(issue.source_name or issue.source_id)}** in {escaped(source)}"
        f" :small[:gray[id {escaped(issue.source_id)}, {_hanging(issue)}{_newest(issue, here)}]]"
    )
    with read() as db:
        before = identity_links.decisions(db, of=[(issue.source, issue.source_id)])
    names = data.account_names(here)
    for one in before:
        at = figures.clock(one.linked_at, now=here.now)
        said = (
            f"{escaped(one.linked_by_name)}, {at}: {escaped(_account(one.account_key, names))}, {escaped(one.reason)}"
        )
        st.markdown(f":small[{said}]")
    best: dict[str, identity_links.Candidate] = {}
    for one in issue.candidates:  # surest first
        best.setdefault(one.account_key, one)
    chosen = st.radio(
        "It belongs to",
        [*best, _OTHER, _NOBODY],
        index=None,
        format_func=lambda code: _choice(code, best, names),
        captions=[
            f"by {words.word(words.LINK_RULES, one.rule)}, {figures.percent(one.confidence)} sure"
            for one in best.values()
        ]
        + ["one that nothing names", "a prospect, a test, somebody who never was a customer"],
        key=f"identity_choice_{issue.issue_key}",
    )
    if chosen == _OTHER:
        chosen = st.selectbox(
            "Account",
            list(names),
            index=None,
            format_func=lambda key: shortened(names[key], limit=80),
            placeholder="Type a name",
            key=f"identity_account_{issue.issue_key}",
        )
    composer(
        f"identity_why_{issue.issue_key}",
        user_id=str(here.identity.user_id),
        subject=f"identity:{issue.issue_key}",
        label="How you know",
        save=lambda reason, form: _decide(issue, chosen, reason, form),
        button="Decide",
        placeholder="One line: what shows it",
        missing="" if chosen else "missing: whose it is",
        empty_hint="missing: how you know",
        limit=identity_links.REASON_LIMIT,
        height=56,
    )


def _newest(issue: Issue, here: visit.Visit) -> str:
    return f", the newest {figures.clock(issue.newest_at, now=here.now)}" if issue.newest_at else ""


def _choice(code: str, best: dict[str, identity_links.Candidate], names: dict[str, str]) -> str:
    if code in best:
        return escaped(best[code].account_name or names.get(code, code), limit=80)
    return {_OTHER: "Another account", _NOBODY: "No account of ours"}[code]


def _place(issue: Issue) -> str:
    return f"identity:{issue.issue_key}"


def _decide(issue: Issue, chosen: str | None, reason: str, form: str) -> bool:
    if chosen is None:
        return False

    def write(db: Connection, actor: Identity, now: datetime) -> Decision:
        return identity_links.decide(
            db,
            actor=actor,
            now=now,
            source=issue.source,
            source_id=issue.source_id,
            account_key=None if chosen == _NOBODY else chosen,
            reason=reason,
            idempotency_key=form,
        )

    if writes.perform(write, place=_place(issue), done="Decided: it holds from the next build on.") is None:
        return False
    st.session_state[_DONE] = True
    return True
