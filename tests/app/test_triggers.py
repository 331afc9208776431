"""What rules R3 to R14 see, with plain values and the thresholds that ship."""

from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pytest

from app.suggestions.rules import Finding, rule_from_params
from app.suggestions.triggers.milestones import (
    OnboardingInput,
    RenewalInput,
    milestones_met,
    onboarding_stalled,
    renewal_assessed,
    renewal_checkpoint,
)
from app.suggestions.triggers.relationship import (
    AnswerInput,
    Departure,
    PeopleInput,
    champion_left,
    contact_logged,
    detractor,
    loop_closed,
    role_filled,
    silent_account,
)
from app.suggestions.triggers.risk import (
    OpinionInput,
    RiskInput,
    opinions_differ,
    rated_again,
    risk_fallen,
    risk_high,
)
from app.suggestions.triggers.seats import SeatsDay, SeatsInput, growth, low_seat_use, room_again, seats_used_again
from app.suggestions.triggers.support import SupportInput, Ticket, support_calm, support_pressure
from app.suggestions.triggers.usage import UsageDay, UsageInput, activity_seen, no_activity

AS_OF = date(2026, 11, 19)
SHIPPED = import_module("app.migrations.versions.0009_rules_and_hold_out").NEW_RULES
RULES = {rule_id: rule_from_params(rule_id, 1, params) for rule_id, params in SHIPPED.items()}


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def priority(found: Finding | None) -> str | None:
    return found.priority if found else None


# --- R3 --------------------------------------------------------------------------------------------------------------


def usage(quiet: int | None, plan: str = "Professional") -> UsageInput:
    busy = UsageDay(day=ago(quiet or 0), count_7d=34, previous_7d=30, count_30d=100, previous_30d=100)
    return UsageInput(account_key="a", as_of=AS_OF, plan=plan, days=(busy,), days_since_activity=quiet)


@pytest.mark.parametrize(
    ("quiet", "plan", "expected"),
    [
        (6, "Professional", None),
        (7, "Professional", "medium"),
        (21, "Professional", "high"),
        (13, "Essentials", None),
        (14, "Essentials", "medium"),
        (None, "Professional", None),
    ],
)
def test_silence_is_judged_by_the_plan(quiet: int | None, plan: str, expected: str | None) -> None:
    assert priority(no_activity(RULES["R3"], usage(quiet, plan))) == expected


def test_no_activity_clears_with_the_next_activity_and_not_with_time() -> None:
    found = no_activity(RULES["R3"], usage(9))

    assert found
    assert found.sentence == (
        "No key activity for 9 days, since 10 Nov 2026, after 34 events in the 7 days up to then."
    )
    figures = found.evidence["figures"]
    assert not activity_seen(RULES["R3"], usage(9), figures)
    assert activity_seen(RULES["R3"], usage(2), figures)


# --- R4, R6, R11 -----------------------------------------------------------------------------------------------------

ADA = Departure(name="Ada Quill", role="champion", left_on=ago(5))


def people(**values: Any) -> PeopleInput:
    defaults: dict[str, Any] = {
        "account_key": "a",
        "as_of": AS_OF,
        "customer_since": ago(400),
        "days_to_renewal": 200,
        "departures": (ADA,),
        "roles_held": frozenset({"end_user"}),
        "last_contact_on": ago(10),
    }
    return PeopleInput(**(defaults | values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "high"),
        ({"days_to_renewal": 90}, "critical"),
        ({"roles_held": frozenset({"champion"})}, None),
        ({"departures": (Departure(name="Ada", role="champion", left_on=ago(14)),)}, None),
        ({"departures": (Departure(name="Bo", role="end_user", left_on=ago(1)),)}, None),
        ({"departures": (Departure(name="Cy", role="decision_maker", left_on=ago(13)),)}, "high"),
    ],
)
def test_a_champion_or_decision_maker_who_left_lately_and_was_not_followed(
    values: dict[str, Any], expected: str | None
) -> None:
    assert priority(champion_left(RULES["R4"], people(**values))) == expected


def test_a_departure_clears_when_somebody_holds_the_role_again() -> None:
    found = champion_left(RULES["R4"], people())

    assert found
    assert found.sentence == "Ada Quill (champion) left on 14 Nov 2026, and no other champion is known."
    assert not role_filled(RULES["R4"], people(), found.evidence["figures"])
    assert role_filled(RULES["R4"], people(roles_held=frozenset({"champion"})), found.evidence["figures"])


def answer(**values: Any) -> AnswerInput:
    defaults: dict[str, Any] = {
        "account_key": "a",
        "as_of": AS_OF,
        "score": 6,
        "respondent": "Ada Quill",
        "comment": None,
        "responded_on": ago(4),
        "last_contact_on": ago(4),
    }
    return AnswerInput(**(defaults | values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "high"),
        ({"score": 3}, "critical"),
        ({"score": 7}, None),
        ({"responded_on": ago(30), "last_contact_on": None}, "high"),
        ({"responded_on": ago(31), "last_contact_on": None}, None),
        ({"last_contact_on": ago(3)}, None),
    ],
)
def test_a_detractor_nobody_has_spoken_with_since(values: dict[str, Any], expected: str | None) -> None:
    assert priority(detractor(RULES["R6"], answer(**values))) == expected


def test_a_loop_is_closed_by_a_contact_after_the_answer_or_by_a_better_answer() -> None:
    found = detractor(RULES["R6"], answer(comment="too\n slow"))

    assert found
    assert found.sentence == "Ada Quill gave 6 of 10 on 15 Nov 2026: “too slow” Nobody has spoken with them since."
    figures = found.evidence["figures"]
    assert not loop_closed(RULES["R6"], answer(), figures)
    assert loop_closed(RULES["R6"], answer(last_contact_on=ago(1)), figures)
    assert loop_closed(RULES["R6"], answer(score=9, responded_on=ago(1)), figures)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"last_contact_on": ago(89)}, None),
        ({"last_contact_on": ago(90)}, "medium"),
        ({"last_contact_on": ago(180)}, "high"),
        ({"last_contact_on": None, "customer_since": ago(100)}, "medium"),
        ({"last_contact_on": None, "customer_since": ago(20)}, None),
        ({"last_contact_on": None, "customer_since": None}, None),
    ],
)
def test_a_quarter_without_a_word_is_silence(values: dict[str, Any], expected: str | None) -> None:
    assert priority(silent_account(RULES["R11"], people(**values))) == expected


def test_silence_clears_with_a_contact() -> None:
    found = silent_account(RULES["R11"], people(last_contact_on=ago(95)))

    assert found
    assert not contact_logged(RULES["R11"], people(last_contact_on=ago(95)), found.evidence["figures"])
    assert contact_logged(RULES["R11"], people(last_contact_on=ago(1)), found.evidence["figures"])


# --- R5 --------------------------------------------------------------------------------------------------------------


def support(*tickets: tuple[bool, int, int | None]) -> SupportInput:
    """Tickets of (is urgent, created days ago, solved days ago)."""
    made = (
        Ticket(is_urgent=urgent, created_on=ago(created), solved_on=None if solved is None else ago(solved))
        for urgent, created, solved in tickets
    )
    return SupportInput(account_key="a", as_of=AS_OF, tickets=tuple(made))


URGENT = (True, 6, None)


@pytest.mark.parametrize(
    ("tickets", "expected"),
    [
        ([URGENT] * 2, None),
        ([URGENT] * 3, "high"),
        ([URGENT] * 5, "critical"),
        ([*[URGENT] * 2, (True, 0, None)], None),  # three only today: it has not held
        ([*[URGENT] * 2, (True, 9, 0)], None),  # the third was solved today
        ([(False, 12, 3)] * 10, None),
        ([(False, 12, 3)] * 11, "high"),
        ([(False, 30, 3)] * 11, None),  # older than the window
    ],
)
def test_pressure_is_urgent_ones_or_many(tickets: list[tuple[bool, int, int | None]], expected: str | None) -> None:
    assert priority(support_pressure(RULES["R5"], support(*tickets))) == expected


def test_pressure_clears_when_nothing_urgent_is_open_and_the_desk_is_calm() -> None:
    found = support_pressure(RULES["R5"], support(*[URGENT] * 3))

    assert found
    assert found.sentence == "3 tickets in 30 days; 3 urgent ones unresolved, the oldest for 6 days."
    assert not support_calm(RULES["R5"], support(URGENT), {})
    assert not support_calm(RULES["R5"], support(*[(False, 3, 1)] * 11), {})
    assert support_calm(RULES["R5"], support(*[(True, 6, 0)] * 3), {})


# --- R8, R12 ---------------------------------------------------------------------------------------------------------


def seats(*days: tuple[float | None, int, int], age: int = 400) -> SeatsInput:
    """Days of (ratio, count of 30 days, of the 30 before), oldest first."""
    return SeatsInput(
        account_key="a",
        as_of=AS_OF,
        customer_since=ago(age),
        seats_paid=40,
        days=tuple(
            SeatsDay(day=ago(len(days) - 1 - place), seat_use_ratio=ratio, count_30d=now, previous_30d=before)
            for place, (ratio, now, before) in enumerate(days)
        ),
    )


LOW, FULL = (0.3, 50, 50), (0.95, 60, 50)


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        (seats(*[LOW] * 15), True),
        (seats(*[LOW] * 14), False),
        (seats(*[LOW] * 10, (0.5, 50, 50), *[LOW] * 4), False),
        (seats(*[LOW] * 10, (None, 50, 50), *[LOW] * 4), False),
        (seats(*[LOW] * 15, age=182), False),
        (seats(*[LOW] * 15, age=183), True),
    ],
)
def test_low_seat_use_is_for_grown_accounts_and_must_hold_a_fortnight(given: SeatsInput, fires: bool) -> None:
    assert (low_seat_use(RULES["R8"], given) is not None) is fires


def test_seats_are_used_again_from_six_tenths() -> None:
    found = low_seat_use(RULES["R8"], seats(*[LOW] * 15))

    assert found
    assert found.sentence == (
        "Only 30% of 40 paid seats were used in 28 days; it has been under 50% for 14 days at least."
    )
    assert not seats_used_again(RULES["R8"], seats((0.59, 1, 1)), {})
    assert seats_used_again(RULES["R8"], seats((0.6, 1, 1)), {})


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        (seats(*[FULL] * 8), True),
        (seats(*[FULL] * 7), False),
        (seats(*[FULL] * 7, (0.9, 60, 50)), False),
        (seats(*[FULL] * 7, (0.95, 54, 50)), False),
        (seats(*[(0.95, 20, 10)] * 8), False),  # too little before to speak of growth
    ],
)
def test_growth_is_full_seats_and_a_tenth_more_for_a_week(given: SeatsInput, fires: bool) -> None:
    assert (growth(RULES["R12"], given) is not None) is fires


def test_growth_clears_when_there_is_room() -> None:
    found = growth(RULES["R12"], seats(*[FULL] * 8))

    assert found
    assert found.sentence == "95% of 40 paid seats are used and key activity is up 20% in 30 days: 60 against 50."
    assert not room_again(RULES["R12"], seats((0.86, 1, 1)), {})
    assert room_again(RULES["R12"], seats((0.84, 1, 1)), {})


# --- R9, R10 ---------------------------------------------------------------------------------------------------------


def onboarding(day: int, *met: str) -> OnboardingInput:
    return OnboardingInput(
        account_key="a",
        as_of=AS_OF,
        customer_since=ago(day),
        met=dict.fromkeys(met, ago(1)),
        activity=((ago(2), 4), (ago(1), 5), (AS_OF, 6)),
    )


@pytest.mark.parametrize(
    ("given", "late"),
    [
        (onboarding(7), []),
        (onboarding(8), ["first_activity"]),
        (onboarding(22, "first_activity"), ["first_campaign"]),
        (onboarding(46, "first_activity"), ["first_campaign", "first_automation"]),
        (onboarding(46, "first_activity", "first_campaign", "first_automation"), []),
        (onboarding(121), []),
    ],
)
def test_a_milestone_is_late_against_its_plan(given: OnboardingInput, late: list[str]) -> None:
    found = onboarding_stalled(RULES["R9"], given)

    assert (found.evidence["figures"]["late"] if found else []) == late
    if found:
        assert not milestones_met(RULES["R9"], given, found.evidence["figures"])
        done = onboarding(60, *late)
        assert milestones_met(RULES["R9"], done, found.evidence["figures"])


def renewal(left: int, assessed: int | None = None) -> RenewalInput:
    return RenewalInput(
        account_key="a",
        as_of=AS_OF,
        renewal_date=AS_OF + timedelta(days=left),
        assessed_on=None if assessed is None else ago(assessed),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (renewal(181), None),
        (renewal(180), "low"),
        (renewal(91), "low"),
        (renewal(90), "medium"),
        (renewal(1), "medium"),
        (renewal(0), None),
        (renewal(150, assessed=10), None),
        (renewal(150, assessed=40), "low"),  # that was before the checkpoint
        (renewal(80, assessed=30), "medium"),  # the first was assessed, the second was not
        (renewal(80, assessed=10), None),
    ],
)
def test_each_checkpoint_is_assessed_once(given: RenewalInput, expected: str | None) -> None:
    assert priority(renewal_checkpoint(RULES["R10"], given)) == expected


def test_a_checkpoint_clears_when_it_was_assessed_or_the_renewal_has_moved() -> None:
    found = renewal_checkpoint(RULES["R10"], renewal(80))

    assert found
    figures = found.evidence["figures"]
    assert not renewal_assessed(RULES["R10"], renewal(79), figures)
    assert renewal_assessed(RULES["R10"], renewal(79, assessed=0), figures)
    assert renewal_assessed(RULES["R10"], renewal(400), figures)


# --- R13 -------------------------------------------------------------------------------------------------------------


def risk(*days: tuple[float, str], kind: str = "learned") -> RiskInput:
    return RiskInput(
        account_key="a",
        as_of=AS_OF,
        days={ago(len(days) - 1 - place): day for place, day in enumerate(days)},
        drivers=("Renewal in 20 days", "Health score 33"),
        kind=kind,
    )


HIGH, CRITICAL, MEDIUM = (0.3, "High"), (0.6, "Critical"), (0.2, "Medium")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (risk(HIGH, HIGH, HIGH), "high"),
        (risk(HIGH, HIGH, CRITICAL), "critical"),
        (risk(MEDIUM, HIGH, HIGH), None),
        (risk(HIGH, HIGH), None),
    ],
)
def test_high_risk_must_have_held_for_two_days(given: RiskInput, expected: str | None) -> None:
    assert priority(risk_high(RULES["R13"], given)) == expected


def test_risk_says_what_raises_it_and_clears_at_medium() -> None:
    found = risk_high(RULES["R13"], risk(HIGH, HIGH, HIGH, kind="rules"))

    assert found
    assert found.sentence == (
        "Churn risk is 30% within 90 days (High, by rules): renewal in 20 days and health score 33."
    )
    assert not risk_fallen(RULES["R13"], risk(HIGH), {})
    assert risk_fallen(RULES["R13"], risk(MEDIUM), {})


# --- R14 -------------------------------------------------------------------------------------------------------------


def opinion(rating: int, *bands: str, rated: int = 5) -> OpinionInput:
    return OpinionInput(
        account_key="a",
        as_of=AS_OF,
        bands={ago(len(bands) - 1 - place): band for place, band in enumerate(bands)},
        probability=0.3,
        rating=rating,
        meaning="Content: they would stay today",
        rated_on=ago(rated),
        rated_by="Maya Lind",
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (opinion(4, *["High"] * 4), "medium"),
        (opinion(5, *["High"] * 3, "Critical"), "medium"),
        (opinion(2, *["Low"] * 4), "high"),
        (opinion(3, *["High"] * 4), None),
        (opinion(4, *["Low"] * 4), None),
        (opinion(4, "Medium", *["High"] * 3), None),  # it has not held
        (opinion(4, *["High"] * 4, rated=91), None),  # said too long ago
    ],
)
def test_a_person_and_the_risk_say_opposite_things(given: OpinionInput, expected: str | None) -> None:
    assert priority(opinions_differ(RULES["R14"], given)) == expected


def test_opinions_clear_with_a_new_rating_or_when_they_meet() -> None:
    found = opinions_differ(RULES["R14"], opinion(4, *["High"] * 4))

    assert found
    assert found.sentence == (
        "Maya Lind rated them 4 of 5 on 14 Nov 2026 (content: they would stay today), and the churn risk says 30%"
        " within 90 days (High)."
    )
    figures = found.evidence["figures"]
    assert not rated_again(RULES["R14"], opinion(4, "High"), figures)
    assert rated_again(RULES["R14"], opinion(4, "High", rated=1), figures)
    assert rated_again(RULES["R14"], opinion(2, "High"), figures)
    assert rated_again(RULES["R14"], opinion(4, "Medium"), figures)
