"""Versions of a rule: what holds, what held before, what another one would have done, and publishing it.

A version is never changed. Publishing makes a new one active, with who and why; an older one is put back by
publishing its parameters anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, insert, select, update

from app import audit
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, NotFound, StaleVersion
from app.idempotency import once
from app.inputs import required_text
from app.suggestions import parameters, repository, rule_scopes
from app.suggestions.evaluation import POLICY_ID
from app.suggestions.lookback import REACH, Comparison, Progress, compare
from app.suggestions.past.lives import estate
from app.suggestions.past.registry import PAST
from app.suggestions.policy import NO_ACTION, Policy, choose, policy_from_params
from app.suggestions.rules import rule_from_params
from app.suggestions.tables import rules
from app.suggestions.triggers.registry import LOGIC
from app.tables import users

REASON_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """One version of a rule; nobody's name and no reason on what was shipped. `params` is as `app.rules` holds it."""

    rule_id: str
    version: int
    params: dict[str, Any]
    is_active: bool
    created_by: UUID | None
    created_by_name: str | None
    created_at: datetime
    reason: str | None


_VERSION = TypeAdapter(RuleVersion)


def _selected() -> Select:
    return select(*rules.c, users.c.display_name.label("created_by_name")).outerjoin(
        users, users.c.user_id == rules.c.created_by
    )


def _read(row: Row) -> RuleVersion:
    return _VERSION.validate_python(dict(row._mapping))


def active(db: Connection, *, actor: Identity) -> list[RuleVersion]:
    """The active version of every rule, in the order of their numbers. Raises NotPermitted."""
    require(actor, Permission.MANAGE_RULES)
    found = [_read(row) for row in db.execute(_selected().where(rules.c.is_active))]
    return sorted((one for one in found if one.rule_id in LOGIC), key=lambda one: int(one.rule_id.removeprefix("R")))


def versions(db: Connection, *, actor: Identity, rule_id: str) -> list[RuleVersion]:
    """Every version of a rule, newest first. Raises NotPermitted, NotFound."""
    require(actor, Permission.MANAGE_RULES)
    query = _selected().where(rules.c.rule_id == rule_id).order_by(rules.c.version.desc())
    found = [_read(row) for row in db.execute(query)]
    if not found or rule_id not in LOGIC:
        raise NotFound("rule", rule_id)
    return found


def policy(db: Connection) -> Policy:
    """The policy in force: how findings are ranked, and how the intervention is drawn. Raises NotFound."""
    return policy_from_params(POLICY_ID, *repository.active_policy(db, POLICY_ID))


def shares(of: Policy, interventions: list[str]) -> dict[str, float]:
    """How often each intervention would be proposed, 0 to 1, none held out. Raises InvalidInput for an empty list."""
    drawn = choose(of, interventions, seed=0).probabilities
    return {name: share for name, share in drawn.items() if name != NO_ACTION}


def look_back(
    db: Connection, *, actor: Identity, rule_id: str, wanted: Mapping[str, Any], progress: Progress = lambda _: None
) -> Comparison | None:
    """What the rule would have done over the last year as it is, and with the parameters `wanted` (in the shape of
    `params`); None when too little of its input is known by day. Takes seconds; `progress` may raise to stop it.

    Raises NotPermitted, NotFound, InvalidInput, MartUnavailable.
    """
    newest = next(one for one in versions(db, actor=actor, rule_id=rule_id) if one.is_active)
    changed = parameters.changed(rule_id, newest.params, wanted)
    known = estate(db)
    if known.as_of is None:
        return None
    return compare(
        rule_from_params(rule_id, newest.version, newest.params),
        rule_from_params(rule_id, newest.version + 1, changed),
        past=PAST[rule_id](db, known, known.as_of - REACH),
        lives=known.lives,
        last=known.as_of,
        expire_after_days=policy(db).expire_after_days,
        progress=progress,
    )


def publish(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    rule_id: str,
    wanted: Mapping[str, Any],
    reason: str,
    expected_version: int,
    idempotency_key: str,
) -> RuleVersion:
    """Make the parameters `wanted` the active version; it holds from the next evaluation on.

    Raises NotPermitted, NotFound, also for a segment that is not visible to all, InvalidInput naming the field,
    StaleVersion, IdempotencyConflict.
    """
    require(actor, Permission.MANAGE_RULES)
    said = required_text("reason", reason, limit=REASON_LIMIT)

    def work() -> RuleVersion:
        repository.hold_rules(db)
        known = versions(db, actor=actor, rule_id=rule_id)
        current = next(one for one in known if one.is_active)
        if current.version != expected_version:
            raise StaleVersion(current, expected_version, _changes_since(db, actor, rule_id, expected_version))
        params = parameters.changed(rule_id, current.params, wanted)
        if params == current.params:
            raise InvalidInput("params", "That is how the rule is already.", hint="Nothing was published.")
        rule_scopes.hold(db, params)
        number = known[0].version + 1
        db.execute(update(rules).where(rules.c.rule_id == rule_id, rules.c.is_active).values(is_active=False))
        db.execute(
            insert(rules).values(
                rule_id=rule_id,
                version=number,
                params=params,
                is_active=True,
                created_by=actor.user_id,
                created_at=now,
                reason=said,
            )
        )
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.RULE,
            subject_id=rule_id,
            kind=Kind.CHANGED,
            before={parameters.VERSION_FIELD: current.version, **parameters.flat(rule_id, current.params)},
            after={parameters.VERSION_FIELD: number, **parameters.flat(rule_id, params)},
            reason=said,
            idempotency_key=idempotency_key,
        )
        return versions(db, actor=actor, rule_id=rule_id)[0]

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="publish_rule",
        request={
            "rule_id": rule_id,
            "wanted": dict(wanted),
            "reason": said,
            "expected_version": expected_version,
        },
        now=now,
        answer=RuleVersion,
        work=work,
    )


def _changes_since(db: Connection, actor: Identity, rule_id: str, version: int) -> list[audit.AuditEvent]:
    """What was changed after a version, oldest first."""
    events = audit.trail(db, actor=actor, subject=Subject.RULE, subject_id=rule_id)[::-1]
    begins = [
        place
        for place, event in enumerate(events)
        if event.field == parameters.VERSION_FIELD and event.before == version
    ]
    return events[begins[0] :] if begins else []
