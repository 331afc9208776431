"""Decision records: what was known, what could have been chosen, with which probability, and what was chosen.

Written in the transaction of the action or the suggestion they explain, and immutable. A person's own action gets
the same record with policy `human` and no probability: observational, and marked so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert

from app.actions.context import AccountContext, canonical_hash
from app.actions.tables import context_snapshots, decisions

HUMAN_POLICY_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChoice:
    """A policy's choice. `eligible` maps every eligible intervention and `none` to its probability; they sum to 1, and
    `propensity_chosen` is the one that was used to draw. `arm` is shown or held_out; `exclusion` says why it could not
    be held out, None when it could; `stratum` is CSM, segment and risk band."""

    policy_id: str
    policy_version: int
    rule_id: str
    eligible: Mapping[str, float]
    chosen_intervention: str
    propensity_chosen: float
    seed: int
    rank: int
    arm: str
    exclusion: str | None
    stratum: str
    stale_inputs: Sequence[str] = field(default_factory=tuple)


def _record(
    db: Connection, now: datetime, records: Sequence[tuple[AccountContext, Mapping[str, object]]]
) -> list[UUID]:
    """Contexts and their decisions, in two statements for any number; returns the decision ids, in order."""
    frozen, made = [], []
    for context, values in records:
        snapshot_id, hashed = uuid4(), canonical_hash(context.features)
        frozen.append(
            {
                "snapshot_id": snapshot_id,
                "account_key": context.account_key,
                "as_of": context.as_of,
                "features": context.features,
                "sha256": hashed,
            }
        )
        made.append(
            {
                "decision_id": uuid4(),
                "account_key": context.account_key,
                "decided_at": now,
                "csm_email": context.csm_email,
                "csm_open_load": context.csm_open_load,
                "snapshot_id": snapshot_id,
                "snapshot_hash": hashed,
                # the marts end with the last complete day: nothing younger than its end was known
                "newest_input_at": min(now, datetime.combine(context.as_of, time(23, 59, 59), UTC)),
                **values,
            }
        )
    if made:
        db.execute(insert(context_snapshots), frozen)
        db.execute(insert(decisions), made)
    return [one["decision_id"] for one in made]


def record_human(db: Connection, *, context: AccountContext, now: datetime, intervention: str) -> UUID:
    """The record of a person's own action; returns the decision id."""
    values = {
        "policy_id": "human",
        "policy_version": HUMAN_POLICY_VERSION,
        "chosen_intervention": intervention,
        "arm": "human",
        "stale_inputs": [],
    }
    return _record(db, now, [(context, values)])[0]


def record_policy(
    db: Connection, *, now: datetime, choices: Sequence[tuple[AccountContext, PolicyChoice]]
) -> list[UUID]:
    """The records of suggestions, each in the context of its account; returns the decision ids, in order."""
    return _record(
        db,
        now,
        [
            (
                context,
                {
                    "policy_id": choice.policy_id,
                    "policy_version": choice.policy_version,
                    "rule_id": choice.rule_id,
                    "eligible": dict(choice.eligible),
                    "chosen_intervention": choice.chosen_intervention,
                    "propensity_chosen": choice.propensity_chosen,
                    "arm": choice.arm,
                    "exclusion": choice.exclusion,
                    "stratum": choice.stratum,
                    "seed": choice.seed,
                    "rank": choice.rank,
                    "stale_inputs": list(choice.stale_inputs),
                },
            )
            for context, choice in choices
        ],
    )
