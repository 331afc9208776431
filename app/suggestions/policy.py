"""Which findings come first, how many a CSM gets, which intervention is proposed and what is held out: pure, and
reproducible from its seed.

Ranking now: priority weight x recurring revenue at risk x nearness of renewal, less a penalty for recent contact.
The choice among eligible interventions records the probability of each; the one recorded is the one used to draw. A
small share of accounts gets no suggestion for a quarter, so that what suggestions do can be told from what happens
anyway; who must not be part of that is named, and nobody is kept from acting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, TypeVar

from app.errors import InvalidInput
from app.suggestions.rates import Rate

NO_ACTION = "none"
_SEEDS = 2**63  # seeds are stored as PostgreSQL bigint, so they stay below this


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """Which share of accounts gets no suggestion in a quarter (by salted hash), and what is never held out: some rules,
    a renewal this near, the first days of a customer."""

    share: float
    salt: str
    never_rules: frozenset[str]
    renewal_days: int
    first_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the policy. Shares are 0 to 1; interventions that are `never_explored` are proposed only where the
    rule prefers them."""

    policy_id: str
    version: int
    budget_per_csm_and_day: int
    expire_after_days: int
    exploration_share: float
    never_explored: frozenset[str]
    hold_out: HoldOut
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
    churn_risk_band: str | None
    urgent_open_ticket_count: int
    customer_age_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The intervention drawn, the probability of every eligible one (and of none), and the seed that drew it.

    Where `is_held_out`, none was chosen, with the probability of none, and the intervention is the one that would have
    been proposed.
    """

    intervention: str
    probabilities: Mapping[str, float]
    seed: int
    is_held_out: bool

    @property
    def chosen(self) -> str:
        """What was decided: an intervention, or none."""
        return NO_ACTION if self.is_held_out else self.intervention

    @property
    def propensity(self) -> float:
        """The probability with which that was decided."""
        return self.probabilities[self.chosen]


def policy_from_params(policy_id: str, version: int, params: Mapping[str, Any]) -> Policy:
    """A policy from its stored parameters. Raises InvalidInput naming what is missing or malformed."""
    try:
        held = params.get("hold_out") or {"share": 0, "salt": "", "never_rules": (), "renewal_days": 0, "first_days": 0}
        made = Policy(
            policy_id=policy_id,
            version=version,
            never_explored=frozenset(params.get("never_explored", ())),
            hold_out=HoldOut(
                share=float(held["share"]),
                salt=str(held["salt"]),
                never_rules=frozenset(held["never_rules"]),
                renewal_days=int(held["renewal_days"]),
                first_days=int(held["first_days"]),
            ),
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
    if not 0 <= made.hold_out.share < 1:
        raise InvalidInput("hold_out", "The share that is held out must lie between 0 and 1.")
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


def is_noisy(false_alarms: Rate, *, line: float, least_answers: int) -> bool:
    """Whether so many answers of a rule were false alarms that chance does not explain it: the lower end of the 95%
    interval of their share is above the line. Never of fewer answers than are asked for."""
    return false_alarms.of >= least_answers and false_alarms.interval[0] > line


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


def _hashed(text: str, person: bytes) -> int:
    """A number from 0 to under `_SEEDS`, the same for the same text and purpose."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8, person=person).digest()) % _SEEDS


def seed_of(policy: Policy, *, account_key: str, rule_id: str, day: date) -> int:
    """The seed of a choice: the same account, rule, day and policy version always draw the same."""
    return _hashed(f"{policy.policy_id}:{policy.version}:{account_key}:{rule_id}:{day.isoformat()}", b"intervention")


def exclusion_of(policy: Policy, candidate: Candidate) -> str | None:
    """Why a finding may not be held out, whoever it concerns; None when it may."""
    held = policy.hold_out
    if candidate.rule_id in held.never_rules:
        return "rule"
    if candidate.priority == "critical" or candidate.churn_risk_band == "Critical":
        return "critical_risk"
    if candidate.urgent_open_ticket_count > 0:
        return "open_escalation"
    if candidate.days_to_renewal is not None and candidate.days_to_renewal <= held.renewal_days:
        return "renewal_near"
    if candidate.customer_age_days is None or candidate.customer_age_days <= held.first_days:
        return "new_customer"
    return None


def is_in_hold_out(policy: Policy, *, account_key: str, day: date) -> bool:
    """Whether an account is among the share of this quarter that gets no suggestions."""
    quarter = f"{day.year}Q{(day.month + 2) // 3}"
    drawn = _hashed(f"{policy.hold_out.salt}:{account_key}:{quarter}", b"hold out")
    return drawn / _SEEDS < policy.hold_out.share


def choose(
    policy: Policy, interventions: Sequence[str], *, seed: int, may_hold_out: bool = False, is_in_group: bool = False
) -> Choice:
    """Draw one of the eligible interventions, preferred first; hold it out when the account is in the group and the
    finding may be held out.

    The first keeps what exploration leaves, and everyone that may be explored an equal part of the exploration share.
    Doing nothing has the probability of the hold-out where that is possible, else 0. Raises InvalidInput when nothing
    is eligible.
    """
    eligible = list(dict.fromkeys(interventions))
    if not eligible:
        raise InvalidInput("interventions", "No intervention is eligible.")
    explored = [name for name in eligible if name == eligible[0] or name not in policy.never_explored]
    part = policy.exploration_share / len(explored)
    shares = dict.fromkeys(eligible, 0.0) | dict.fromkeys(explored, part)
    shares[eligible[0]] += 1 - policy.exploration_share
    drawn, place = eligible[-1], seed / _SEEDS
    for name in eligible:
        if place < shares[name]:
            drawn = name
            break
        place -= shares[name]
    if shares[drawn] == 0:  # rounding at the very end of the line must not pick what cannot be picked
        drawn = eligible[0]
    none = policy.hold_out.share if may_hold_out else 0.0
    return Choice(
        intervention=drawn,
        probabilities={name: share * (1 - none) for name, share in shares.items()} | {NO_ACTION: none},
        seed=seed,
        is_held_out=may_hold_out and is_in_group,
    )
