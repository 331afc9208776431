"""What became of what was decided, counted on a real database; and shares with their intervals."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth import Role
from app.suggestions import report, service
from app.suggestions.precedents import precedents
from app.suggestions.rates import Rate
from app.suggestions.report import By, Outcomes
from tests.app.factories import NOW, Estate
from tests.app.test_suggestions import DROP, accept, dismiss, evaluate, raised

SINCE = NOW - timedelta(days=30)


def counted(estate: Estate, by: By) -> dict[str | None, Outcomes]:
    with estate.work() as db:
        _, groups = report.outcomes(db, identity=estate.user(), since=SINCE, by=by)
    return {one.group: one for one in groups}


def whole(estate: Estate) -> Outcomes:
    with estate.work() as db:
        return report.outcomes(db, identity=estate.user(), since=SINCE, by=By.RULE)[0]


def test_what_was_raised_is_followed_to_its_measured_outcome(estate: Estate) -> None:
    maya = estate.user()
    for number in range(3):
        estate.health(estate.account(f"Drop {number}"), DROP)
    estate.invoice(estate.account("Bill Ltd", csm_email="tom.okafor@force24.example"))
    estate.publish()
    evaluate(estate)
    first, second, _ = (one for one in raised(estate, maya) if one.rule_id == "R1")
    estate.admin.execute("update app.suggestions set intervention = 'diagnostic_call' where rule_id = 'R1'")
    with estate.work() as db:
        service.mark_shown(db, [first.suggestion_id, second.suggestion_id], actor=maya, now=NOW)
    action = accept(estate, maya, first, now=NOW + timedelta(days=1))
    estate.close(maya, action, result="false_alarm")
    dismiss(estate, maya, second, now=NOW + timedelta(days=3))
    estate.put(
        "fct_action_outcomes",
        decision_id=str(first.decision_id),
        measured_30d_status="measured",
        trigger_cleared_30d=True,
    )
    estate.action(actor=maya, account_key=action.account_key)  # her own, and open: in no count

    with estate.work() as db:
        behind = precedents(db, identity=maya, suggestion_id=second.suggestion_id)
    assert behind.suggested == 2
    assert (behind.accepted, behind.closed, behind.false_alarm, behind.cleared) == (1, 1, 1, 1)
    assert behind.dismissed == 0, "the suggestion itself is no precedent"
    assert set(behind.eligible) == {"diagnostic_call", "configuration_audit", "business_review"}

    by_rule = counted(estate, By.RULE)

    drop = by_rule["R1"]
    assert (drop.raised, drop.shown, drop.accepted, drop.dismissed, drop.waiting) == (3, 2, 1, 1, 1)
    assert (drop.closed, drop.successful, drop.false_alarm) == (1, 0, 1)
    assert (drop.measured, drop.cleared, drop.held_out) == (1, 1, 0)
    assert drop.days_to_answer == pytest.approx(2.0)
    assert (by_rule["R7"].raised, by_rule["R7"].accepted) == (1, 0)
    assert {group: one.raised for group, one in counted(estate, By.CSM).items()} == {
        "maya.lind@force24.example": 3,
        "tom.okafor@force24.example": 1,
    }
    assert sum(one.raised for one in counted(estate, By.INTERVENTION).values()) == 4
    assert list(counted(estate, By.MONTH)) == ["2026-11"]
    total = whole(estate)
    assert (total.raised, total.closed, total.cleared) == (4, 1, 1)


def test_nothing_decided_is_nothing_counted(estate: Estate) -> None:
    estate.publish()

    assert counted(estate, By.RULE) == {}
    assert (whole(estate).raised, whole(estate).days_to_close) == (0, None)


def test_closed_counts_what_people_did_by_themselves(estate: Estate) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    estate.account()
    estate.publish()
    estate.close(admin, estate.action(actor=admin))

    own = counted(estate, By.RULE)[None]

    assert (own.raised, own.closed, own.successful) == (0, 1, 1)


@given(of=st.integers(1, 5_000), part=st.floats(0, 1))
def test_an_interval_holds_its_share_and_narrows_with_cases(of: int, part: float) -> None:
    rate = Rate(round(of * part), of)
    low, high = rate.interval
    wide_low, wide_high = Rate(rate.count * 4, of * 4).interval

    assert 0 <= low <= rate.share + 1e-12
    assert rate.share - 1e-12 <= high <= 1
    assert wide_high - wide_low <= high - low + 1e-12


def test_wilson_by_hand() -> None:
    assert Rate(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=5e-4)
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert (Rate(29, 29).is_enough, Rate(30, 30).is_enough) == (False, True)
