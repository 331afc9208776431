"""The life of suggestions after a published build, against a real PostgreSQL."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.actions import contacts
from app.actions import repository as action_rows
from app.actions import service as actions
from app.actions.context import canonical_hash
from app.actions.history import fold
from app.actions.model import ContactDraft
from app.auth import Identity, Role
from app.errors import (
    AppError,
    IdempotencyConflict,
    IllegalTransition,
    InvalidInput,
    MartUnavailable,
    NotFound,
    NotPermitted,
    StaleVersion,
)
from app.ratings import rate
from app.suggestions import service
from app.suggestions.model import ANSWERABLE, AcceptedAction, EvaluationReport, Suggestion
from tests.app.factories import AS_OF, NOW, Estate, a_draft, a_key, an_outcome, key_of

DROP = [*[80.0] * 10, *[60.0] * 3]


def evaluate(estate: Estate, *, now: datetime = NOW, build_id: int | None = None) -> EvaluationReport:
    build = build_id or estate.one("select max(build_id) from marts.publications")
    with estate.work() as db:
        return service.evaluate(db, now=now, build_id=build)


def raised(estate: Estate, who: Identity | None = None) -> list[Suggestion]:
    with estate.work() as db:
        return service.list_open(db, identity=who or estate.user("Harriet Cole", Role.ADMIN))


def evaluated(estate: Estate) -> list[Suggestion]:
    evaluate(estate)
    return raised(estate)


def get(estate: Estate, suggestion: Suggestion) -> Suggestion:
    with estate.work() as db:
        return service.get_suggestion(db, suggestion.suggestion_id)


def story(estate: Estate, suggestion: Suggestion) -> list[str]:
    with estate.work() as db:
        return [event.kind for event in service.story(db, suggestion.suggestion_id)]


def accept(estate: Estate, who: Identity, suggestion: Suggestion, **more: Any) -> AcceptedAction:
    with estate.work() as db:
        return service.accept(
            db,
            actor=who,
            now=more.pop("now", NOW),
            suggestion_id=suggestion.suggestion_id,
            expected_version=more.pop("expected_version", suggestion.version),
            idempotency_key=more.pop("key", a_key()),
            **more,
        )


def dismiss(
    estate: Estate, who: Identity, suggestion: Suggestion, reason: str = "bad_timing", **more: Any
) -> Suggestion:
    with estate.work() as db:
        return service.dismiss(
            db,
            actor=who,
            now=more.pop("now", NOW),
            suggestion_id=suggestion.suggestion_id,
            expected_version=suggestion.version,
            reason=reason,
            idempotency_key=more.pop("key", a_key()),
        )


def snooze(estate: Estate, who: Identity, suggestion: Suggestion, until: date, now: datetime = NOW) -> Suggestion:
    with estate.work() as db:
        return service.snooze(
            db,
            actor=who,
            now=now,
            suggestion_id=suggestion.suggestion_id,
            expected_version=suggestion.version,
            until=until,
            idempotency_key=a_key(),
        )


def undo(estate: Estate, who: Identity, suggestion: Suggestion, *, seconds: float = 20, **more: Any) -> Suggestion:
    """Undo what was answered at NOW, some seconds later."""
    with estate.work() as db:
        return service.undo_answer(
            db,
            actor=who,
            now=more.pop("now", NOW) + timedelta(seconds=seconds),
            suggestion_id=suggestion.suggestion_id,
            expected_version=suggestion.version,
            idempotency_key=more.pop("key", a_key()),
        )


def next_day(estate: Estate, scores: Sequence[float | None], days: int = 1, name: str = "Ashford Media") -> datetime:
    """Publish the marts of a later day, with these scores for the account; returns the business time."""
    last = AS_OF + timedelta(days=days)
    estate.clear("fct_account_health_daily")
    estate.health(key_of(name), scores, last=last)
    estate.transformer.execute("update marts.dim_accounts set as_of_date = %s", [last])
    estate.publish(last)
    return NOW + timedelta(days=days)


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM whose account's health has dropped by 20 points."""
    key = estate.account()
    estate.health(key, DROP)
    estate.usage(key, [(50, 50)] * 4)
    estate.risk(key, (0.2, "Medium"))
    estate.publish()
    return estate.user()


def test_a_drop_becomes_a_suggestion_with_its_decision_and_its_context(estate: Estate, maya: Identity) -> None:
    report = evaluate(estate)

    assert (report.generated, report.over_budget, report.blocked) == (1, 0, ())
    (suggestion,) = raised(estate, maya)
    assert (suggestion.rule_id, suggestion.priority, suggestion.status) == ("R1", "high", "generated")
    assert suggestion.sentence == "Health fell from 80 to 60 in 7 days, mostly seat use (-20)."
    assert suggestion.csm_email == maya.owner_email
    decision = estate.admin.execute(
        "select policy_id, policy_version, rule_id, eligible, chosen_intervention, propensity_chosen, arm, rank,"
        " csm_open_load, stale_inputs, newest_input_at <= decided_at from app.decisions"
    ).fetchone()
    assert decision
    policy_id, version, rule_id, eligible, chosen, propensity, *rest = decision
    assert (policy_id, version, rule_id, chosen) == ("rules", 2, "R1", suggestion.intervention)
    part = 0.1 / 3
    expected = {"diagnostic_call": 0.9 + part, "configuration_audit": part, "business_review": part, "none": 0.0}
    assert eligible == pytest.approx(expected)
    assert propensity == eligible[chosen]
    assert rest == ["shown", 1, 0, [], True]
    assert suggestion.decision_id == estate.one("select decision_id from app.decisions")
    assert canonical_hash(estate.one("select features from app.context_snapshots")) == estate.one(
        "select snapshot_hash from app.decisions"
    )


def test_evaluating_again_raises_nothing_twice(estate: Estate, maya: Identity) -> None:
    evaluate(estate)

    assert evaluate(estate).generated == 0
    assert evaluate(estate, now=NOW + timedelta(hours=3)).generated == 0
    assert len(raised(estate)) == 1
    assert estate.one("select count(*) from app.decisions") == 1


def test_two_evaluations_at_once_take_turns(estate: Estate, maya: Identity) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        reports = list(pool.map(lambda _: evaluate(estate), range(4)))

    assert sorted(report.generated for report in reports) == [0, 0, 0, 1]


def test_the_three_rules_each_see_their_own(estate: Estate) -> None:
    usage = estate.account("Usage Ltd")
    estate.usage(usage, [(41, 62)] * 8)
    bill = estate.account("Bill Ltd")
    estate.invoice(bill)
    estate.put(
        "fct_account_events",
        event_key="e1",
        account_key=bill,
        occurred_at=NOW - timedelta(days=9),
        event_kind="payment_failed",
        title="Payment failed",
        importance=2,
    )
    estate.health(estate.account("Health Ltd"), DROP)
    estate.health(estate.account("Gone Ltd", is_active=False), DROP)
    estate.health(estate.account("Fine Ltd"), [80.0] * 13)
    estate.publish()

    report = evaluate(estate)

    assert report.generated == 3
    found = {suggestion.account_name: suggestion for suggestion in raised(estate)}
    assert {name: one.rule_id for name, one in found.items()} == {
        "Usage Ltd": "R2",
        "Bill Ltd": "R7",
        "Health Ltd": "R1",
    }
    assert found["Bill Ltd"].sentence == "Invoice INV-in_1 over £1,240.00 is 40 days overdue."
    assert found["Bill Ltd"].intervention == "billing_fix"
    assert found["Usage Ltd"].evidence["series"][-1] == ["2026-11-19", 41]
    for suggestion in found.values():
        assert set(suggestion.evidence) == {"series", "series_name", "unit", "baseline", "figures", "as_of", "inputs"}


def _account_of(estate: Estate, rule_id: str) -> str:
    """An account, with a CSM of its own, on which one rule only has something to say."""
    return estate.account(
        rule_id,
        csm_email=f"{rule_id.lower()}@force24.example",
        plan="Professional",
        customer_since_date=AS_OF - timedelta(days=400),
        last_contact_date=AS_OF - timedelta(days=10),
        seats_paid=40,
        renewal_date=AS_OF + timedelta(days=300),
    )


def _rate(estate: Estate, account_key: str, score: int) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    with estate.work() as db:
        rate(db, actor=admin, now=NOW, account_key=account_key, score=score, note=None, idempotency_key=a_key())


def test_every_rule_sees_its_own_and_ends_when_it_clears(estate: Estate) -> None:
    days = [AS_OF - timedelta(days=back) for back in range(15)]
    keys = {
        rule_id: _account_of(estate, rule_id)
        for rule_id in ("R3", "R4", "R5", "R6", "R8", "R9", "R10", "R11", "R12", "R13", "R14")
    }
    estate.usage(keys["R3"], [(40, 40)] * 5, last=AS_OF)
    estate.set("fct_usage_daily", keys["R3"], days_since_key_activity=9)
    gone = {"contact_name": "Ada Quill", "stakeholder_role": "champion", "left_date": AS_OF - timedelta(days=3)}
    estate.put("dim_contacts", contact_key="c1", account_key=keys["R4"], has_left=True, has_bounced=True, **gone)
    for number in range(3):
        estate.put(
            "fct_tickets",
            ticket_id=f"t{number}",
            account_key=keys["R5"],
            priority="urgent",
            created_at=NOW - timedelta(days=6),
            is_open=True,
            is_urgent_open=True,
        )
    estate.put(
        "fct_nps_responses",
        response_key="n1",
        account_key=keys["R6"],
        score=4,
        respondent_email="ada@r6.example",
        responded_at=NOW - timedelta(days=4),
    )
    for day in days:
        estate.put("fct_account_health_daily", account_key=keys["R8"], health_date=day, score=70.0, seat_use_value=0.3)
        estate.put(
            "fct_account_health_daily", account_key=keys["R12"], health_date=day, score=70.0, seat_use_value=0.95
        )
    estate.usage(keys["R12"], [(40, 40)] * 15)
    estate.set("fct_usage_daily", keys["R12"], key_activity_30d=60, key_activity_prev_30d=50, days_since_key_activity=0)
    estate.set("dim_accounts", keys["R9"], customer_since_date=AS_OF - timedelta(days=30))
    estate.usage(keys["R9"], [(40, 40)] * 5)
    estate.set("fct_usage_daily", keys["R9"], campaign_sent_count=0, days_since_key_activity=0)
    estate.set("dim_accounts", keys["R10"], renewal_date=AS_OF + timedelta(days=80))
    estate.set("dim_accounts", keys["R11"], last_contact_date=AS_OF - timedelta(days=95))
    for rule_id in ("R13", "R11", "R14"):  # the others have another suggestion: R13 leaves them to that
        estate.risk(keys[rule_id], *[(0.4, "High")] * 4)
    estate.publish()
    _rate(estate, keys["R14"], 4)

    report = evaluate(estate)

    assert report.blocked == ()
    found = raised(estate)
    assert {one.account_name: one.rule_id for one in found} == {rule_id: rule_id for rule_id in keys}
    assert evaluate(estate).generated == 0

    estate.set("fct_usage_daily", keys["R3"], days_since_key_activity=0)
    estate.set("dim_contacts", keys["R4"], has_left=False, has_bounced=False, left_date=None)
    estate.set("fct_tickets", keys["R5"], is_open=False, solved_at=NOW - timedelta(days=1))
    estate.set("dim_accounts", keys["R6"], last_contact_date=AS_OF)
    estate.set("fct_account_health_daily", keys["R8"], seat_use_value=0.7)
    estate.set("fct_account_health_daily", keys["R12"], seat_use_value=0.7)
    estate.set("fct_usage_daily", keys["R9"], campaign_sent_count=1)
    estate.set("dim_accounts", keys["R10"], renewal_date=AS_OF + timedelta(days=445))
    estate.set("dim_accounts", keys["R11"], last_contact_date=AS_OF)
    estate.clear("fct_churn_risk_daily")
    for rule_id in ("R13", "R11", "R14"):
        estate.risk(keys[rule_id], *[(0.1, "Medium")] * 3)
    estate.publish()

    assert evaluate(estate).auto_resolved == len(keys)
    assert raised(estate) == []


def test_a_contact_that_a_csm_logged_closes_the_loop_too(estate: Estate) -> None:
    maya = estate.user()
    key = estate.account(last_contact_date=AS_OF - timedelta(days=95))
    estate.publish()
    (silent,) = evaluated(estate)
    assert (silent.account_key, silent.rule_id) == (key, "R11")
    action = estate.action(actor=maya, reason="regular_check_in")
    with estate.work() as db:
        contacts.log_contact(
            db,
            actor=maya,
            now=NOW,
            action_id=action.action_id,
            contact=ContactDraft(channel="call", contacted_on=AS_OF, minutes=20, was_reached=True),
            idempotency_key=a_key(),
        )

    assert evaluate(estate).auto_resolved == 1


def test_a_renewal_is_assessed_by_closing_its_action(estate: Estate) -> None:
    maya = estate.user()
    estate.account(renewal_date=AS_OF + timedelta(days=170))
    estate.publish()
    (checkpoint,) = evaluated(estate)

    estate.close(maya, accept(estate, maya, checkpoint))

    later = NOW + timedelta(days=20)
    estate.transformer.execute("update marts.dim_accounts set as_of_date = %s", [AS_OF + timedelta(days=20)])
    assert evaluate(estate, now=later).generated == 0, "the first checkpoint is done"
    estate.transformer.execute("update marts.dim_accounts set as_of_date = %s", [AS_OF + timedelta(days=81)])
    assert evaluate(estate, now=NOW + timedelta(days=81)).generated == 1, "the second is not"


def test_a_source_that_was_not_loaded_blocks_the_rules_that_rest_on_it(estate: Estate) -> None:
    estate.account(last_contact_date=AS_OF - timedelta(days=95))
    estate.loads()
    estate.load("hubspot", "contacts", "succeeded", NOW - timedelta(days=9))
    estate.load("hubspot", "companies", "succeeded", NOW)
    estate.publish()

    report = evaluate(estate)

    (blocked,) = [one for one in report.blocked if one.rule_id == "R11"]
    assert (report.generated, blocked.input, blocked.account_count) == (0, "hubspot", 1)
    assert blocked.message == "R11 did not run: hubspot ends on 10 Nov 2026, at most 2 days are allowed."


def test_what_is_held_out_is_decided_and_shown_to_nobody(estate: Estate, maya: Identity) -> None:
    long_ago, lately = AS_OF - timedelta(days=400), AS_OF - timedelta(days=10)
    estate.set("dim_accounts", key_of("Ashford Media"), customer_since_date=long_ago, last_contact_date=lately)
    estate.admin.execute(
        "update app.policies set params = jsonb_set(params, '{hold_out,share}', '0.999999') where is_active"
    )

    report = evaluate(estate)

    assert (report.generated, report.held_out) == (0, 1)
    assert raised(estate) == []
    with estate.work() as db:
        assert service.list_for_account(db, account_key=key_of("Ashford Media")) == []
    decided = estate.admin.execute(
        "select arm, chosen_intervention, propensity_chosen, eligible, exclusion, stratum from app.decisions"
    ).fetchone()
    assert decided
    arm, chosen, propensity, eligible, exclusion, stratum = decided
    assert (arm, chosen, exclusion) == ("held_out", "none", None)
    assert propensity == eligible["none"]
    assert sum(eligible.values()) == pytest.approx(1.0, abs=1e-9)
    assert stratum.startswith("maya.lind@force24.example|")
    assert evaluate(estate).held_out == 0, "it is not decided again while it stands"

    # nobody is kept from acting, and it ends like any other
    assert estate.action(actor=maya, reason="health_drop")
    assert evaluate(estate, now=next_day(estate, [*DROP, 80.0])).auto_resolved == 1
    with estate.work() as db:
        assert service.list_for_account(db, account_key=key_of("Ashford Media")) == []


def test_an_open_action_for_the_same_reason_stands_in_for_the_suggestion(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, reason="health_drop")

    assert evaluate(estate).generated == 0


def test_a_csm_gets_at_most_five_a_day_and_the_most_at_risk_first(estate: Estate) -> None:
    for number in range(8):
        key = estate.account(f"Account {number}", mrr_at_risk_eur=100 * (number + 1))
        estate.health(key, DROP)
    estate.health(estate.account("Toms", csm_email="tom.okafor@force24.example"), DROP)
    estate.publish()

    first = evaluate(estate)
    second = evaluate(estate, now=NOW + timedelta(hours=2))

    assert (first.generated, first.over_budget) == (6, 3)
    assert (second.generated, second.over_budget) == (0, 3)
    assert [one.account_name for one in raised(estate, estate.user())] == [f"Account {n}" for n in (7, 6, 5, 4, 3)]
    later = evaluate(estate, now=NOW + timedelta(days=1))
    assert (later.generated, later.over_budget) == (3, 0)


# --- answers ---------------------------------------------------------------------------------------------------------


def test_accepting_opens_the_suggested_action_on_the_same_decision(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    action = accept(estate, maya, suggestion)

    assert (action.source, action.suggestion_id, action.decision_id) == (
        "suggestion",
        suggestion.suggestion_id,
        suggestion.decision_id,
    )
    assert (action.owner_user_id, action.due_date, action.reason) == (maya.user_id, date(2026, 11, 24), "health_drop")
    assert action.already_accepted_by is None
    answered = get(estate, suggestion)
    assert (answered.status, answered.action_id, answered.answered_by_name) == (
        "accepted",
        action.action_id,
        "Maya Lind",
    )
    assert raised(estate) == []
    assert story(estate, suggestion) == ["generated", "accepted"]
    assert estate.one("select count(*) from app.decisions") == 1
    assert evaluate(estate).generated == 0


def test_accepting_with_edits_says_so_and_keeps_the_reason(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    edits = replace(
        service.draft_of(suggestion, now=NOW), intervention="training", title="Train the new team", reason=None
    )

    action = accept(estate, maya, suggestion, edits=edits)

    assert (action.intervention, action.title, action.reason) == ("training", "Train the new team", "health_drop")
    assert get(estate, suggestion).status == "accepted_with_edits"


def test_unchanged_edits_are_a_plain_acceptance(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    accept(estate, maya, suggestion, edits=service.draft_of(suggestion, now=NOW))

    assert get(estate, suggestion).status == "accepted"


def test_edits_are_checked_like_any_draft_and_leave_the_suggestion_open(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    for wrong in ({"account_key": "another"}, {"title": ""}, {"intervention": "hug"}, {"due_date": date(2020, 1, 1)}):
        with pytest.raises(InvalidInput):
            accept(estate, maya, suggestion, edits=a_draft(**wrong))

    assert get(estate, suggestion) == suggestion
    assert estate.one("select count(*) from app.actions") == 0


def test_the_second_to_accept_gets_the_same_action_and_is_told_who(estate: Estate, maya: Identity) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    evaluate(estate)
    (suggestion,) = raised(estate)

    first = accept(estate, maya, suggestion)
    second = accept(estate, admin, suggestion, now=NOW + timedelta(minutes=3))

    assert first.action_id == second.action_id
    assert (second.already_accepted_by, second.already_accepted_at) == ("Maya Lind", NOW)
    assert estate.one("select count(*) from app.actions") == 1


def test_twenty_people_accepting_at_once_make_one_action(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    with ThreadPoolExecutor(max_workers=20) as pool:
        answers = list(pool.map(lambda _: accept(estate, maya, suggestion), range(20)))

    assert len({answer.action_id for answer in answers}) == 1
    assert sum(answer.already_accepted_by is None for answer in answers) == 1


def test_a_double_click_is_one_acceptance_with_one_answer(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    key = a_key()

    first, second = (accept(estate, maya, suggestion, key=key) for _ in range(2))

    assert first == second
    with pytest.raises(IdempotencyConflict):
        accept(estate, maya, suggestion, key=key, edits=a_draft())


def test_an_admin_who_accepts_gives_it_to_the_owner_of_the_account(estate: Estate, maya: Identity) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    evaluate(estate)
    (suggestion,) = raised(estate)

    assert accept(estate, admin, suggestion).owner_user_id == maya.user_id


def test_without_a_user_for_the_owner_it_goes_to_who_accepts(estate: Estate) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    estate.health(estate.account(csm_email=None), DROP)
    estate.publish()
    evaluate(estate)

    (suggestion,) = raised(estate)

    assert accept(estate, admin, suggestion).owner_user_id == admin.user_id


def test_only_the_owner_of_the_account_or_an_admin_answers(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    for who in (estate.user("Tom Okafor"), estate.user("Alex Stone", Role.ANALYST)):
        for attempt in (accept, dismiss):
            with pytest.raises(NotPermitted):
                attempt(estate, who, suggestion)
        with pytest.raises(NotPermitted):
            snooze(estate, who, suggestion, date(2026, 12, 1))
    assert raised(estate, estate.user("Tom Okafor")) == []
    assert len(raised(estate, estate.user("Alex Stone"))) == 1
    assert get(estate, suggestion) == suggestion


def test_a_dismissed_suggestion_is_not_raised_again_for_the_same_account(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    dismissed = dismiss(estate, maya, suggestion, "known_and_accepted")

    assert (dismissed.status, dismissed.dismissal_reason, dismissed.version) == ("dismissed", "known_and_accepted", 2)
    for days in (1, 13):
        assert evaluate(estate, now=next_day(estate, DROP, days)).generated == 0
    assert evaluate(estate, now=next_day(estate, DROP, 14)).generated == 1


def test_what_was_done_about_cools_down_too(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    action = accept(estate, maya, suggestion)
    with estate.work() as db:
        actions.close_action(
            db,
            actor=maya,
            now=NOW + timedelta(days=2),
            action_id=action.action_id,
            expected_version=1,
            outcome=an_outcome(),
            idempotency_key=a_key(),
        )

    assert evaluate(estate, now=next_day(estate, DROP, 10)).generated == 0
    assert evaluate(estate, now=next_day(estate, DROP, 16)).generated == 1


def test_dismissing_needs_a_reason_of_the_list(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    for reason in ("", "because", "duplicates"):
        with pytest.raises(InvalidInput):
            dismiss(estate, maya, suggestion, reason)


def test_an_answered_suggestion_is_not_answered_again(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    dismissed = dismiss(estate, maya, suggestion)

    with pytest.raises(StaleVersion) as stale:
        dismiss(estate, maya, suggestion)
    assert stale.value.current == dismissed
    assert [change.kind for change in stale.value.changes] == ["dismissed"]
    for attempt in (accept, dismiss):
        with pytest.raises(IllegalTransition, match="A suggestion that is dismissed"):
            attempt(estate, maya, dismissed)


def test_a_snoozed_suggestion_comes_back_on_its_day(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    snoozed = snooze(estate, maya, suggestion, date(2026, 11, 23))

    assert raised(estate) == []
    assert evaluate(estate, now=NOW + timedelta(days=1)).woken == 0
    assert snoozed.status == "snoozed"
    report = evaluate(estate, now=next_day(estate, DROP, 3))
    assert (report.woken, report.generated, report.expired) == (1, 0, 0)
    (back,) = raised(estate)
    assert (back.status, back.snoozed_until) == ("shown", None)
    assert story(estate, suggestion) == ["generated", "snoozed", "woken", "refreshed"]


def test_a_snooze_ends_after_today_and_in_time(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    for until in (date(2026, 11, 20), date(2026, 11, 1), date(2028, 1, 1)):
        with pytest.raises(InvalidInput):
            snooze(estate, maya, suggestion, until)


def test_a_snoozed_one_may_be_accepted(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    accept(estate, maya, snooze(estate, maya, suggestion, date(2026, 12, 1)))

    assert get(estate, suggestion).status == "accepted"


# --- undo ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["dismiss", "snooze"])
def test_an_answer_is_undone_as_if_it_had_not_been_given_but_the_story_keeps_both(
    estate: Estate, maya: Identity, answer: str
) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    with estate.work() as db:
        service.mark_shown(db, [suggestion.suggestion_id], actor=maya, now=NOW)
    before = get(estate, suggestion)

    given = dismiss(estate, maya, before) if answer == "dismiss" else snooze(estate, maya, before, date(2026, 12, 1))
    back = undo(estate, maya, given)

    assert replace(back, version=before.version) == before
    assert back.version == given.version + 1
    assert story(estate, suggestion) == ["generated", "shown", given.status, "answer_undone"]
    assert raised(estate) == [back]


def test_a_suggestion_snoozed_until_a_day_off_comes_back_on_the_next_business_day(
    estate: Estate, maya: Identity
) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    assert snooze(estate, maya, suggestion, date(2026, 12, 26)).snoozed_until == date(2026, 12, 29)


def test_undoing_a_dismissal_of_a_snoozed_one_snoozes_it_again(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    withdrawn = undo(estate, maya, snooze(estate, maya, suggestion, date(2026, 12, 9)))
    snoozed = snooze(estate, maya, withdrawn, date(2026, 12, 1), now=NOW + timedelta(minutes=1))
    later = NOW + timedelta(hours=1)

    back = undo(estate, maya, dismiss(estate, maya, snoozed, now=later), now=later)

    assert replace(back, version=snoozed.version) == snoozed
    assert back.snoozed_until == date(2026, 12, 1)


def test_an_undone_dismissal_counts_for_nothing(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    undo(estate, maya, dismiss(estate, maya, suggestion))
    evaluate(estate, now=next_day(estate, [*DROP, 76.0]))
    report = evaluate(estate, now=next_day(estate, DROP, 2))

    assert report.generated == 1, "nothing cools down after a dismissal that was taken back"
    told = estate.admin.execute("select count(*) from app.suggestions where dismissal_reason is not null").fetchone()
    assert told == (0,)


@pytest.mark.parametrize(("seconds", "is_in_time"), [(0, True), (65, True), (65.1, False), (3600, False)])
def test_an_answer_can_be_undone_for_a_minute(
    estate: Estate, maya: Identity, seconds: float, *, is_in_time: bool
) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    dismissed = dismiss(estate, maya, suggestion)

    if is_in_time:
        assert undo(estate, maya, dismissed, seconds=seconds).status == "generated"
    else:
        with pytest.raises(InvalidInput, match="minute"):
            undo(estate, maya, dismissed, seconds=seconds)
        assert get(estate, suggestion) == dismissed


def test_only_who_answered_may_undo_it_and_only_an_answer(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    with pytest.raises(InvalidInput, match="no answer"):
        undo(estate, maya, suggestion)
    dismissed = dismiss(estate, maya, suggestion)

    for who in (estate.user("Harriet Cole", Role.ADMIN), estate.user("Tom Okafor")):
        with pytest.raises(NotPermitted):
            undo(estate, who, dismissed)
    with pytest.raises(StaleVersion):
        undo(estate, maya, suggestion)
    undo(estate, maya, dismissed)
    with pytest.raises(StaleVersion):
        undo(estate, maya, dismissed)


def test_an_undone_acceptance_cancels_its_action_and_may_be_given_again_for_the_same_action(
    estate: Estate, maya: Identity
) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    first = accept(estate, maya, suggestion)

    back = undo(estate, maya, get(estate, suggestion))

    assert replace(back, version=suggestion.version) == suggestion
    row = "select status, cancel_reason from app.actions"
    assert estate.admin.execute(row).fetchall() == [("cancelled", "no_longer_relevant")]
    again = accept(estate, maya, back)
    assert (again.action_id, again.status, again.cancel_reason, again.closed_at) == (first.action_id, "new", None, None)
    with estate.work() as db:
        events = action_rows.events(db, again.action_id)
        assert fold(events) == action_rows.as_json(action_rows.lock(db, again.action_id))
    assert [(event.after, event.reason) for event in events if event.field == "status"] == [
        ("cancelled", "Undone"),
        ("new", "Accepted again"),
    ]


def test_an_acceptance_is_not_undone_once_its_action_was_worked_on(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    action = accept(estate, maya, suggestion)
    estate.move(maya, action, "in_progress")

    with pytest.raises(InvalidInput, match="changed since"):
        undo(estate, maya, get(estate, suggestion))

    assert get(estate, suggestion).status == "accepted"


def test_an_undone_acceptance_counts_for_nothing(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    accept(estate, maya, suggestion)
    undo(estate, maya, get(estate, suggestion))
    evaluate(estate, now=next_day(estate, [*DROP, 76.0]))
    report = evaluate(estate, now=next_day(estate, DROP, 2))

    assert report.generated == 1, "nothing cools down after an action that was taken back"


def test_undoing_twice_with_one_key_is_undoing_once(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    dismissed, key = dismiss(estate, maya, suggestion), a_key()

    first, second = (undo(estate, maya, dismissed, key=key) for _ in range(2))

    assert first == second
    assert story(estate, suggestion) == ["generated", "dismissed", "answer_undone"]


def test_what_has_been_suggested_anew_is_not_undone(estate: Estate, maya: Identity) -> None:
    estate.admin.execute("""update app.rules set params = params || '{"cool_down_days": 0}' where rule_id = 'R1'""")
    evaluate(estate)
    (suggestion,) = raised(estate)
    dismissed = dismiss(estate, maya, suggestion)
    assert evaluate(estate, now=NOW + timedelta(seconds=10)).generated == 1

    with pytest.raises(InvalidInput, match="anew"):
        undo(estate, maya, dismissed)

    assert get(estate, suggestion) == dismissed
    assert len(raised(estate)) == 1


# --- newer builds ----------------------------------------------------------------------------------------------------

WORSE = [*[80.0] * 9, *[50.0] * 5]
REFRESHED = ("account_name", "priority", "sentence", "evidence", "score")


def test_an_open_suggestion_says_what_the_newest_build_says_and_keeps_its_decision(
    estate: Estate, maya: Identity
) -> None:
    evaluate(estate)
    (old,) = raised(estate)
    recorded = estate.admin.execute("select d::text, c::text from app.decisions d, app.context_snapshots c").fetchall()

    estate.set("dim_accounts", key_of("Ashford Media"), days_to_renewal=30)
    report = evaluate(estate, now=next_day(estate, WORSE))

    assert (report.refreshed, report.generated) == (1, 0)
    (new,) = raised(estate)
    assert (old.sentence, new.sentence) == (
        "Health fell from 80 to 60 in 7 days, mostly seat use (-20).",
        "Health fell from 80 to 50 in 7 days, mostly seat use (-30).",
    )
    assert (old.priority, new.priority) == ("high", "critical")
    assert new.score > old.score
    assert (new.evidence["as_of"], new.version, new.build_id) == ("2026-11-20", 2, old.build_id + 1)
    kept = {name: getattr(old, name) for name in (*REFRESHED, "build_id", "version")}
    assert replace(new, **kept) == old
    assert (
        recorded
        == estate.admin.execute("select d::text, c::text from app.decisions d, app.context_snapshots c").fetchall()
    )
    with estate.work() as db:
        event = service.story(db, new.suggestion_id)[-1]
    assert (event.kind, event.actor_name, event.version) == ("refreshed", "Rule R1", 2)
    assert set(event.before) == set(event.after) == {"priority", "sentence", "evidence", "score", "build_id"}
    assert (event.before["sentence"], event.after["sentence"]) == (old.sentence, new.sentence)


def test_a_build_that_says_the_same_changes_nothing(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    estate.publish()
    report = evaluate(estate, now=NOW + timedelta(hours=1))

    assert report.refreshed == 0
    assert raised(estate) == [suggestion]


def test_a_snoozed_one_is_renewed_too_and_comes_back_with_todays_figures(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    snooze(estate, maya, suggestion, date(2026, 11, 23))

    assert evaluate(estate, now=next_day(estate, WORSE)).refreshed == 1
    assert get(estate, suggestion).status == "snoozed"
    assert evaluate(estate, now=next_day(estate, [*WORSE, 50.0, 50.0], 3)).woken == 1

    (back,) = raised(estate)
    assert back.evidence["as_of"] == "2026-11-22"
    assert story(estate, suggestion) == ["generated", "snoozed", "refreshed", "woken", "refreshed"]


def test_old_inputs_renew_nothing(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    next_day(estate, WORSE)

    assert evaluate(estate, now=NOW + timedelta(days=8)).refreshed == 0
    assert raised(estate) == [suggestion]


@pytest.mark.parametrize("answer", ["accept", "dismiss", "snooze"])
def test_an_answer_to_the_card_of_yesterday_is_still_an_answer(estate: Estate, maya: Identity, answer: str) -> None:
    evaluate(estate)
    (seen,) = raised(estate)
    evaluate(estate, now=next_day(estate, WORSE))
    with estate.work() as db:
        service.mark_shown(db, [seen.suggestion_id], actor=maya, now=NOW)

    if answer == "snooze":
        snooze(estate, maya, seen, date(2026, 12, 1))
    else:
        (accept if answer == "accept" else dismiss)(estate, maya, seen)

    answered = get(estate, seen)
    assert (answered.answered_by, answered.version) == (maya.user_id, 3)
    with estate.work() as db:
        *_, what, which = service.story(db, seen.suggestion_id)
    assert (what.kind, what.before) == (answered.status, "shown")
    assert (which.kind, which.before, which.after) == ("answered_as_seen", 1, 2)


def test_what_somebody_did_since_still_refuses_an_answer_whatever_was_renewed(estate: Estate, maya: Identity) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    evaluate(estate)
    (seen,) = raised(estate)
    evaluate(estate, now=next_day(estate, WORSE))
    snooze(estate, admin, seen, date(2026, 12, 1))

    for attempt in (accept, dismiss):
        with pytest.raises(StaleVersion) as stale:
            attempt(estate, maya, seen)
        assert "snoozed" in [change.kind for change in stale.value.changes]
        with pytest.raises(StaleVersion):
            attempt(estate, maya, replace(seen, version=9))


def test_edits_that_change_nothing_of_the_card_as_seen_are_no_edits(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (seen,) = raised(estate)
    evaluate(estate, now=next_day(estate, WORSE))

    action = accept(estate, maya, seen, edits=service.draft_of(seen, now=NOW))

    assert (get(estate, seen).status, action.priority) == ("accepted", "high")


def test_accepting_without_edits_takes_the_priority_of_the_newest_build(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (seen,) = raised(estate)
    evaluate(estate, now=next_day(estate, WORSE))

    assert accept(estate, maya, seen).priority == "critical"


DAYS = st.fixed_dictionaries(
    {
        "score": st.sampled_from([80.0, 80.0, 62.0, 55.0, 50.0, 40.0]),
        "week": st.sampled_from([(60, 62), (41, 62), (41, 62), (20, 62), (20, 41)]),
        "invoices": st.sampled_from([(), (1,), (1, 2), (2,)]),
        "attempts": st.integers(0, 3),
        "days_to_renewal": st.sampled_from([None, 10, 100]),
        "mrr_at_risk_eur": st.sampled_from([None, 100, 230]),
        "last_contact_date": st.none() | st.dates(AS_OF - timedelta(days=20), AS_OF),
        "is_snoozed": st.booleans(),
    }
)


def test_after_any_builds_what_is_open_is_what_a_fresh_look_at_the_newest_would_say(
    estate: Estate,
) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    numbers = count(1)
    seen: Counter[str] = Counter()

    def build(day: int, history: list[dict[str, Any]], *names: str) -> datetime:
        for mart in ("dim_accounts", "fct_account_health_daily", "fct_usage_daily", "fct_invoices"):
            estate.clear(mart)
        last, today = AS_OF + timedelta(days=day), history[-1]
        for name in names:
            facts = {item: today[item] for item in ("days_to_renewal", "mrr_at_risk_eur", "last_contact_date")}
            # a budget of its own, or those of earlier examples would use it up
            key = estate.account(name, account_name="Ashford Media", csm_email=f"{name}@force24.example", **facts)
            estate.health(key, [80.0] * 8 + [one["score"] for one in history], last=last)
            estate.usage(key, [(62, 62)] * 4 + [one["week"] for one in history], last=last)
            for number in today["invoices"]:
                overdue = 25 + 3 * number + day
                tried = {"has_failed_payment": today["attempts"] > 0, "attempt_count": today["attempts"]}
                estate.invoice(key, f"in_{number}", due_date=last, days_overdue=overdue, **tried)
        estate.transformer.execute("update marts.dim_accounts set as_of_date = %s", [last])
        estate.publish(last)
        return NOW + timedelta(days=day)

    def open_of(name: str) -> dict[str, Suggestion]:
        with estate.work() as db:
            found = service.list_for_account(db, account_key=key_of(name))
        return {one.rule_id: one for one in found if one.status in ANSWERABLE}

    @settings(max_examples=25, deadline=None)
    @given(st.lists(DAYS, min_size=2, max_size=8))
    def holds(history: list[dict[str, Any]]) -> None:
        number = next(numbers)
        mine, twin = f"mine{number}", f"twin{number}"
        for day in range(len(history) - 1):
            now = build(day, history[: day + 1], mine)
            seen["refreshed"] += evaluate(estate, now=now).refreshed
            if history[day]["is_snoozed"]:
                for one in open_of(mine).values():
                    snooze(estate, admin, one, now.date() + timedelta(days=2), now=now)
        day = len(history) - 1
        now = build(day, history, mine, twin)
        seen["refreshed"] += evaluate(estate, now=now).refreshed

        kept, fresh = open_of(mine), open_of(twin)
        seen["fresh"] += len(fresh)
        assert set(fresh) <= set(kept)
        for rule_id, one in fresh.items():
            assert [getattr(kept[rule_id], name) for name in REFRESHED] == [getattr(one, name) for name in REFRESHED]
        again = evaluate(estate, now=now)
        assert (again.refreshed, again.generated) == (0, 0)

    holds()
    assert seen["refreshed"] >= 20, seen
    assert seen["fresh"] >= 10, seen


# --- by itself -------------------------------------------------------------------------------------------------------


def test_a_cleared_trigger_ends_the_suggestion(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    report = evaluate(estate, now=next_day(estate, [*DROP, 76.0]))

    assert report.auto_resolved == 1
    assert get(estate, suggestion).status == "auto_resolved"
    assert raised(estate) == []


def test_a_cleared_trigger_cancels_an_action_only_while_nobody_has_started_it(estate: Estate, maya: Identity) -> None:
    estate.health(estate.account("Started Ltd"), DROP)
    evaluate(estate)
    new, started = (accept(estate, maya, one) for one in sorted(raised(estate), key=lambda one: one.account_name))
    with estate.work() as db:
        actions.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=started.action_id,
            expected_version=1,
            to_status="in_progress",
            idempotency_key=a_key(),
        )

    now = next_day(estate, [*DROP, 80.0])
    estate.health(key_of("Started Ltd"), [*DROP, 80.0], last=AS_OF + timedelta(days=1))
    report = evaluate(estate, now=now)

    assert (report.cancelled_actions, report.auto_resolved) == (1, 0)
    with estate.work() as db:
        first, second = (actions.get_action(db, one.action_id) for one in (new, started))
    assert (first.action.status, first.action.cancel_reason) == ("cancelled", "auto_resolved")
    assert (first.events[-2].actor_kind, first.events[-2].actor_name) == ("rule", "Rule R1")
    assert second.action.status == "in_progress"


def test_a_paid_invoice_ends_its_suggestion(estate: Estate) -> None:
    estate.invoice(estate.account())
    estate.publish()
    assert evaluate(estate).generated == 1

    estate.set("fct_invoices", key_of("Ashford Media"), paid_at=NOW, status="paid", is_overdue=False)

    assert evaluate(estate, now=NOW + timedelta(hours=1)).auto_resolved == 1


def test_an_unanswered_suggestion_expires_after_fourteen_days_and_cools_down(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)

    assert evaluate(estate, now=next_day(estate, DROP, 14)).expired == 0
    report = evaluate(estate, now=next_day(estate, DROP, 15))

    assert (report.expired, report.generated) == (1, 0)
    assert get(estate, suggestion).status == "expired"


def test_suggestions_follow_the_account_to_its_new_owner_and_end_with_it(estate: Estate, maya: Identity) -> None:
    tom = estate.user("Tom Okafor")
    evaluate(estate)
    (suggestion,) = raised(estate)

    estate.set("dim_accounts", key_of("Ashford Media"), csm_email="Tom.Okafor@force24.example")
    evaluate(estate)
    assert raised(estate, maya) == []
    assert [one.suggestion_id for one in raised(estate, tom)] == [suggestion.suggestion_id]

    estate.set("dim_accounts", key_of("Ashford Media"), is_active=False)
    assert evaluate(estate).auto_resolved == 1
    with estate.work() as db:
        assert service.story(db, suggestion.suggestion_id)[-1].reason == "account_churned"


def test_old_inputs_block_a_rule_and_name_the_input(estate: Estate, maya: Identity) -> None:
    late = NOW + timedelta(days=3)

    report = evaluate(estate, now=late)

    assert report.generated == 0
    (blocked,) = [one for one in report.blocked if one.rule_id == "R1"]
    assert (blocked.input, blocked.as_of, blocked.account_count) == ("fct_account_health_daily", AS_OF, 1)
    assert "fct_account_health_daily ends on 19 Nov 2026" in blocked.message
    assert raised(estate) == []
    with estate.work() as db:
        (kept,) = service.list_for_account(db, account_key=key_of("Ashford Media"))
    assert (kept.status, kept.decision_id) == ("blocked_stale_data", None)
    assert estate.one("select count(*) from app.decisions") == 0
    assert evaluate(estate, now=late).generated == 0
    assert estate.one("select count(*) from app.suggestions") == 1

    fresh = evaluate(estate, now=next_day(estate, DROP, 3))
    assert fresh.generated == 1
    assert get(estate, kept).status == "superseded"


def test_a_decision_made_while_another_input_is_old_says_so(estate: Estate, maya: Identity) -> None:
    estate.clear("fct_usage_daily")
    estate.usage(key_of("Ashford Media"), [(50, 50)] * 5, last=AS_OF - timedelta(days=10))

    report = evaluate(estate)

    assert report.generated == 1
    assert estate.one("select stale_inputs from app.decisions") == ["fct_usage_daily"]


def test_stale_inputs_do_not_clear_anything(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    next_day(estate, [*DROP, 80.0])

    report = evaluate(estate, now=NOW + timedelta(days=8))

    assert report.auto_resolved == 0
    assert len(raised(estate)) == 1


def test_an_unpublished_build_is_not_evaluated(estate: Estate) -> None:
    with pytest.raises(MartUnavailable):
        evaluate(estate, build_id=1)
    estate.publish()
    with pytest.raises(MartUnavailable):
        evaluate(estate, build_id=99)


def test_the_story_of_a_suggestion_cannot_be_changed_by_anybody(estate: Estate, maya: Identity) -> None:
    evaluate(estate)

    for statement in ("update app.suggestion_events set at = at", "delete from app.suggestion_events"):
        with pytest.raises(Exception, match="append-only"):
            estate.admin.execute(statement.encode())


# --- exposure --------------------------------------------------------------------------------------------------------


def test_shown_and_viewed_count_once_and_only_for_the_accounts_own_csm(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    ids = [suggestion.suggestion_id, uuid4()]

    def mark(how: Any, who: Identity, wanted: list[UUID] = ids) -> int:
        with estate.work() as db:
            return how(db, wanted, actor=who, now=NOW)

    assert mark(service.mark_shown, estate.user("Harriet Cole", Role.ADMIN)) == 0
    assert mark(service.mark_shown, estate.user("Tom Okafor")) == 0
    assert mark(service.mark_shown, maya, []) == 0
    assert [mark(service.mark_shown, maya), mark(service.mark_shown, maya)] == [1, 0]
    assert [mark(service.mark_viewed, maya), mark(service.mark_viewed, maya)] == [1, 0]
    assert mark(service.mark_shown, maya) == 0
    assert get(estate, suggestion).version == suggestion.version
    assert story(estate, suggestion) == ["generated", "shown", "viewed"]
    assert accept(estate, maya, suggestion).action_id


def test_an_unknown_suggestion_is_not_found(estate: Estate, maya: Identity) -> None:
    evaluate(estate)
    (suggestion,) = raised(estate)
    unknown = replace(suggestion, suggestion_id=uuid4())

    for attempt in (accept, dismiss):
        with pytest.raises(NotFound):
            attempt(estate, maya, unknown)


def test_evaluating_while_people_answer_loses_nothing(estate: Estate, maya: Identity) -> None:
    for number in range(4):
        estate.health(estate.account(f"More {number}"), DROP)
    evaluate(estate)
    waiting = raised(estate, maya)
    assert len(waiting) == 5

    def work(number: int) -> Any:
        try:
            if number >= len(waiting):
                return evaluate(estate, now=NOW + timedelta(hours=1))
            return accept(estate, maya, waiting[number]) if number % 2 else dismiss(estate, maya, waiting[number])
        except AppError as error:
            return error

    with ThreadPoolExecutor(max_workers=9) as pool:
        answers = list(pool.map(work, range(9)))

    assert not [answer for answer in answers if isinstance(answer, AppError)]
    statuses = estate.admin.execute("select status, count(*) from app.suggestions group by 1 order by 1").fetchall()
    assert statuses == [("accepted", 2), ("dismissed", 3)]
    assert estate.one("select count(*) from app.actions") == 2
