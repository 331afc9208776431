"""Noisy rules are throttled: what they find ranks lower, so that it takes fewer places of a CSM's day, until an admin
lifts it or publishes a new version of the rule.

Only the order is changed, never the draw: probabilities stay those of the policy. The share that was left of the score
stands in the throttle's own row with the figures that began it, and the score in the suggestion's, so that what was
ranked can be told again from what is stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, text, update

from app import audit
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, require
from app.configuration import RuleThrottling, active
from app.errors import NotFound
from app.idempotency import once
from app.inputs import required_text
from app.suggestions.policy import is_noisy
from app.suggestions.rates import Rate
from app.suggestions.tables import rule_throttles, rules

REASON_LIMIT = 500
_JOB = Author(user_id=None, name="Evaluation", kind="job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A throttle that stands or has ended: of so many answers so many were false alarms when it began. `score_share`
    is what is left of the score of what the rule finds, 0 to 1."""

    throttle_id: int
    rule_id: str
    rule_version: int
    began_at: datetime
    false_alarm_count: int
    answer_count: int
    score_share: float
    ended_at: datetime | None
    ended_by_name: str | None
    ended_reason: str | None

    @property
    def false_alarms(self) -> Rate:
        """False alarms of all answers when it began."""
        return Rate(self.false_alarm_count, self.answer_count)


_THROTTLE = TypeAdapter(Throttle)
_COLUMNS = tuple(column for column in rule_throttles.c if column.name != "ended_by")

# Answers to suggestions of the version in force, since its throttle was last lifted. An action counts by how it was
# closed at last, a dismissal by its reason; what is neither closed nor dismissed says nothing yet.
_ANSWERS = text(
    """
    select
        r.rule_id,
        r.version as rule_version,
        count(*) filter (where s.dismissal_reason = 'not_a_real_risk' or o.result = 'false_alarm') as false_alarm_count,
        count(*) as answer_count
    from app.rules as r
    join app.suggestions as s on s.rule_id = r.rule_id and s.rule_version = r.version
    left join app.actions as a on a.action_id = s.action_id and a.status = 'closed'
    left join lateral (
        select result from app.action_outcomes where action_id = a.action_id order by recorded_at desc limit 1
    ) as o on true
    where
        r.is_active
        and (s.status = 'dismissed' or a.action_id is not null)
        and coalesce(a.closed_at, s.answered_at) > :since
        and coalesce(a.closed_at, s.answered_at) > coalesce(
            (select max(t.ended_at) from app.rule_throttles as t where t.rule_id = r.rule_id), '-infinity'
        )
    group by r.rule_id, r.version
    """
)
_STANDING = text(
    """
    select t.rule_id, t.score_share
    from app.rule_throttles as t
    join app.rules as r on r.rule_id = t.rule_id and r.version = t.rule_version and r.is_active
    where t.ended_at is null
    """
)


def shares(db: Connection) -> dict[str, float]:
    """What is left of the score, by rule, of those that are throttled now."""
    return {row.rule_id: row.score_share for row in db.execute(_STANDING)}


def review(db: Connection, *, now: datetime) -> list[str]:
    """Throttle the rules whose answers say that they are noisy; returns those that are so from now on."""
    setting = active(db, RuleThrottling)
    standing = shares(db)
    found = db.execute(_ANSWERS, {"since": now - timedelta(days=setting.window_days)}).all()
    noisy = [
        row
        for row in found
        if row.rule_id not in standing
        and is_noisy(
            Rate(row.false_alarm_count, row.answer_count),
            line=setting.line_pct / 100,
            least_answers=setting.least_answers,
        )
    ]
    for row in noisy:
        values = {**row._mapping, "began_at": now, "score_share": setting.score_left_pct / 100}
        db.execute(insert(rule_throttles).values(values))
        audit.record(
            db,
            author=_JOB,
            now=now,
            subject=Subject.RULE,
            subject_id=row.rule_id,
            kind=Kind.CHANGED,
            before={"is_throttled": False},
            after={"is_throttled": True},
            reason=f"{row.false_alarm_count} of {row.answer_count} answers were false alarms",
        )
    return [row.rule_id for row in noisy]


def throttles(db: Connection, *, actor: Identity) -> dict[str, Throttle]:
    """The throttles that stand on the versions in force, by rule. Raises NotPermitted."""
    require(actor, Permission.MANAGE_RULES)
    rows = db.execute(select(*_COLUMNS).where(rule_throttles.c.ended_at.is_(None)).order_by(rule_throttles.c.began_at))
    standing = shares(db)
    found = [_THROTTLE.validate_python(dict(row._mapping)) for row in rows]
    return {one.rule_id: one for one in found if one.rule_id in standing}


def lift(
    db: Connection, *, actor: Identity, now: datetime, rule_id: str, reason: str, idempotency_key: str
) -> Throttle:
    """End the throttle of a rule; answers from now on decide whether another begins.

    Raises NotPermitted, NotFound when none stands, InvalidInput, IdempotencyConflict.
    """
    require(actor, Permission.MANAGE_RULES)
    said = required_text("reason", reason, limit=REASON_LIMIT)

    def work() -> Throttle:
        in_force = select(rules.c.version).where(rules.c.rule_id == rule_id, rules.c.is_active).scalar_subquery()
        row = db.execute(
            update(rule_throttles)
            .where(
                rule_throttles.c.rule_id == rule_id,
                rule_throttles.c.rule_version == in_force,
                rule_throttles.c.ended_at.is_(None),
            )
            .values(ended_at=now, ended_by=actor.user_id, ended_by_name=actor.display_name, ended_reason=said)
            .returning(*_COLUMNS)
        ).first()
        if row is None:
            raise NotFound("throttle", rule_id)
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.RULE,
            subject_id=rule_id,
            kind=Kind.CHANGED,
            before={"is_throttled": True},
            after={"is_throttled": False},
            reason=said,
            idempotency_key=idempotency_key,
        )
        return _THROTTLE.validate_python(dict(row._mapping))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="lift_throttle",
        request={"rule_id": rule_id, "reason": said},
        now=now,
        answer=Throttle,
        work=work,
    )
