"""What a rule is and what it says: versions as data, findings with their evidence, what is too old or too soon.

Thresholds are data (`app.rules`, versioned); what they mean is in `app.suggestions.triggers`. Every trigger must have
held for the rule's hold days, counted back from the last complete day: with 2, on that day and on the two before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule. `interventions` are the eligible ones, preferred first; `input` is the mart it reads, and
    `sources` are the systems whose last load it must not outlive. With `only_segment` or `except_segment`, ids of
    segments, it sees the accounts of that one alone, or all but those."""

    rule_id: str
    version: int
    action_type: str
    reason: str
    title: str
    input: str
    sources: tuple[str, ...]
    max_input_age_days: int
    hold_days: int
    cool_down_days: int
    due_offset_bd: int
    interventions: tuple[str, ...]
    thresholds: Mapping[str, Any]
    only_segment: str | None = None
    except_segment: str | None = None

    def threshold(self, name: str) -> float:
        """A threshold by name. Raises InvalidInput when the stored parameters lack it."""
        try:
            return float(self.thresholds[name])
        except (KeyError, TypeError, ValueError):
            raise InvalidInput(name, f"Rule {self.rule_id} version {self.version} has no usable {name}.") from None

    def days(self, name: str) -> timedelta:
        """A threshold that is a number of whole days."""
        return timedelta(days=int(self.threshold(name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A trigger that fired: how urgent, why in one sentence with figures, and the picture behind it."""

    priority: str
    sentence: str
    evidence: dict[str, Any]


def rule_from_params(rule_id: str, version: int, params: Mapping[str, Any]) -> Rule:
    """A rule from its stored parameters. Raises InvalidInput naming what is missing or malformed."""
    try:
        return Rule(
            rule_id=rule_id,
            version=version,
            action_type=str(params["action_type"]),
            reason=str(params["reason"]),
            title=str(params["title"]),
            input=str(params["input"]),
            sources=tuple(params.get("sources", ())),
            max_input_age_days=int(params["max_input_age_days"]),
            hold_days=int(params["hold_days"]),
            cool_down_days=int(params["cool_down_days"]),
            due_offset_bd=int(params["due_offset_bd"]),
            interventions=tuple(params["interventions"]),
            thresholds=dict(params["thresholds"]),
            only_segment=params.get("only_segment"),
            except_segment=params.get("except_segment"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("params", f"Rule {rule_id} version {version} is not complete: {error}.") from None


def dedupe_key(account_key: str, action_type: str, reason: str) -> str:
    """What may be open once only: an account, a type and a reason."""
    return f"{account_key}:{action_type}:{reason}"


def is_stale(rule: Rule, as_of: date | None, today: date) -> bool:
    """Whether the rule's input is too old to act on; no input at all is."""
    return as_of is None or (today - as_of).days > rule.max_input_age_days


def is_cooling_down(rule: Rule, ended: date | None, today: date) -> bool:
    """Whether the same was answered or done so recently that it is not raised again."""
    return ended is not None and (today - ended).days < rule.cool_down_days


def evidence(
    rule: Rule,
    as_of: date,
    *,
    series: Sequence[tuple[date, float]],
    series_name: str,
    unit: str,
    baseline: float | None,
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """What a finding rests on, as suggestions store it: the series of its picture (oldest first, empty when there is
    nothing to draw), the own baseline, and the figures that its clearing is judged by."""
    return {
        "series": [[day.isoformat(), value] for day, value in series],
        "series_name": series_name,
        "unit": unit,
        "baseline": baseline,
        "figures": dict(figures),
        "as_of": as_of.isoformat(),
        "inputs": [[rule.input, as_of.isoformat()]],
    }


def held_back(rule: Rule) -> Iterable[int]:
    """How many days back from the newest a trigger looks that must have held for the rule's hold days."""
    return range(rule.hold_days + 1)


def days_back(as_of: date, count: int) -> list[date]:
    """The day and as many before it, newest first."""
    return [as_of - timedelta(days=back) for back in range(count + 1)]
