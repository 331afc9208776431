"""R4, R6, R11: who mattered has left, said that they are unhappy, or has not been spoken to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.suggestions.rules import Finding, Rule, evidence
from app.wording import counted, listed, on

_ROLES = {"champion": "champion", "decision_maker": "decision maker"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A contact who left: removed in the CRM, or mail to them bounces."""

    name: str
    role: str
    left_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleInput:
    """Who left lately, newest first, the roles that somebody still holds, and the newest two-way contact."""

    account_key: str
    as_of: date
    customer_since: date | None
    days_to_renewal: int | None
    departures: tuple[Departure, ...]
    roles_held: frozenset[str]
    last_contact_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerInput:
    """The newest NPS answer of an account (0 to 10) and the newest two-way contact, ours or in the CRM."""

    account_key: str
    as_of: date
    score: int
    respondent: str | None
    comment: str | None
    responded_on: date
    last_contact_on: date | None


def _nothing_drawn(rule: Rule, as_of: date, **figures: Any) -> dict[str, Any]:
    return evidence(rule, as_of, series=(), series_name="", unit="", baseline=None, figures=figures)


def champion_left(rule: Rule, given: PeopleInput) -> Finding | None:
    """R4: a champion or a decision maker left lately, and nobody known holds that role now."""
    since = given.as_of - rule.days("window_days")
    gone = [one for one in given.departures if one.left_on > since and one.role in _ROLES.keys() - given.roles_held]
    if not gone:
        return None
    said = listed([f"{one.name} ({_ROLES[one.role]}) left on {on(one.left_on)}" for one in gone])
    roles = sorted({one.role for one in gone})
    near = given.days_to_renewal is not None and 0 <= given.days_to_renewal <= rule.threshold("critical_renewal_days")
    renewal = ""
    if near and given.days_to_renewal is not None:
        renewal = f"; the renewal is on {on(given.as_of + timedelta(days=given.days_to_renewal))}"
    return Finding(
        priority="critical" if near else "high",
        sentence=f"{said}, and no other {listed([_ROLES[role] for role in roles])} is known{renewal}.",
        evidence=_nothing_drawn(rule, given.as_of, roles=roles, left_on=max(one.left_on for one in gone).isoformat()),
    )


def role_filled(rule: Rule, given: PeopleInput, figures: Mapping[str, Any]) -> bool:
    """R4 clears: somebody holds each of the roles again."""
    return set(figures["roles"]) <= given.roles_held


def detractor(rule: Rule, given: AnswerInput) -> Finding | None:
    """R6: the newest answer is a detractor's, lately, and nobody has spoken with the account since."""
    if given.score > rule.threshold("detractor_up_to") or given.as_of - given.responded_on > rule.days("window_days"):
        return None
    if _is_spoken_since(given, given.responded_on):
        return None
    who = given.respondent or "Somebody there"
    text = " ".join((given.comment or "").split())
    quoted = f": “{text[:140].rstrip()}…”" if len(text) > 140 else f": “{text}”" if text else ""
    return Finding(
        priority="critical" if given.score <= rule.threshold("critical_up_to") else "high",
        sentence=f"{who} gave {given.score} of 10 on {on(given.responded_on)}{quoted}"
        f"{'' if quoted else '.'} Nobody has spoken with them since.",
        evidence=_nothing_drawn(rule, given.as_of, score=given.score, responded_on=given.responded_on.isoformat()),
    )


def loop_closed(rule: Rule, given: AnswerInput, figures: Mapping[str, Any]) -> bool:
    """R6 clears: somebody spoke with the account after the answer, or a newer answer is no detractor's."""
    return given.score > rule.threshold("detractor_up_to") or _is_spoken_since(
        given, date.fromisoformat(figures["responded_on"])
    )


def _is_spoken_since(given: AnswerInput, day: date) -> bool:
    return given.last_contact_on is not None and given.last_contact_on > day


def silent_account(rule: Rule, given: PeopleInput) -> Finding | None:
    """R11: no two-way contact for a quarter, or none at all since the account began."""
    since = given.last_contact_on or given.customer_since
    if since is None or given.as_of - since < rule.days("silent_days"):
        return None
    silent = (given.as_of - since).days
    sentence = (
        f"No two-way contact for {counted(silent, 'day')}, since {on(since)}."
        if given.last_contact_on
        else f"No two-way contact is known since they became a customer on {on(since)}, {counted(silent, 'day')} ago."
    )
    return Finding(
        priority="high" if timedelta(days=silent) >= rule.days("high_silent_days") else "medium",
        sentence=sentence,
        evidence=_nothing_drawn(rule, given.as_of, silent_days=silent, since=since.isoformat()),
    )


def contact_logged(rule: Rule, given: PeopleInput, figures: Mapping[str, Any]) -> bool:
    """R11 clears: somebody was spoken to since."""
    return given.last_contact_on is not None and given.last_contact_on > date.fromisoformat(figures["since"])
