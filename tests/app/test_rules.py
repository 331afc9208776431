"""What the rules see, with plain values."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions.vocabulary import ActionType, Intervention, Priority
from app.errors import InvalidInput
from app.migrations.versions import __path__ as versions_path
from app.suggestions.rules import Rule, is_cooling_down, is_stale, rule_from_params
from app.suggestions.triggers.billing import OpenInvoice, PaymentInput, payment, payment_settled
from app.suggestions.triggers.health import HealthInput, health_drop, health_recovered
from app.suggestions.triggers.registry import LOGIC
from app.suggestions.triggers.usage import UsageDay, UsageInput, usage_decline, usage_recovered

TODAY = date(2026, 11, 20)
AS_OF = date(2026, 11, 19)
BASE: dict[str, Any] = {
    "action_type": "risk",
    "title": "Look",
    "max_input_age_days": 2,
    "cool_down_days": 14,
    "due_offset_bd": 2,
}
R1 = rule_from_params(
    "R1",
    1,
    BASE
    | {
        "reason": "health_drop",
        "input": "fct_account_health_daily",
        "hold_days": 2,
        "interventions": ["diagnostic_call"],
        "thresholds": {"window_days": 7, "drop_high": 15, "drop_critical": 25, "recovered_within": 5},
    },
)
R2 = rule_from_params(
    "R2",
    1,
    BASE
    | {
        "reason": "usage_decline",
        "input": "fct_usage_daily",
        "hold_days": 3,
        "interventions": ["training"],
        "thresholds": {
            "drop_ratio": 0.2,
            "least_previous_7d": 5,
            "least_previous_30d": 20,
            "recovered_ratio": 0.9,
            "recovered_days": 7,
            "high_drop_ratio": 0.5,
        },
    },
)
R7 = rule_from_params(
    "R7",
    1,
    BASE
    | {
        "reason": "payment",
        "input": "fct_invoices",
        "hold_days": 1,
        "interventions": ["billing_fix"],
        "thresholds": {"overdue_days": 30, "critical_overdue_days": 60},
    },
)


def health(*scores: float | None, **more: Any) -> HealthInput:
    days = [AS_OF - timedelta(days=back) for back in range(len(scores))][::-1]
    return HealthInput(
        account_key="a",
        as_of=AS_OF,
        scores=dict(zip(days, scores, strict=True)),
        contributions=more.get("now", {}),
        contributions_before=more.get("before", {}),
    )


def usage(*pairs: tuple[int, int], month: tuple[int, int] = (100, 100)) -> UsageInput:
    days = [AS_OF - timedelta(days=back) for back in range(len(pairs))][::-1]
    return UsageInput(
        account_key="a",
        as_of=AS_OF,
        plan="Professional",
        days_since_activity=0,
        days=tuple(
            UsageDay(day=day, count_7d=now, previous_7d=before, count_30d=month[0], previous_30d=month[1])
            for day, (now, before) in zip(days, pairs, strict=True)
        ),
    )


def invoice(**values: Any) -> OpenInvoice:
    defaults: dict[str, Any] = {
        "invoice_id": "in_1",
        "number": "F24-7",
        "currency_code": "gbp",
        "amount_open": 1240.0,
        "amount_open_eur": 1426.0,
        "due_date": AS_OF - timedelta(days=40),
        "days_overdue": 40,
        "failed_date": None,
        "attempt_count": 0,
    }
    return OpenInvoice(**(defaults | values))


def payments(*invoices: OpenInvoice) -> PaymentInput:
    return PaymentInput(account_key="a", as_of=AS_OF, invoices=invoices)


# --- R1 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "priority"), [(65.1, None), (65.0, "high"), (55.1, "high"), (55.0, "critical"), (10.0, "critical")]
)
def test_health_drop_is_high_from_15_points_and_critical_from_25(after: float, priority: str | None) -> None:
    found = health_drop(R1, health(*[80.0] * 7, after, after, after))

    assert (found.priority if found else None) == priority


def test_a_drop_must_have_held_for_two_days() -> None:
    assert health_drop(R1, health(*[80.0] * 8, 60.0, 60.0)) is None
    assert health_drop(R1, health(*[80.0] * 7, 60.0, 70.0, 60.0)) is None
    assert health_drop(R1, health(*[80.0] * 7, 60.0, 60.0, 60.0)) is not None


@pytest.mark.parametrize("scores", [[], [80.0], [None] * 10, [80.0] * 7 + [60.0, None, 60.0], [60.0] * 3])
def test_missing_days_never_fire(scores: list[float | None]) -> None:
    assert health_drop(R1, health(*scores)) is None


def test_the_sentence_says_from_where_to_where_and_what_did_it() -> None:
    found = health_drop(
        R1,
        health(
            *[82.0] * 7,
            61.0,
            61.0,
            61.0,
            before={"seat_use": 20.0, "key_activity": 15.0, "nps": 10.0},
            now={"seat_use": 8.0, "key_activity": 6.0, "nps": 10.0},
        ),
    )

    assert found
    assert found.sentence == "Health fell from 82 to 61 in 7 days, mostly seat use (-12) and key activity (-9)."
    assert found.evidence["baseline"] == 82.0
    assert found.evidence["figures"] == {"before": 82.0, "now": 61.0, "change": -21.0, "window_days": 7}
    assert found.evidence["series"][-1] == ["2026-11-19", 61.0]
    assert found.evidence["inputs"] == [["fct_account_health_daily", "2026-11-19"]]


@pytest.mark.parametrize(("now", "is_clear"), [(76.9, False), (77.0, True), (90.0, True), (None, False)])
def test_health_has_recovered_within_five_points_of_before(now: float | None, is_clear: bool) -> None:
    assert health_recovered(R1, health(60.0, now), {"before": 82.0}) is is_clear


@given(scores=st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=40))
def test_what_fires_has_not_recovered(scores: list[float | None]) -> None:
    found = health_drop(R1, health(*scores))

    if found:
        assert not health_recovered(R1, health(*scores), found.evidence["figures"])


# --- R2 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "priority"),
    [
        ((81, 100), None),
        ((80, 100), "medium"),
        ((50, 100), "high"),
        ((0, 100), "high"),
        ((0, 4), None),
        ((4, 5), "medium"),
        ((120, 100), None),
    ],
)
def test_usage_decline_needs_a_fifth_less_and_enough_before(pair: tuple[int, int], priority: str | None) -> None:
    found = usage_decline(R2, usage(*[pair] * 5))

    assert (found.priority if found else None) == priority


def test_a_decline_must_have_held_for_three_days() -> None:
    assert usage_decline(R2, usage((100, 100), (70, 100), (70, 100), (70, 100))) is None
    assert usage_decline(R2, usage((70, 100), (70, 100), (70, 100), (70, 100))) is not None
    assert usage_decline(R2, usage((70, 100), (70, 100), (70, 100))) is None


def test_a_slow_decline_shows_over_thirty_days() -> None:
    found = usage_decline(R2, usage(*[(25, 26)] * 4, month=(70, 100)))

    assert found
    assert found.sentence == "Key activity is down 30% in 30 days: 70 against 100 in the 30 days before."
    assert found.evidence["figures"]["baseline_7d"] == pytest.approx(100 * 7 / 30)


def test_the_sentence_of_a_week() -> None:
    found = usage_decline(R2, usage(*[(41, 62)] * 4))

    assert found
    assert found.sentence == "Key activity is down 34% in 7 days: 41 against 62 in the 7 days before."


def test_usage_has_recovered_after_seven_days_at_nine_tenths() -> None:
    figures = {"baseline_7d": 100.0}

    assert usage_recovered(R2, usage(*[(90, 50)] * 7), figures)
    assert not usage_recovered(R2, usage((89, 50), *[(90, 50)] * 6), figures)
    assert not usage_recovered(R2, usage(*[(90, 50)] * 6), figures)


# --- R7 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "priority"), [(30, None), (31, None), (32, "high"), (60, "high"), (61, "critical"), (400, "critical")]
)
def test_an_invoice_is_pressing_a_day_after_thirty(days: int, priority: str | None) -> None:
    found = payment(R7, payments(invoice(days_overdue=days)))

    assert (found.priority if found else None) == priority


@pytest.mark.parametrize(("failed", "fires"), [(AS_OF, False), (AS_OF - timedelta(days=1), True), (None, False)])
def test_a_failed_payment_has_a_day_to_settle_by_itself(failed: date | None, fires: bool) -> None:
    found = payment(R7, payments(invoice(days_overdue=2, failed_date=failed)))

    assert (found is not None) is fires


@pytest.mark.parametrize(
    ("invoices", "sentence"),
    [
        (
            [invoice(days_overdue=4, failed_date=date(2026, 11, 3), attempt_count=2)],
            "Payment of invoice F24-7 over £1,240.00 failed 2 times, last on 3 Nov 2026; it is 4 days overdue.",
        ),
        (
            [invoice(days_overdue=0, failed_date=date(2026, 11, 3), attempt_count=1, number=None, currency_code="USD")],
            "Payment of an invoice over $1,240.00 failed once, last on 3 Nov 2026.",
        ),
        ([invoice()], "Invoice F24-7 over £1,240.00 is 40 days overdue."),
        (
            [
                invoice(),
                invoice(
                    invoice_id="in_2",
                    currency_code="eur",
                    amount_open=10.5,
                    days_overdue=70,
                    failed_date=date(2026, 11, 3),
                ),
            ],
            "2 invoices over €10.50 and £1,240.00 are unpaid, the oldest 70 days overdue; payment of 1 failed.",
        ),
        ([invoice(currency_code="sek")], "Invoice F24-7 over 1,240.00 SEK is 40 days overdue."),
    ],
)
def test_payment_says_what_is_owed(invoices: list[OpenInvoice], sentence: str) -> None:
    found = payment(R7, payments(*invoices))

    assert found
    assert found.sentence == sentence


def test_payment_is_settled_when_its_own_invoices_are() -> None:
    figures = {"invoice_ids": ["in_1"]}

    assert not payment_settled(R7, payments(invoice()), figures)
    assert payment_settled(R7, payments(invoice(invoice_id="in_2")), figures)
    assert payment_settled(R7, payments(), figures)


# --- rules as data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "stale"),
    [(date(2026, 11, 19), False), (date(2026, 11, 18), False), (date(2026, 11, 17), True), (None, True)],
)
def test_an_input_older_than_two_days_is_stale(as_of: date | None, stale: bool) -> None:
    assert is_stale(R1, as_of, TODAY) is stale


@pytest.mark.parametrize(
    ("ended", "cooling"), [(None, False), (TODAY, True), (date(2026, 11, 7), True), (date(2026, 11, 6), False)]
)
def test_a_rule_cools_down_for_fourteen_days(ended: date | None, cooling: bool) -> None:
    assert is_cooling_down(R1, ended, TODAY) is cooling


@pytest.mark.parametrize("missing", ["reason", "hold_days", "interventions", "thresholds"])
def test_incomplete_parameters_are_named(missing: str) -> None:
    params = {
        **BASE,
        "reason": "x",
        "input": "y",
        "hold_days": 1,
        "interventions": [],
        "thresholds": {},
    }
    del params[missing]

    with pytest.raises(InvalidInput, match=missing):
        rule_from_params("R9", 3, params)


def test_a_missing_threshold_is_named() -> None:
    broken: Rule = rule_from_params(
        "R1", 2, BASE | {"reason": "x", "input": "y", "hold_days": 1, "interventions": [], "thresholds": {}}
    )

    with pytest.raises(InvalidInput, match="window_days"):
        health_drop(broken, health(80.0))


def test_the_words_of_the_rules_are_those_of_the_actions() -> None:
    assert versions_path
    for rule in (R1, R2, R7):
        assert rule.rule_id in LOGIC
        assert rule.action_type in set(ActionType)
        assert set(rule.interventions) <= set(Intervention)
    assert {"critical", "high", "medium"} <= set(Priority)
