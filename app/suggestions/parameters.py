"""What an admin may set of a rule: each number with its bounds, what must not contradict what, and its name. Pure.

The trap avoided: a rule reads only so many days back. A hold that reaches further would never fire and say nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actions.vocabulary import Intervention
from app.errors import InvalidInput

VERSION_FIELD = "the version"  # of the trail; the first of a change, so that the events since one can be found


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of a rule: what it is called, its unit, and its bounds. `is_whole` numbers are counts; those that are
    not are shares."""

    label: str
    unit: str
    least: float
    most: float
    is_whole: bool = True


def _days(label: str, least: int = 1, most: int = 365) -> Setting:
    return Setting(label, "days", least, most)


def _share(label: str, most: float = 1.0) -> Setting:
    return Setting(label, "share", 0.01, most, is_whole=False)


def _count(label: str, most: int = 1_000, *, least: int = 0) -> Setting:
    return Setting(label, "", least, most)


# the ids of segments: of the one a rule sees alone, or of the one it leaves out; neither when it sees every account
TIES = ("only_segment", "except_segment")

# what rules have beside their thresholds
_COMMON: Mapping[str, Setting] = {
    "hold_days": Setting("Must have held for", "days", 0, 40),
    "cool_down_days": Setting("Not again after an answer for", "days", 0, 365),
    "due_offset_bd": Setting("Due after", "business days", 0, 60),
    "max_input_age_days": Setting("Its data may be old at most", "days", 1, 14),
}

# whose trigger says of each day whether it held; what the others see has happened, or has lasted long enough
_HOLDS = frozenset({"R1", "R2", "R5", "R7", "R8", "R12", "R13", "R14"})


def common(rule_id: str) -> Mapping[str, Setting]:
    """What may be set of a rule beside its thresholds."""
    return {name: one for name, one in _COMMON.items() if name != "hold_days" or rule_id in _HOLDS}


THRESHOLDS: Mapping[str, Mapping[str, Setting]] = {
    "R1": {
        "window_days": _days("Fall within", most=30),
        "drop_high": Setting("High from a fall of", "points", 1, 100),
        "drop_critical": Setting("Critical from a fall of", "points", 1, 100),
        "recovered_within": Setting("Cleared when back within", "points", 0, 50),
    },
    "R2": {
        "drop_ratio": _share("Fires from a fall of"),
        "high_drop_ratio": _share("High from a fall of"),
        "least_previous_7d": _count("Events in the 7 days before, at least", least=1),
        "least_previous_30d": _count("Events in the 30 days before, at least", least=1),
        "recovered_ratio": _share("Cleared when back at this share", 2.0),
        "recovered_days": _days("… for as long as", most=30),
    },
    "R3": {
        "quiet_days": _days("Quiet for", most=120),
        "low_frequency_days": _days("Quiet for, on low-frequency plans", most=120),
        "high_quiet_days": _days("High when quiet for", most=365),
    },
    "R4": {
        "window_days": _days("Left within the last", most=90),
        "critical_renewal_days": _days("Critical when the renewal is within", least=0),
    },
    "R5": {
        "most_urgent": _count("Urgent tickets unresolved, more than", 100),
        "most_new_30d": _count("Tickets in 30 days, more than", 500),
        "critical_urgent": _count("Critical from more urgent ones than", 100),
    },
    "R6": {
        "detractor_up_to": Setting("Detractor up to", "of 10", 0, 10),
        "critical_up_to": Setting("Critical up to", "of 10", 0, 10),
        "window_days": _days("Answered within the last", most=180),
    },
    "R7": {
        "overdue_days": _days("Overdue for more than", least=0),
        "critical_overdue_days": _days("Critical when overdue for more than", least=0),
    },
    "R8": {
        "least_ratio": _share("Seats used, less than"),
        "recovered_ratio": _share("Cleared from"),
        "from_day": Setting("Not before day", "", 0, 730),
    },
    "R9": {
        "until_day": Setting("Looked at until day", "", 1, 365),
        "first_activity_by_day": Setting("First key activity by day", "", 1, 365),
        "first_campaign_by_day": Setting("First campaign by day", "", 1, 365),
        "first_automation_by_day": Setting("First live automation by day", "", 1, 365),
    },
    "R10": {
        "first_checkpoint_days": _days("First checkpoint before the renewal"),
        "second_checkpoint_days": _days("Second checkpoint before the renewal"),
    },
    "R11": {
        "silent_days": _days("No two-way contact for", most=730),
        "high_silent_days": _days("High when silent for", most=730),
    },
    "R12": {
        "full_ratio": _share("Seats used, more than", 2.0),
        "room_ratio": _share("Cleared under", 2.0),
        "growth_ratio": _share("Key activity up by"),
        "least_previous_30d": _count("Events in the 30 days before, at least", least=1),
    },
    "R13": {},
    "R14": {"rating_valid_days": _days("A rating counts for", most=365)},
}

# (the smaller, the larger, what is wrong when they are not): of the thresholds of a rule
_ORDERED: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "R1": [("drop_high", "drop_critical", "Critical must ask for a fall at least as large as high.")],
    "R2": [("drop_ratio", "high_drop_ratio", "High must ask for a fall at least as large as what fires.")],
    "R3": [
        ("quiet_days", "high_quiet_days", "High must ask for as long a silence as what fires."),
        ("quiet_days", "low_frequency_days", "Low-frequency plans must be allowed at least as many quiet days."),
    ],
    "R5": [("most_urgent", "critical_urgent", "Critical must ask for at least as many urgent tickets as what fires.")],
    "R6": [("critical_up_to", "detractor_up_to", "Critical must not reach further up than detractor.")],
    "R7": [("overdue_days", "critical_overdue_days", "Critical must ask for at least as many days as what fires.")],
    "R8": [("least_ratio", "recovered_ratio", "It must clear at no less than the share it fires under.")],
    "R9": [
        (f"first_{step}_by_day", "until_day", f"The first {step} is planned for after the last day looked at.")
        for step in ("activity", "campaign", "automation")
    ],
    "R10": [("second_checkpoint_days", "first_checkpoint_days", "The first checkpoint must come before the second.")],
    "R11": [("silent_days", "high_silent_days", "High must ask for as long a silence as what fires.")],
    "R12": [("room_ratio", "full_ratio", "It must clear at no more than the share it fires over.")],
}
# days of history that a rule's input holds
REACH: Mapping[str, int] = {"R1": 60, "R2": 60, "R3": 60, "R5": 30, "R8": 45, "R12": 45, "R13": 60, "R14": 30}


def problems(rule_id: str, params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the parameters of a rule, as (field, sentence); empty when nothing is."""
    found: list[tuple[str, str]] = []
    thresholds = params.get("thresholds") or {}
    for given, known in ((params, common(rule_id)), (thresholds, THRESHOLDS[rule_id])):
        for name, setting in known.items():
            wrong = _out_of_bounds(setting, given.get(name))
            if wrong:
                found.append((name, wrong))
    if found:
        return found
    for smaller, larger, sentence in _ORDERED.get(rule_id, ()):
        if thresholds[smaller] > thresholds[larger]:
            found.append((larger, sentence))
    reach = REACH.get(rule_id)
    needed = int(params["hold_days"]) + int(thresholds.get("window_days", 0) if rule_id == "R1" else 0) + 1
    if reach is not None and needed > reach:
        found.append(("hold_days", f"This rule sees {reach} days: with these values it would need {needed}."))
    found += _wrong_interventions(params.get("interventions"))
    found += _wrong_ties(params)
    return found


def _out_of_bounds(setting: Setting, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return f"{setting.label}: a number is missing."
    if setting.is_whole and value != int(value):
        return f"{setting.label}: a whole number is needed."
    if not setting.least <= value <= setting.most:
        return f"{setting.label}: {value:g} is not between {setting.least:g} and {setting.most:g}."
    return None


def _wrong_interventions(value: Any) -> list[tuple[str, str]]:
    known = {one.value for one in Intervention}
    if not isinstance(value, list | tuple) or not value:
        return [("interventions", "At least one intervention must be eligible: a suggestion proposes one.")]
    if unknown := [str(one) for one in value if one not in known]:
        return [("interventions", f"There is no such intervention: {', '.join(unknown)}.")]
    if len(set(value)) < len(value):
        return [("interventions", "An intervention stands there twice.")]
    return []


def _wrong_ties(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = {name: params[name] for name in TIES if params.get(name)}
    if len(given) > 1:
        return [("except_segment", "A rule is limited to a segment or leaves one out, not both.")]
    for name, segment_id in given.items():
        try:
            UUID(str(segment_id))
        except ValueError:
            return [(name, "That is no segment.")]
    return []


def changed(rule_id: str, params: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`params` with what of `wanted` an admin may set; all else stays. `wanted` has the shape of `params`.

    Raises InvalidInput naming the field.
    """
    given = wanted.get("thresholds") or {}
    thresholds = {name: given.get(name, params["thresholds"].get(name)) for name in THRESHOLDS[rule_id]}
    made = {
        **params,
        **{name: wanted.get(name, params.get(name)) for name in (*common(rule_id), "interventions", *TIES)},
        "thresholds": {**params["thresholds"], **thresholds},
    }
    if wrong := problems(rule_id, made):
        field, sentence = wrong[0]
        raise InvalidInput(field, sentence, hint="Change it and publish again; nothing was published.")
    tied = {name: segment_id for name in TIES if (segment_id := made.pop(name))}
    return {**made, "interventions": list(made["interventions"]), **tied}


def flat(rule_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """What may be set of a rule, by one name each: thresholds first."""
    return {
        **{name: params["thresholds"][name] for name in THRESHOLDS[rule_id]},
        **{name: params[name] for name in common(rule_id)},
        "interventions": list(params["interventions"]),
        **{name: params.get(name) for name in TIES},
    }


def nested(rule_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The way back of `flat`."""
    return {
        **{name: value for name, value in values.items() if name not in THRESHOLDS[rule_id]},
        "thresholds": {name: values[name] for name in THRESHOLDS[rule_id]},
    }


def setting(rule_id: str, name: str) -> Setting:
    """A setting by its name in `flat`. Raises KeyError for the interventions and segments, which are no
    number."""
    return {**_COMMON, **THRESHOLDS[rule_id]}[name]
