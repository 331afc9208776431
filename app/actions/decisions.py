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


def _freeze(db: Connection, context: AccountContext) -> tuple[UUID, bytes]:
    snapshot_id, hashed = uuid4(), canonical_hash(context.features)
    db.execute(
        insert(context_snapshots).values(
            snapshot_id=snapshot_id,
            account_key=context.account_key,
            as_of=context.as_of,
            features=context.features,
            sha256=hashed,
        )
    )
    return snapshot_id, hashed


def _record(db: Connection, context: AccountContext, now: datetime, values: Mapping[str, object]) -> UUID:
    snapshot_id, hashed = _freeze(db, context)
    decision_id = uuid4()
    db.execute(
        insert(decisions).values(
            decision_id=decision_id,
            account_key=context.account_key,
            decided_at=now,
            csm_email=context.csm_email,
            csm_open_load=context.csm_open_load,
            snapshot_id=snapshot_id,
            snapshot_hash=hashed,
            # the marts end with the last complete day: nothing younger than its end was known
            newest_input_at=min(now, datetime.combine(context.as_of, time(23, 59, 59), UTC)),
            **values,
        )
    )
    return decision_id


def record_human(db: Connection, *, context: AccountContext, now: datetime, intervention: str) -> UUID:
    """The record of a person's own action; returns the decision id."""
    return _record(
        db,
        context,
        now,
        {
            "policy_id": "human",
            "policy_version": HUMAN_POLICY_VERSION,
            "chosen_intervention": intervention,
            "arm": "human",
            "stale_inputs": [],
        },
    )


def record_policy(db: Connection, *, context: AccountContext, now: datetime, choice: PolicyChoice) -> UUID:
    """The record of a suggestion; returns the decision id."""
    return _record(
        db,
        context,
        now,
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
