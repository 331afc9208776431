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
CANDIDATE = Candidate(
    account_key="a",
    rule_id="R1",
    priority="high",
    csm_email="maya",
    mrr_eur=1000.0,
    mrr_at_risk_eur=200.0,
    days_to_renewal=None,
    days_since_contact=None,
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
    policy = replace(POLICY, exploration_share=0.3)
    names = ["diagnostic_call", "training", "business_review"]
    drawn: Counter[str] = Counter()
    count = 20_000
    for number in range(count):
        seed = seed_of(policy, account_key=f"account {number}", rule_id="R1", day=date(2026, 11, 20))
        drawn[choose(policy, names, seed=seed).intervention] += 1

    for name, probability in choose(policy, names, seed=0).probabilities.items():
        spread = (probability * (1 - probability) / count) ** 0.5
        assert abs(drawn[name] / count - probability) <= 4.5 * spread


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
    "broken", [{"budget_per_csm_and_day": None}, {"priority_weight": 3}, {"exploration_share": 1.2}]
)
def test_unusable_parameters_are_refused(broken: dict) -> None:
    with pytest.raises(InvalidInput):
        policy_from_params("rules", 2, PARAMS | broken)
