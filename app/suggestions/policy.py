"""Which findings come first, how many a CSM gets, and which intervention is proposed: pure, and reproducible from
its seed.

Ranking now: priority weight x recurring revenue at risk x nearness of renewal, less a penalty for recent contact.
The choice among eligible interventions records the probability of each; the one recorded is the one used to draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, TypeVar

from app.errors import InvalidInput

NO_ACTION = "none"
_SEEDS = 2**63  # seeds are stored as PostgreSQL bigint, so they stay below this


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the policy. Shares are 0 to 1."""

    policy_id: str
    version: int
    budget_per_csm_and_day: int
    expire_after_days: int
    exploration_share: float
    priority_weight: Mapping[str, float]
    renewal_horizon_days: int
    renewal_boost: float
    contact_window_days: int
    contact_penalty_share: float
    assumed_risk_when_unknown: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A finding as ranking sees it; amounts in EUR a month."""

    account_key: str
    rule_id: str
    priority: str
    csm_email: str | None
    mrr_eur: float | None
    mrr_at_risk_eur: float | None
    days_to_renewal: int | None
    days_since_contact: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The intervention drawn, the probability of every eligible one (and of none), and the seed that drew it."""

    intervention: str
    probabilities: Mapping[str, float]
    propensity: float
    seed: int


def policy_from_params(policy_id: str, version: int, params: Mapping[str, Any]) -> Policy:
    """A policy from its stored parameters. Raises InvalidInput naming what is missing or malformed."""
    try:
        made = Policy(
            policy_id=policy_id,
            version=version,
            budget_per_csm_and_day=int(params["budget_per_csm_and_day"]),
            expire_after_days=int(params["expire_after_days"]),
            exploration_share=float(params["exploration_share"]),
            priority_weight={str(name): float(weight) for name, weight in params["priority_weight"].items()},
            renewal_horizon_days=int(params["renewal_horizon_days"]),
            renewal_boost=float(params["renewal_boost"]),
            contact_window_days=int(params["contact_window_days"]),
            contact_penalty_share=float(params["contact_penalty_share"]),
            assumed_risk_when_unknown=float(params["assumed_risk_when_unknown"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput("params", f"Policy {policy_id} version {version} is not complete: {error}.") from None
    if not 0 <= made.exploration_share <= 1:
        raise InvalidInput("exploration_share", "The share of exploration must lie between 0 and 1.")
    return made


def renewal_factor(policy: Policy, days_to_renewal: int | None) -> float:
    """1 far from a renewal or without one, rising evenly to 1 + boost on its day and after it."""
    if days_to_renewal is None:
        return 1.0
    nearness = 1 - min(max(days_to_renewal, 0), policy.renewal_horizon_days) / policy.renewal_horizon_days
    return 1.0 + policy.renewal_boost * nearness


def score(policy: Policy, candidate: Candidate) -> float:
    """How much a finding matters, in weighted EUR at risk a month; never negative."""
    at_risk = candidate.mrr_at_risk_eur
    if at_risk is None:
        at_risk = (candidate.mrr_eur or 0.0) * policy.assumed_risk_when_unknown
    weight = policy.priority_weight.get(candidate.priority, 0.0)
    base = weight * at_risk * renewal_factor(policy, candidate.days_to_renewal)
    if candidate.days_since_contact is None or candidate.days_since_contact >= policy.contact_window_days:
        return base
    recency = 1 - max(candidate.days_since_contact, 0) / policy.contact_window_days
    return base - base * policy.contact_penalty_share * recency


Ranked = TypeVar("Ranked")


def within_budget(
    ranked: Sequence[tuple[str | None, Ranked]], *, used: Mapping[str | None, int], budget: int
) -> tuple[list[Ranked], list[Ranked]]:
    """Those that fit and those that wait, in the given order, from (CSM, item) pairs, best first.

    `used` is what each CSM got today already; accounts without a CSM share one budget.
    """
    taken, waiting = [], []
    left = {csm: budget - count for csm, count in used.items()}
    for csm, item in ranked:
        if left.setdefault(csm, budget) > 0:
            left[csm] -= 1
            taken.append(item)
        else:
            waiting.append(item)
    return taken, waiting


def seed_of(policy: Policy, *, account_key: str, rule_id: str, day: date) -> int:
    """The seed of a choice: the same account, rule, day and policy version always draw the same."""
    text = f"{policy.policy_id}:{policy.version}:{account_key}:{rule_id}:{day.isoformat()}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8, person=b"intervention").digest()) % _SEEDS


def choose(policy: Policy, interventions: Sequence[str], *, seed: int) -> Choice:
    """Draw one of the eligible interventions, preferred first.

    The first keeps what exploration leaves, and everyone an equal part of the exploration share; doing nothing has
    probability 0, since nothing a rule found is withheld. Raises InvalidInput when nothing is eligible.
    """
    eligible = list(dict.fromkeys(interventions))
    if not eligible:
        raise InvalidInput("interventions", "No intervention is eligible.")
    part = policy.exploration_share / len(eligible)
    probabilities = dict.fromkeys(eligible, part)
    probabilities[eligible[0]] += 1 - policy.exploration_share
    drawn, place = eligible[-1], seed / _SEEDS
    for name in eligible:
        if place < probabilities[name]:
            drawn = name
            break
        place -= probabilities[name]
    if probabilities[drawn] == 0:  # rounding at the very end of the line must not pick what cannot be picked
        drawn = eligible[0]
    return Choice(
        intervention=drawn,
        probabilities=probabilities | {NO_ACTION: 0.0},
        propensity=probabilities[drawn],
        seed=seed,
    )
