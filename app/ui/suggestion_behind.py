"""What stands behind a suggestion, in a popover that asks only when it is opened: how fresh its evidence is, what else
was eligible, and what became of the same before. Who opens it has viewed the suggestion, and the record says so.
"""

from datetime import date
from typing import Any

import streamlit as st

from app.db import unit_of_work
from app.suggestions import service
from app.suggestions.model import Suggestion
from app.suggestions.precedents import Precedents
from app.ui import data, figures, frame, visit, words

_VIEWED = "suggestions:viewed"


def behind(suggestion: Suggestion, key: str) -> None:
    """The popover of one card."""
    opened = st.popover("Behind it", type="tertiary", key=f"behind_{key}", on_change="rerun")
    if not opened.open:
        return
    here = visit.current()
    with opened, st.container(width=340, gap="xsmall"), frame.guard():
        _tell(suggestion)
        found = data.precedents(suggestion.suggestion_id, here)
        st.markdown(f"**Evidence** :gray[{_freshness(suggestion.evidence, here.today)}]")
        st.markdown(f"**What else was eligible** :gray[{_others(suggestion, found)}]")
        st.markdown(f"**Last time on accounts like this** :gray[{_before(found)}]")
        frame.aside(
            f"{suggestion.rule_id} with {words.word(words.INTERVENTIONS, suggestion.intervention).lower()}, on all"
            " accounts: descriptive, not proof. Who got it differs from who did not."
        )


def _tell(suggestion: Suggestion) -> None:
    here, told = visit.current(), st.session_state.setdefault(_VIEWED, set())
    if suggestion.suggestion_id not in told:
        with unit_of_work() as db:
            service.mark_viewed(db, [suggestion.suggestion_id], actor=here.identity, now=here.now)
        told.add(suggestion.suggestion_id)


def _freshness(evidence: dict[str, Any], today: date) -> str:
    ends = [date.fromisoformat(end) for _, end in evidence.get("inputs") or () if end]
    if not ends:
        return "its day is not known"
    return f"ends on {figures.day(min(ends))}, {figures.ago(min(ends), today)}"


def _others(suggestion: Suggestion, found: Precedents) -> str:
    """The probability of each, were none held out."""
    whole = sum(found.eligible.values())
    others = [
        f"{words.word(words.INTERVENTIONS, name).lower()} ({share / whole:.0%})"
        for name, share in sorted(found.eligible.items(), key=lambda item: -item[1])
        if name != suggestion.intervention
    ]
    return ", ".join(others) + ", of all draws" if others else "nothing else"


def _before(found: Precedents) -> str:
    if not found.suggested:
        return "it was never suggested before"
    said = [
        f"suggested {figures.count(found.suggested, 'time')}",
        f"{found.accepted} accepted",
        f"{found.dismissed} dismissed",
        f"{found.closed} done",
    ]
    if found.closed:
        said.append(f"of these {found.successful} successful, {found.false_alarm} false alarms")
    if found.measured:
        said.append(f"cleared after 30 days in {found.cleared} of {found.measured} measured")
    return ", ".join(said)
