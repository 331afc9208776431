"""Data issues on the Trust page: figures that somebody says are wrong, until an admin or an analyst has looked."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from app.suggestions.data_issues import DataIssue, IssueStatus
from app.ui import choices, data_issue_dialog, figures, frame, proof_link, tables, visit
from app.ui.data_issue_dialog import STATES

_TABLE = "data_issue_open"
_SHOWN = (IssueStatus.OPEN, IssueStatus.RESOLVED)
MOST_ROWS = 12


def show(found: dict[IssueStatus, list[DataIssue]]) -> None:
    """The open ones, oldest first, or those that were resolved, newest first; an issue opens by its account."""
    frame.heading("Said to be wrong", "somebody dismissed a suggestion because of it")
    if not any(found.values()):
        frame.empty("Nobody says that a figure is wrong.", "It is said by dismissing a suggestion: The data is wrong.")
        return
    names = {status.value: f"{STATES[status]} ({len(found[status])})" for status in _SHOWN}
    chosen = IssueStatus(choices.one("Which data issues", names, "issues", start=IssueStatus.OPEN.value))
    if found[chosen]:
        _table(found[chosen], is_open=chosen is IssueStatus.OPEN)
    else:
        frame.empty("No data issue is open." if chosen is IssueStatus.OPEN else "None has been resolved yet.")
    data_issue_dialog.opened()


def _table(issues: Sequence[DataIssue], *, is_open: bool) -> None:
    now = visit.current().now
    rows = pd.DataFrame(
        {
            "account": [tables.plain(one.account_name) for one in issues],
            "figure": [proof_link.name_of(one.figure.partition(".")[2]) for one in issues],
            "said": [one.sentence for one in issues],
            "rule": [one.rule_id for one in issues],
            "by": [", ".join(dict.fromkeys(said.reported_by_name for said in one.reports)) for one in issues],
            "at": [figures.clock(one.opened_at, now=now) for one in issues],
            "words": [_words(one) for one in issues],
        }
    )
    columns = {
        "account": tables.link("Account", _TABLE, partial(_clicked, issues), 190),
        "figure": tables.text("Figure", 150),
        "said": tables.text("What the rule said", 320),
        "rule": tables.text("Rule", 56),
        "by": tables.text("Reported by", 150),
        "at": tables.text("Opened", 100),
        "words": tables.text("What is wrong" if is_open else "What was found", 300),
    }
    tables.show(rows, columns, key="trust_data_issues", alt="Figures said to be wrong", most=MOST_ROWS)


def _words(issue: DataIssue) -> str:
    return issue.resolution or next((one.note for one in reversed(issue.reports) if one.note), "")


def _clicked(issues: Sequence[DataIssue]) -> None:
    row = tables.clicked_row(_TABLE)
    if row is not None:
        data_issue_dialog.open_issue(issues[row].issue_id)
