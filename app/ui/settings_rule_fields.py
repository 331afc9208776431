"""The fields of a rule in Settings: numbers with their bounds, shares as percent, interventions in order of preference,
and the accounts it looks at.

The browser keeps what is typed in them until it is published or discarded.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.suggestions import parameters, rule_versions
from app.suggestions.parameters import Setting
from app.suggestions.policy import Policy
from app.ui import frame, kept_fields, words
from app.ui.kept_fields import Field

INTERVENTIONS, ACCOUNTS, REASON = "interventions", "accounts", "reason"
ALL = "all"
_LOOKS = {"only_segment": "Only", "except_segment": "All but"}
Segments = Mapping[str, str]  # the names of those a rule may be tied to, by id


def place(rule_id: str) -> str:
    """Where a rule's refusals stand, and under which name the browser keeps its fields."""
    return f"rules:{rule_id}"


def begun_anew(rule_id: str) -> int:
    """How often the fields of a rule started anew."""
    return st.session_state.get(f"{place(rule_id)}:round", 0)


def field_key(rule_id: str, name: str) -> str:
    """The key of a field's widget."""
    return f"rule_{rule_id}_{begun_anew(rule_id)}_{name}"


def shown(one: Setting, value: float) -> float | int:
    """A stored number as its field holds it: shares as percent."""
    return int(value) if one.is_whole else round(float(value) * 100, 2)


def _stored(one: Setting, value: float) -> float | int:
    return int(value) if one.is_whole else round(float(value) / 100, 4)


def flat(rule_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields for stored parameters, by name: the two segments are one choice of accounts."""
    values = parameters.flat(rule_id, params)
    tied = {tie: values.pop(tie) for tie in parameters.TIES}
    return {**values, ACCOUNTS: next((f"{tie}:{value}" for tie, value in tied.items() if value), ALL)}


def nested(rule_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The way back of `flat`."""
    rest = {name: value for name, value in values.items() if name != ACCOUNTS}
    tied, _, segment_id = values[ACCOUNTS].partition(":")
    return parameters.nested(rule_id, rest | {tie: segment_id if tie == tied else None for tie in parameters.TIES})


def looks_at(choice: str, segments: Segments) -> str:
    """`All accounts`, `Only Large`, `All but Large`; not escaped."""
    tied, _, segment_id = choice.partition(":")
    if tied not in _LOOKS:
        return "All accounts"
    return f"{_LOOKS[tied]} {segments.get(segment_id, 'a segment that is gone')}"


def told(rule_id: str, name: str, value: Any, segments: Segments) -> str:
    """A value of a field in words, not escaped."""
    if name == ACCOUNTS:
        return looks_at(value, segments)
    if name == INTERVENTIONS:
        return ", ".join(words.word(words.INTERVENTIONS, one) for one in value)
    one = parameters.setting(rule_id, name)
    return f"{shown(one, value):g}{' %' if not one.is_whole else f' {one.unit}' if one.unit else ''}"


def fields(rule_id: str, now: Mapping[str, Any], policy: Policy, segments: Segments) -> dict[str, Any]:
    """Draw them; what stands in them by name, in the shape of `flat`."""
    values: dict[str, Any] = {}
    own = [name for name in now if name in parameters.THRESHOLDS[rule_id]]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for name in own:
            values[name] = _number(rule_id, name, now[name])
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for name in parameters.common(rule_id):
            values[name] = _number(rule_id, name, now[name])
        values[ACCOUNTS] = _accounts(rule_id, now[ACCOUNTS], segments)
    if rule_id == "R3":
        frame.aside("Low-frequency plans are part of the product's setup and not changed here.")
    key = field_key(rule_id, INTERVENTIONS)
    st.session_state.setdefault(key, list(now[INTERVENTIONS]))
    chosen = st.multiselect(
        "Eligible interventions, the preferred one first",
        list(words.INTERVENTIONS),
        format_func=lambda code: words.INTERVENTIONS[code],
        key=key,
    )
    values[INTERVENTIONS] = list(chosen)
    if chosen:
        drawn = rule_versions.shares(policy, list(chosen))
        said = ", ".join(f"{words.word(words.INTERVENTIONS, one)} {share:.0%}" for one, share in drawn.items())
        frame.aside(f"Proposed how often: {said}.")
    return values


def _choices(segments: Segments) -> list[str]:
    return [ALL, *(f"{tie}:{segment_id}" for tie in parameters.TIES for segment_id in segments)]


def _accounts(rule_id: str, now: str, segments: Segments) -> str:
    key = field_key(rule_id, ACCOUNTS)
    chosen = st.session_state.setdefault(key, now)
    # an old version that is put back may name a segment that is gone: it is shown, and refused when it is published
    options = list(dict.fromkeys([*_choices(segments), now, chosen]))
    return st.selectbox(
        "Looks at",
        options,
        format_func=lambda choice: looks_at(choice, segments),
        key=key,
        width=304,
        help="From the next evaluation on; what waits for other accounts ends then. Segments that are visible to all"
        " can be chosen: they are made on Accounts, Segments.",
    )


def follow(rule_id: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Have the fields that nobody touched say what another version says since; call it before they are drawn."""
    for name, value in now.items():
        key = field_key(rule_id, name)
        if st.session_state.get(key) == _in_field(rule_id, name, before.get(name, value)):
            st.session_state[key] = _in_field(rule_id, name, value)


def fill(rule_id: str, values: Mapping[str, Any]) -> None:
    """Callback: have the fields hold these values."""
    for name, value in values.items():
        st.session_state[field_key(rule_id, name)] = _in_field(rule_id, name, value)


def _in_field(rule_id: str, name: str, value: Any) -> Any:
    if name == INTERVENTIONS:
        return list(value)
    return value if name == ACCOUNTS else shown(parameters.setting(rule_id, name), value)


def _number(rule_id: str, name: str, value: float) -> float | int:
    one = parameters.setting(rule_id, name)
    unit = "%" if not one.is_whole else one.unit
    label = f"{one.label}, {unit}" if unit else one.label
    key = field_key(rule_id, name)
    st.session_state.setdefault(key, shown(one, value))
    step = 1 if one.is_whole else 1.0
    given = st.number_input(
        label,
        min_value=shown(one, one.least),
        max_value=shown(one, one.most),
        step=step,
        format="%d" if one.is_whole else "%g",
        key=key,
        width=224,
    )
    return _stored(one, given)


def kept(rule_id: str, now: Mapping[str, Any], segments: Segments) -> dict[str, Field]:
    """What the browser keeps of them, the reason included."""
    known: dict[str, Field] = {
        REASON: Field(field_key(rule_id, REASON), "", kept_fields.text(rule_versions.REASON_LIMIT))
    }
    for name, value in now.items():
        if name == INTERVENTIONS:
            known[name] = Field(field_key(rule_id, name), list(value), _interventions)
        elif name == ACCOUNTS:
            known[name] = Field(field_key(rule_id, name), value, kept_fields.one_of(_choices(segments)))
        else:
            one = parameters.setting(rule_id, name)
            take = kept_fields.number(shown(one, one.least), shown(one, one.most))
            known[name] = Field(field_key(rule_id, name), shown(one, value), take)
    return known


def _interventions(value: Any) -> list[str]:
    if not isinstance(value, list) or any(one not in words.INTERVENTIONS for one in value if isinstance(one, str)):
        raise ValueError("not interventions")
    return [str(one) for one in value]
