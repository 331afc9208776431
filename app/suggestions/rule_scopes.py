"""Which accounts a rule may see: all, those of one segment alone, or all but those of one.

It is a parameter of the rule like its thresholds: setting it makes a new version, so that every suggestion says by its
rule's version what was so when it was raised.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from app import audit
from app.auth import Identity, Permission, require
from app.errors import InvalidInput, NotFound, StaleVersion
from app.idempotency import once
from app.segments import members
from app.segments import service as segments
from app.suggestions import parameters, repository
from app.suggestions.rules import Rule
from app.suggestions.tables import rules
from app.suggestions.triggers.registry import LOGIC


@dataclass(frozen=True, slots=True)
class Seen:
    """The keys of a segment, and whether a rule sees those alone or all but those; everything without keys."""

    keys: frozenset[str] | None = None
    are_excepted: bool = False

    def holds(self, account_key: str) -> bool:
        """Whether the rule sees this account."""
        return self.keys is None or (account_key in self.keys) != self.are_excepted


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScope:
    """What the active version of a rule is tied to; at most one of the two segments."""

    rule_id: str
    version: int
    title: str
    only_segment: UUID | None
    except_segment: UUID | None


def seen_by(db: Connection, active: Iterable[Rule], *, today: date) -> dict[str, Seen]:
    """What each rule sees in the published build, by rule: one statement for each segment that any is tied to.

    Raises NotFound for a segment that is gone, which no write allows: a rule without its limit would speak of accounts
    that it must leave alone.
    """
    by_segment: dict[str, frozenset[str]] = {}
    seen = {}
    for rule in active:
        segment_id = rule.only_segment or rule.except_segment
        if segment_id is None:
            seen[rule.rule_id] = Seen()
            continue
        if segment_id not in by_segment:
            criteria = segments.shared_segment(db, UUID(segment_id)).asked()
            by_segment[segment_id] = frozenset(members.account_keys(db, criteria, today=today))
        seen[rule.rule_id] = Seen(by_segment[segment_id], are_excepted=rule.only_segment is None)
    return seen


def _scope(rule_id: str, version: int, params: dict) -> RuleScope:
    only, but = params.get("only_segment"), params.get("except_segment")
    return RuleScope(
        rule_id=rule_id,
        version=version,
        title=str(params.get("title", rule_id)),
        only_segment=UUID(only) if only else None,
        except_segment=UUID(but) if but else None,
    )


def list_scopes(db: Connection, *, actor: Identity) -> list[RuleScope]:
    """What every active rule is tied to, in the order of their numbers. Raises NotPermitted."""
    require(actor, Permission.MANAGE_RULES)
    found = [_scope(*row) for row in repository.active_rules(db) if row[0] in LOGIC]
    return sorted(found, key=lambda scope: (len(scope.rule_id), scope.rule_id))


def limit(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    rule_id: str,
    only_segment: UUID | None = None,
    except_segment: UUID | None = None,
    expected_version: int,
    idempotency_key: str,
) -> RuleScope:
    """Publish a version of a rule that sees one segment alone, or all but one, or with neither everything. It holds
    from the next evaluation on. Nothing is written when nothing differs.

    Raises NotPermitted, NotFound, also for a segment that is not visible to all, StaleVersion, InvalidInput when both
    are given.
    """
    require(actor, Permission.MANAGE_RULES)
    if only_segment and except_segment:
        raise InvalidInput("except_segment", "A rule is limited to a segment or leaves one out, not both.")
    wanted = {
        name: str(segment_id)
        for name, segment_id in (("only_segment", only_segment), ("except_segment", except_segment))
        if segment_id
    }

    def work() -> RuleScope:
        repository.hold_rules(db)
        mine = rules.c.rule_id == rule_id
        newest = max(db.execute(select(rules.c.version).where(mine)).scalars(), default=0)
        params = {name: (version, held) for name, version, held in repository.active_rules(db)}
        if rule_id not in params:
            raise NotFound("rule", rule_id)
        version, held = params[rule_id]
        before = _scope(rule_id, version, held)
        if version != expected_version:
            raise StaleVersion(before, expected_version)
        after = {name: value for name, value in held.items() if name not in ("only_segment", "except_segment")} | wanted
        if after == held:
            return before
        for segment_id in wanted.values():
            segments.shared_segment(db, UUID(segment_id))
        db.execute(update(rules).where(mine).values(is_active=False))
        db.execute(
            insert(rules).values(
                rule_id=rule_id,
                version=newest + 1,
                params=after,
                is_active=True,
                created_by=actor.user_id,
                created_at=now,
                reason="It looks at other accounts.",
            )
        )
        tied = ("only_segment", "except_segment")
        audit.record(
            db,
            author=audit.Author.of(actor),
            now=now,
            subject=audit.Subject.RULE,
            subject_id=rule_id,
            kind=audit.Kind.CHANGED,
            before={parameters.VERSION_FIELD: version, **{name: held.get(name) for name in tied}},
            after={parameters.VERSION_FIELD: newest + 1, **{name: after.get(name) for name in tied}},
            idempotency_key=idempotency_key,
        )
        return _scope(rule_id, newest + 1, after)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="limit_rule",
        request={"rule_id": rule_id, **wanted, "expected_version": expected_version},
        now=now,
        answer=RuleScope,
        work=work,
    )
