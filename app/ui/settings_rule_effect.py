"""What a change of a rule would have done over the last year, before it is published: both versions side by side, with
what could not be looked back on.

It takes seconds, so it runs beside the page, with a bar; a click elsewhere stops it.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pandas as pd
import streamlit as st

from app.errors import AppError
from app.suggestions import lookback
from app.suggestions.lookback import Comparison, Effect, Example
from app.suggestions.rates import Rate
from app.ui import figures, frame, navigation, settings_data, tables, visit, words
from app.ui.text import escaped, with_bold_figures

_ASKED = "rules:asked"
_CAME = "rules:came"
_LOOKS_SECONDS = 0.25
MOST_CSMS = 10


class _StoppedError(Exception):
    """Whoever asked has gone on."""


def _key(rule_id: str, version: int, wanted: Mapping[str, Any], here: visit.Visit) -> str:
    return json.dumps([rule_id, version, here.build_id, wanted], sort_keys=True)


def is_seen(rule_id: str, version: int, wanted: Mapping[str, Any]) -> bool:
    """Whether what exactly these values would have done stands on the page."""
    key, came = st.session_state.get(_CAME, ("", None))
    return key == _key(rule_id, version, wanted, visit.current()) and not isinstance(came, AppError)


def ask(rule_id: str, version: int, wanted: Mapping[str, Any]) -> None:
    """Callback: look back in the run that follows."""
    here = visit.current()
    st.session_state[_ASKED] = _key(rule_id, version, wanted, here)


def show(rule_id: str, version: int, wanted: Mapping[str, Any], *, is_changed: bool) -> None:
    """What came of the question for these values; nothing before it is asked."""
    here = visit.current()
    key = _key(rule_id, version, wanted, here)
    if st.session_state.pop(_ASKED, None) == key:
        try:
            st.session_state[_CAME] = (key, _waited_for(rule_id, wanted, here))
        except AppError as error:
            st.session_state[_CAME] = (key, error)
        # the buttons above were drawn before it had come
        st.rerun(scope="fragment" if visit.is_fragment_run() else "app")
    told, came = st.session_state.get(_CAME, ("", None))
    if told != key:
        return
    if isinstance(came, AppError):
        frame.explain(came)
    elif came is None:
        frame.empty(
            "Too little is known by day to look back on this rule.",
            "Its input has been kept for less than two weeks; a new version can be published without.",
            icon=":material/history:",
        )
    else:
        _comparison(came, rule_id, is_changed=is_changed)


def _waited_for(rule_id: str, wanted: Mapping[str, Any], here: visit.Visit) -> Comparison | None:
    """The comparison; after a moment a bar says how far it is."""
    is_stopped, reached = threading.Event(), [0.0]

    def progress(share: float) -> None:
        reached[0] = share
        if is_stopped.is_set():
            raise _StoppedError

    place = st.empty()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(settings_data.look_back, rule_id, wanted, here, progress)
        try:
            while not wait([working], timeout=_LOOKS_SECONDS).done:
                text = "Looking back over a year" if reached[0] else "Reading a year of records"
                place.progress(reached[0], text=f":gray[{text}]")
        except BaseException:  # a click while it runs ends this run of the page
            is_stopped.set()
            raise
    place.empty()
    return working.result()


def _counted(value: Rate | None) -> str:
    """`3 of 46: 7% (2–18%)`; of few cases the interval alone, and of none a dash."""
    if value is None or not value.of:
        return "–"
    share = f": {value.share:.0%}" if value.is_enough else ""
    return f"{value.count} of {value.of}{share} ({figures.span(*value.interval)})"


def _comparison(found: Comparison, rule_id: str, *, is_changed: bool) -> None:
    weeks = figures.count(found.steps, "week")
    with st.container(border=True, gap="small", key="rule_effect"):
        frame.heading(
            "What it would have done",
            f"{figures.full_day(found.first)} to {figures.full_day(found.last)}, every seventh day, {weeks}",
        )
        if is_changed:
            st.markdown(with_bold_figures(_sentence(found)))
        _measures(found, is_changed=is_changed)
        if found.base is not None and found.base.of:
            st.markdown(
                f":small[:gray[Of all accounts {found.base.share:.1%} left within 90 days of an average week of these:"
                " a rule that is right no more often tells nothing. Intervals are 95%, by accounts, not by firings."
                f"{_young(found, is_changed=is_changed)}]]"
            )
        _by_csm(found, is_changed=is_changed)
        if is_changed:
            _examples("No longer raised", found.lost, found.only_now)
            _examples("Newly raised", found.gained, found.only_then)
        _not_kept(rule_id)


def _sentence(found: Comparison) -> str:
    before, after = found.now.firings, found.then.firings
    if before == after and not found.only_now and not found.only_then:
        return "It would have raised the same accounts as often as the version in force."
    return (
        f"It would have raised {figures.count(after, 'suggestion')} instead of {before}:"
        f" {figures.count(found.only_then, 'account')} more, {figures.count(found.only_now, 'account')} no longer."
    )


def _young(found: Comparison, *, is_changed: bool) -> str:
    young = found.then.young if is_changed else found.now.young
    firings = figures.count(young, "firing")
    return f" {firings} of the last 90 days cannot be judged yet and count in no share." if young else ""


def _measures(found: Comparison, *, is_changed: bool) -> None:
    versions = [found.now, found.then] if is_changed else [found.now]
    rows: list[tuple[str, list[str]]] = [
        ("Suggestions", [f"{one.firings:,}" for one in versions]),
        ("Accounts", [f"{one.accounts:,}" for one in versions]),
        ("By priority", [_priorities(one) for one in versions]),
        ("Right: left within 90 days of the first, of accounts raised", [_counted(one.precision) for one in versions]),
        ("Caught: raised before, of accounts that left", [_counted(one.caught) for one in versions]),
        ("Days ahead of the leaving, median", [_lead(one) for one in versions]),
    ]
    table = pd.DataFrame(
        {
            "what": [what for what, _ in rows],
            "now": [cells[0] for _, cells in rows],
            **({"then": [cells[1] for _, cells in rows]} if is_changed else {}),
        }
    )
    columns = {
        "what": tables.text("", 300),
        "now": tables.spelled("In force", 180, metric=None),
        "then": tables.spelled("With the change", 180, metric=None),
    }
    shown = {name: column for name, column in columns.items() if name in table}
    tables.show(table, shown, key="rule_measures", alt="Both versions of the rule over the last year")


def _priorities(one: Effect) -> str:
    said = [
        f"{one.by_priority[code]} {name.lower()}"
        for code, name in words.PRIORITIES.items()
        if one.by_priority.get(code)
    ]
    return ", ".join(said) or "–"


def _lead(one: Effect) -> str:
    return "–" if one.lead_days is None else f"{one.lead_days:.0f}"


def _by_csm(found: Comparison, *, is_changed: bool) -> None:
    people = sorted(
        found.now.by_csm.keys() | found.then.by_csm.keys(),
        key=lambda one: (-max(found.now.by_csm.get(one, 0), found.then.by_csm.get(one, 0)), one or ""),
    )
    if not people:
        return
    table = pd.DataFrame(
        {
            "csm": [one or "Nobody's" for one in people],
            "now": [found.now.by_csm.get(one, 0) for one in people],
            **({"then": [found.then.by_csm.get(one, 0) for one in people]} if is_changed else {}),
        }
    )
    columns = {
        "csm": tables.text("Suggestions to", 300),
        "now": tables.number("In force", 180, "%d", metric="would_have_raised"),
        "then": tables.number("With the change", 180, "%d", metric="would_have_raised"),
    }
    shown = {name: column for name, column in columns.items() if name in table}
    tables.show(table, shown, key="rule_by_csm", alt="Suggestions of the year by CSM", most=MOST_CSMS)


def _examples(title: str, examples: Sequence[Example], whole: int) -> None:
    if not examples:
        return
    more = f", {len(examples)} of {whole}" if whole > len(examples) else ""
    frame.heading(title, f"the first time, who left soon after first{more}")
    for one in examples:
        left = f":red[left on {figures.full_day(one.left_on)}]" if one.left_on else ":gray[still a customer]"
        with st.container(gap=None):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                navigation.account_link(one.account_key, one.account_name)
                st.markdown(f":small[:gray[{figures.full_day(one.day)}, {escaped(one.csm or 'nobody')}] · {left}]")
            st.markdown(f":small[{escaped(one.sentence, limit=240)}]")


def _not_kept(rule_id: str) -> None:
    with st.expander("What could not be looked back on"):
        st.markdown(
            "\n".join(f"- {line}" for line in (*lookback.NOT_KEPT[rule_id], *lookback.FOR_ALL))
            + "\n- Who was in a segment: a rule that is tied to one is looked back on for all accounts."
            "\n- What people would have answered is not known: a suggestion is taken to stay until it clears or"
            " expires, and then to cool down. What held already on the first day is not counted."
        )
