"""Ranking, budget and the choice among interventions, with plain values."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.suggestions.policy import (
    NO_ACTION,
    Candidate,
    choose,
    exclusion_of,
    is_in_hold_out,
    policy_from_params,
    renewal_factor,
    score,
    seed_of,
    within_budget,
)

PARAMS = {
    "budget_per_csm_and_day": 5,
    "expire_after_days": 14,
    "exploration_share": 0.0,
    "priority_weight": {"critical": 4, "high": 3, "medium": 2, "low": 1},
    "renewal_horizon_days": 180,
    "renewal_boost": 1.0,
    "contact_window_days": 14,
    "contact_penalty_share": 0.3,
    "assumed_risk_when_unknown": 0.05,
}
POLICY = policy_from_params("rules", 1, PARAMS)
HELD = {"share": 0.05, "salt": "s", "never_rules": ["R7"], "renewal_days": 30, "first_days": 14}
HOLDING = policy_from_params(
    "rules", 2, PARAMS | {"exploration_share": 0.1, "never_explored": ["commercial_offer"], "hold_out": HELD}
)
CANDIDATE = Candidate(
    account_key="a",
    rule_id="R1",
    priority="high",
    csm_email="maya",
    mrr_eur=1000.0,
    mrr_at_risk_eur=200.0,
    days_to_renewal=None,
    days_since_contact=None,
    churn_risk_band="Medium",
    urgent_open_ticket_count=0,
    customer_age_days=400,
)
SEEDS = st.integers(min_value=0, max_value=2**63 - 1)
NAMES = st.lists(st.sampled_from(["diagnostic_call", "training", "business_review", "value_report"]), min_size=1)


def test_score_is_weight_times_revenue_at_risk_times_nearness_of_renewal() -> None:
    assert score(POLICY, CANDIDATE) == 600.0
    assert score(POLICY, replace(CANDIDATE, priority="critical")) == 800.0
    assert score(POLICY, replace(CANDIDATE, days_to_renewal=0)) == 1200.0
    assert score(POLICY, replace(CANDIDATE, days_to_renewal=90)) == 900.0
    assert score(POLICY, replace(CANDIDATE, days_since_contact=0)) == pytest.approx(420.0)
    assert score(POLICY, replace(CANDIDATE, days_since_contact=14)) == 600.0
    assert score(POLICY, replace(CANDIDATE, mrr_at_risk_eur=None)) == 150.0
    assert score(POLICY, replace(CANDIDATE, mrr_at_risk_eur=None, mrr_eur=None)) == 0.0


@given(
    near=st.integers(-400, 1000),
    far=st.integers(-400, 1000),
    contact=st.integers(-3, 100),
    at_risk=st.floats(0, 1e6),
)
def test_a_nearer_renewal_never_ranks_lower_and_no_score_is_negative(
    near: int, far: int, contact: int, at_risk: float
) -> None:
    near, far = sorted((near, far))
    candidate = replace(CANDIDATE, mrr_at_risk_eur=at_risk, days_since_contact=contact)

    nearer = score(POLICY, replace(candidate, days_to_renewal=near))
    farther = score(POLICY, replace(candidate, days_to_renewal=far))

    assert nearer >= farther >= 0
    assert 1.0 <= renewal_factor(POLICY, far) <= 2.0


@given(
    owners=st.lists(st.sampled_from(["maya", "tom", None])),
    used=st.dictionaries(st.sampled_from(["maya", "tom", None]), st.integers(0, 7)),
    budget=st.integers(0, 6),
)
def test_nobody_gets_more_than_the_budget_and_the_best_come_first(
    owners: list[str | None], used: dict[str | None, int], budget: int
) -> None:
    ranked = [(owner, (owner, place)) for place, owner in enumerate(owners)]

    taken, waiting = within_budget(ranked, used=used, budget=budget)

    assert sorted(taken + waiting, key=lambda item: item[1]) == [item for _, item in ranked]
    for owner in set(owners):
        mine = [place for who, place in taken if who == owner]
        assert len(mine) == min(owners.count(owner), max(0, budget - used.get(owner, 0)))
        assert mine == [place for place, who in enumerate(owners) if who == owner][: len(mine)]


@given(names=NAMES, seed=SEEDS)
def test_without_exploration_the_first_eligible_is_certain(names: list[str], seed: int) -> None:
    choice = choose(POLICY, names, seed=seed)

    assert (choice.intervention, choice.propensity) == (names[0], 1.0)
    assert choice.probabilities[NO_ACTION] == 0.0


@given(names=NAMES, seed=SEEDS, share=st.floats(0, 1))
def test_the_probabilities_sum_to_one_and_the_logged_one_is_the_one_drawn(
    names: list[str], seed: int, share: float
) -> None:
    choice = choose(replace(POLICY, exploration_share=share), names, seed=seed)

    assert sum(choice.probabilities.values()) == pytest.approx(1.0, abs=1e-9)
    assert choice.propensity == choice.probabilities[choice.intervention] > 0
    assert set(choice.probabilities) == {*names, NO_ACTION}
    assert choose(replace(POLICY, exploration_share=share), names, seed=seed) == choice


def test_over_many_decisions_the_frequencies_match_the_logged_probabilities() -> None:
    names = ["diagnostic_call", "training", "business_review"]
    day = date(2026, 11, 20)
    drawn: Counter[str] = Counter()
    count = 100_000
    for number in range(count):
        key = f"account {number}"
        seed = seed_of(HOLDING, account_key=key, rule_id="R1", day=day)
        in_group = is_in_hold_out(HOLDING, account_key=key, day=day)
        choice = choose(HOLDING, names, seed=seed, may_hold_out=True, is_in_group=in_group)
        assert choice.propensity == choice.probabilities[choice.chosen]
        drawn[choice.chosen] += 1

    expected = choose(HOLDING, names, seed=0, may_hold_out=True).probabilities
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-9)
    assert expected[NO_ACTION] == 0.05
    for name, probability in expected.items():
        spread = (probability * (1 - probability) / count) ** 0.5
        assert abs(drawn[name] / count - probability) <= 4.5 * spread


def test_an_account_is_held_out_for_a_quarter_and_drawn_anew_in_the_next() -> None:
    accounts = [f"account {number}" for number in range(2_000)]

    def group(day: date) -> set[str]:
        return {key for key in accounts if is_in_hold_out(HOLDING, account_key=key, day=day)}

    assert group(date(2026, 10, 1)) == group(date(2026, 12, 31))
    assert group(date(2027, 1, 1)) != group(date(2026, 12, 31))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"rule_id": "R7"}, "rule"),
        ({"priority": "critical"}, "critical_risk"),
        ({"churn_risk_band": "Critical"}, "critical_risk"),
        ({"urgent_open_ticket_count": 1}, "open_escalation"),
        ({"days_to_renewal": 30}, "renewal_near"),
        ({"days_to_renewal": 31}, None),
        ({"customer_age_days": 14}, "new_customer"),
        ({"customer_age_days": 15}, None),
        ({"customer_age_days": None}, "new_customer"),
    ],
)
def test_who_is_never_held_out(changes: dict, why: str | None) -> None:
    assert exclusion_of(HOLDING, replace(CANDIDATE, **changes)) == why


def test_what_may_not_be_held_out_is_offered_even_in_the_group() -> None:
    choice = choose(HOLDING, ["training"], seed=5, may_hold_out=False, is_in_group=True)

    assert (choice.chosen, choice.propensity, choice.probabilities[NO_ACTION]) == ("training", 1.0, 0.0)


@given(seed=SEEDS)
def test_a_price_is_never_a_matter_of_chance(seed: int) -> None:
    assert choose(HOLDING, ["training", "commercial_offer"], seed=seed).intervention == "training"
    assert choose(HOLDING, ["commercial_offer", "training"], seed=seed).probabilities["commercial_offer"] > 0.9


def test_a_seed_depends_on_all_that_makes_the_decision_and_fits_the_column() -> None:
    day, other_day = date(2026, 11, 20), date(2026, 11, 21)
    seeds = {
        seed_of(POLICY, account_key="a", rule_id="R1", day=day),
        seed_of(POLICY, account_key="b", rule_id="R1", day=day),
        seed_of(POLICY, account_key="a", rule_id="R2", day=day),
        seed_of(POLICY, account_key="a", rule_id="R1", day=other_day),
        seed_of(replace(POLICY, version=2), account_key="a", rule_id="R1", day=day),
    }

    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_nothing_eligible_is_refused() -> None:
    with pytest.raises(InvalidInput):
        choose(POLICY, [], seed=1)


@pytest.mark.parametrize(
    "broken",
    [
        {"budget_per_csm_and_day": None},
        {"priority_weight": 3},
        {"exploration_share": 1.2},
        {"hold_out": HELD | {"share": 1.0}},
        {"hold_out": {"share": 0.1}},
    ],
)
def test_unusable_parameters_are_refused(broken: dict) -> None:
    with pytest.raises(InvalidInput):
        policy_from_params("rules", 2, PARAMS | broken)
