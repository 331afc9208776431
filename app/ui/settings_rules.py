"""Rules: what each asks for, and a form to change it; what a change would have done is seen before it is published.

What is typed survives a reload; a version that a colleague publishes meanwhile is told, never overwritten unseen.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from app.auth import Identity
from app.errors import StaleVersion
from app.suggestions import parameters, rule_versions
from app.suggestions.policy import Policy
from app.suggestions.rule_versions import RuleVersion
from app.ui import (
    figures,
    frame,
    kept_fields,
    page_style,
    segment_data,
    segment_details,
    settings_data,
    settings_rule_effect,
    settings_rule_fields,
    settings_rule_throttle,
    tables,
    visit,
    words,
    writes,
)
from app.ui.settings_rule_fields import ACCOUNTS, ALL, INTERVENTIONS, REASON, Segments
from app.ui.text import escaped

_LIST = "rules_open"
_LABELS = {INTERVENTIONS: "Eligible", ACCOUNTS: "Looks at"}
LISTED = 12


@frame.panel
def show() -> None:
    """The list, and the rule that is open."""
    here = visit.current()
    known, policy = settings_data.rules(here)
    throttled = settings_data.throttles(here)
    segments = segment_details.named([one for one in segment_data.segments(here) if one.is_shared])
    by_id = {one.rule_id: one for one in known}
    chosen = by_id.get(st.query_params.get("rule", "").upper(), known[0])
    left, right = page_style.split([1, 1.75], "rules")
    with left:
        _list(known, chosen, throttled)
        _weights(policy)
    with right:
        if chosen.rule_id in throttled:
            settings_rule_throttle.standing(throttled[chosen.rule_id])
        _editor(chosen, policy, segments)
    settings_rule_throttle.limits()


def _list(known: Sequence[RuleVersion], chosen: RuleVersion, throttled: Collection[str]) -> None:
    rows = pd.DataFrame(
        {
            "rule": [f"{one.rule_id} {words.RULES.get(one.rule_id, '')}" for one in known],
            "open": ["›" if one is chosen else "" for one in known],
            "hold": [int(one.params["hold_days"]) for one in known],
            "cool": [int(one.params["cool_down_days"]) for one in known],
            "due": [int(one.params["due_offset_bd"]) for one in known],
            "version": [one.version for one in known],
            "state": [_state(one, throttled) for one in known],
        }
    )
    columns = {
        "open": tables.text("", 26),
        "rule": tables.link("Rule", _LIST, lambda: _open(known), 168),
        "hold": tables.number("Holds", 52, "%d", metric="hold_days"),
        "cool": tables.number("Rests", 52, "%d", metric="cool_down_days"),
        "due": tables.number("Due", 46, "%d", metric="due_offset"),
        "version": tables.number("Version", 62, "%d", metric=None),
        "state": tables.text("State", 112),
    }
    if any(rows["state"]):
        del columns["due"]
    else:
        del columns["state"]
    frame.heading("Rules", "days held, days of rest after an answer, due in business days")
    tables.show(
        rows,
        columns,
        key="rules_list",
        alt="Every rule with its days and version",
        most=6 if page_style.is_narrow() else None,
    )


def _state(rule: RuleVersion, throttled: Collection[str]) -> str:
    is_tied = settings_rule_fields.flat(rule.rule_id, rule.params)[ACCOUNTS] != ALL
    said = (("throttled", rule.rule_id in throttled), ("limited", is_tied))
    return ", ".join(word for word, is_so in said if is_so)


def _open(known: Sequence[RuleVersion]) -> None:
    row = tables.clicked_row(_LIST)
    if row is not None and 0 <= row < len(known):
        st.query_params["rule"] = known[row].rule_id


def _weights(policy: Policy) -> None:
    """How findings of all rules are ranked: read here, not set."""
    weights = ", ".join(
        f"{name.lower()} {policy.priority_weight.get(code, 0):g}" for code, name in words.PRIORITIES.items()
    )
    frame.aside(
        f"Ranked by weight ({weights}) × revenue at risk × nearness of the renewal;"
        f" {policy.budget_per_csm_and_day} a CSM and day; unanswered ones expire after {policy.expire_after_days} days."
        f" Policy version {policy.version}."
    )


def _editor(rule: RuleVersion, policy: Policy, segments: Segments) -> None:
    rule_id, place = rule.rule_id, settings_rule_fields.place(rule.rule_id)
    now = settings_rule_fields.flat(rule_id, rule.params)
    begun: int = st.session_state.setdefault(f"{place}:begun", rule.version)
    with st.container(border=True, gap="small", key="rule_editor"):
        _head(rule)
        if begun != rule.version:
            since = [one for one in settings_data.rule_versions_of(rule_id, visit.current()) if one.version == begun]
            for one in since:
                settings_rule_fields.follow(rule_id, settings_rule_fields.flat(rule_id, one.params), now)
        values = settings_rule_fields.fields(rule_id, now, policy, segments)
        wanted = settings_rule_fields.nested(rule_id, values)
        wrong = parameters.problems(rule_id, {**rule.params, **wanted})
        for _, sentence in wrong:
            st.markdown(f":red[:material/error: {escaped(sentence)}]")
        changed = [name for name in values if values[name] != now[name]]
        if not changed:
            st.session_state[f"{place}:begun"] = rule.version
        if begun != rule.version and changed:
            who = escaped(rule.created_by_name or "Somebody")
            st.markdown(f":orange[:material/sync_problem: {who} published version {rule.version} meanwhile.]")
        for name in changed if not wrong else ():
            label = _LABELS.get(name) or parameters.setting(rule_id, name).label
            before, after = (settings_rule_fields.told(rule_id, name, one[name], segments) for one in (now, values))
            st.markdown(f"{label}: {escaped(before)} → **{escaped(after)}**")
        reason = _reason(rule_id) if changed else ""
        _buttons(rule, wanted, is_wrong=bool(wrong), changed=changed, reason=reason)
        frame.problem(place)
        kept_fields.fields(place, settings_rule_fields.kept(rule_id, now, segments))
    if not wrong:
        settings_rule_effect.show(rule_id, rule.version, _weighed(wanted), is_changed=_is_weighed(changed))


def _weighed(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What a look back tells of: it is taken over all accounts, since who was in a segment is not kept by day."""
    return {name: value for name, value in wanted.items() if name not in parameters.TIES}


def _is_weighed(changed: Sequence[str]) -> bool:
    """Whether more is changed than which accounts are looked at."""
    return any(name != ACCOUNTS for name in changed)


def _head(rule: RuleVersion) -> None:
    here = visit.current()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**{rule.rule_id} {words.RULES.get(rule.rule_id, '')}** :small[:gray[{escaped(rule.params['title'])}]]"
        )
        with st.popover(f"Version {rule.version}", type="tertiary", key=f"rule_versions_{rule.rule_id}"):
            for one in settings_data.rule_versions_of(rule.rule_id, here)[:LISTED]:
                _version(one, here)


def _version(one: RuleVersion, here: visit.Visit) -> None:
    who = escaped(one.created_by_name) if one.created_by_name else "shipped with the product"
    when = figures.clock(one.created_at, now=here.now)
    why = f"  \n:small[{escaped(one.reason, limit=200)}]" if one.reason else ""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", width=420):
        number = f"**{one.version}, in force**" if one.is_active else f"{one.version}"
        st.markdown(f"{number} · {who} :small[:gray[{when}]]{why}")
        if not one.is_active:
            st.button(
                "Put back",
                key=f"put_back_{one.rule_id}_{one.version}",
                on_click=_put_back,
                args=(one,),
                help="Its values go into the form; nothing is published yet",
            )


def _put_back(old: RuleVersion) -> None:
    """Callback: the form holds what an old version had, and says so."""
    settings_rule_fields.fill(old.rule_id, settings_rule_fields.flat(old.rule_id, old.params))
    st.session_state[settings_rule_fields.field_key(old.rule_id, REASON)] = f"Version {old.version} put back"


def _reason(rule_id: str) -> str:
    return st.text_input(
        "Why it is changed",
        max_chars=rule_versions.REASON_LIMIT,
        live="300ms",
        key=settings_rule_fields.field_key(rule_id, REASON),
        placeholder="One line, kept with the version",
    )


def _buttons(
    rule: RuleVersion, wanted: Mapping[str, Any], *, is_wrong: bool, changed: Sequence[str], reason: str
) -> None:
    rule_id = rule.rule_id
    writes.form_key(settings_rule_fields.place(rule_id))
    weighed, is_weighed = _weighed(wanted), _is_weighed(changed)
    is_seen = not is_wrong and settings_rule_effect.is_seen(rule_id, rule.version, weighed)
    may_publish = is_seen or not is_weighed
    missing = _missing(is_wrong=is_wrong, changed=changed, is_seen=may_publish, reason=reason)
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "What would it have changed?" if is_weighed else "What did it do over the year?",
            icon=":material/history:",
            type="secondary" if is_seen or (changed and may_publish) else "primary",
            key="rule_look",
            disabled=is_wrong,
            on_click=settings_rule_effect.ask,
            args=(rule_id, rule.version, weighed),
        )
        if changed:
            st.button(
                f"Publish version {rule.version + 1}",
                type="primary" if may_publish else "secondary",
                key="rule_publish",
                disabled=bool(missing),
                help=missing or None,
                on_click=_publish,
                args=(rule_id, wanted),
            )
            st.button("Discard", type="tertiary", key="rule_discard", on_click=_restart, args=(rule_id,))


def _missing(*, is_wrong: bool, changed: Sequence[str], is_seen: bool, reason: str) -> str:
    """What is missing before it can be published; nothing when all is there."""
    if is_wrong or not changed:
        return "Mend what stands in red first" if is_wrong else "Nothing is changed"
    if not is_seen:
        return "Look first at what it would have changed"
    return "" if reason.strip() else "Say why it is changed"


def _restart(rule_id: str) -> None:
    """Callback: the fields start anew, from what is in force."""
    place = settings_rule_fields.place(rule_id)
    st.session_state[f"{place}:round"] = settings_rule_fields.begun_anew(rule_id) + 1
    st.session_state.pop(f"{place}:begun", None)
    kept_fields.forget(place)
    frame.forget(place)


def _publish(rule_id: str, wanted: Mapping[str, Any]) -> None:
    """Callback: what was told of a colleague's version is taken as seen by the next click."""
    place = settings_rule_fields.place(rule_id)
    form, begun = writes.form_key(place), st.session_state.get(f"{place}:begun", 0)
    reason = str(st.session_state.get(settings_rule_fields.field_key(rule_id, REASON)) or "")

    def write(db: Connection, actor: Identity, now: datetime) -> RuleVersion:
        return rule_versions.publish(
            db,
            actor=actor,
            now=now,
            rule_id=rule_id,
            wanted=wanted,
            reason=reason,
            expected_version=begun,
            idempotency_key=form,
        )

    made = writes.perform(
        write, place=place, done=lambda one: f"{one.rule_id} version {one.version} holds from the next build on."
    )
    writes.renew_form(place)
    met = frame.met(place)
    if made is not None:
        _restart(rule_id)
    elif isinstance(met, StaleVersion):
        st.session_state[f"{place}:begun"] = met.current.version
