"""From suggestion to measured outcome: the funnel, and the same counted by rule, intervention, segment, CSM or month.

A share of too few cases is not said at all: in its place stands how many are missing. Nothing here is an effect, and
the page says so.
"""

from datetime import timedelta

import pandas as pd
import streamlit as st

from app.db import read
from app.metrics import metrics
from app.suggestions import report
from app.suggestions.rates import ENOUGH
from app.suggestions.report import By, Outcomes
from app.ui import charts, choices, data, figures, frame, outcome_charts, page_style, tables, visit, words
from app.ui.text import escaped
from app.ui.visit import Visit

PERIODS = {"30": "30 days", "90": "90 days", "365": "12 months"}
GROUPS = {
    By.RULE.value: "Rule",
    By.INTERVENTION.value: "Intervention",
    By.SEGMENT.value: "Segment",
    By.CSM.value: "CSM",
    By.MONTH.value: "Month",
}
MOST_ROWS = 14

_DEFINED = (
    "raised",
    "shown",
    "acceptance",
    "closed",
    "false_alarms",
    "days_to_close",
    "cleared_30d",
    "cleared_30d_held_out",
)


def show() -> None:
    """The choices, the funnel and the table."""
    here = visit.current()
    period, by = _choices()
    since = here.now - timedelta(days=int(period))
    with read() as db:
        whole, groups = report.outcomes(db, identity=here.identity, since=since, by=By(by))
    if not whole.raised and not whole.closed:
        frame.empty(
            f"Nothing was suggested or closed in the last {PERIODS[period]}.",
            "Suggestions come with the next build; what is closed is counted at once.",
            icon=":material/flag:",
        )
        return
    _whole(whole)
    _groups(groups, GROUPS[by], by, here)
    _definitions()


def _choices() -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="outcome_choices"):
        period = choices.one("Decided in the last", PERIODS, "period", start="90")
        by = choices.one("Count by", GROUPS, "by", start=By.RULE.value)
    return period, by


def _whole(whole: Outcomes) -> None:
    with st.container(border=True, gap="xsmall", key="funnel"):
        frame.heading("From suggestion to outcome", "how many of the suggestions decided in this time came this far")
        steps = outcome_charts.steps(whole)
        charts.draw(
            outcome_charts.funnel(steps, dark=charts.is_dark()),
            key="outcome_funnel",
            alt=", ".join(f"{step.name} {step.count}" for step in steps),
        )
        frame.aside(" · ".join(_asides(whole)))


def _asides(whole: Outcomes) -> list[str]:
    """What the funnel leaves out, in words."""
    said = [
        f"{whole.dismissed} dismissed",
        f"{whole.resolved_itself} ended by themselves",
        f"{whole.expired} expired without an answer",
        f"{whole.waiting} waiting for one",
        f"{whole.held_out} held out to compare with",
        f"{figures.count(whole.closed, 'action')} closed in all, people's own included",
    ]
    if whole.days_to_answer is not None:
        said.append(f"answered within {_days(whole.days_to_answer)} (median)")
    if whole.days_to_close is not None:
        said.append(f"closed within {_days(whole.days_to_close)} (median)")
    return said


def _days(value: float) -> str:
    return "a day" if value < 1 else f"{value:.0f} days"


def _named(group: str | None, by: str, names: dict[str, str]) -> str:
    if group is None:
        return "people's own" if by == By.RULE else "unknown"
    if by == By.RULE:
        return f"{group} {words.RULES.get(group, '')}".strip()
    if by == By.INTERVENTION:
        return "Held out: none" if group == "none" else words.word(words.INTERVENTIONS, group)
    return names.get(group, group) if by == By.CSM else group


def _groups(groups: list[Outcomes], title: str, by: str, here: Visit) -> None:
    names = {one.csm_email.lower(): one.csm_name for one in data.csms(here) if one.csm_email} if by == By.CSM else {}
    rows = pd.DataFrame(
        {
            "group": [_named(one.group, by, names) for one in groups],
            "raised": [one.raised for one in groups],
            "shown": [one.shown for one in groups],
            "accepted": [one.accepted for one in groups],
            "acceptance": [figures.rate(one.acceptance) for one in groups],
            "closed": [one.closed for one in groups],
            "successful": [one.successful for one in groups],
            "false_alarms": [figures.rate(one.false_alarms) for one in groups],
            "to_close": [None if one.days_to_close is None else round(one.days_to_close, 1) for one in groups],
            "clearing": [figures.rate(one.clearing) for one in groups],
            "held_out": [figures.rate(one.clearing_held_out) for one in groups],
        }
    )
    columns = {
        "group": tables.text(title, 176),
        "raised": tables.number("Raised", 60, "%d", metric="raised"),
        "shown": tables.number("Shown", 58, "%d", metric="shown"),
        "accepted": tables.number("Accepted", 68, "%d", metric="accepted"),
        "acceptance": tables.spelled("of the answered", 112, metric="acceptance"),
        "closed": tables.number("Closed", 58, "%d", metric="closed"),
        "successful": tables.number("Successful", 76, "%d", metric="successful"),
        "false_alarms": tables.spelled("False alarms", 112, metric="false_alarms"),
        "to_close": tables.number("Days to close", 92, "%.1f", metric="days_to_close"),
        "clearing": tables.spelled("Cleared in 30 d", 118, metric="cleared_30d"),
        "held_out": tables.spelled("…of the held out", 118, metric="cleared_30d_held_out"),
    }
    if not any(one.held_out_measured for one in groups):
        del columns["held_out"]
    if page_style.is_narrow():
        del columns["successful"], columns["to_close"]
    frame.heading(f"By {escaped(title.lower() if title != 'CSM' else title)}", "95% intervals in brackets")
    tables.show(rows, columns, key="outcome_groups", alt=f"Counts and shares by {title.lower()}", most=MOST_ROWS)


def _definitions() -> None:
    known = metrics()
    lines = [f"- **{known[name].name}**: {known[name].definition}" for name in _DEFINED]
    with st.expander("What these figures mean"):
        st.markdown(
            "\n".join(lines)
            + "\n- These are counts, not effects: accounts that get more attention differ from those that get less."
            f" A share is said from {ENOUGH} cases on."
        )
