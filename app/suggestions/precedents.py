"""What stands behind one suggestion: what else was eligible, and what became of the same before.

Descriptive, not proof: accounts that were treated differ from others in more than the treatment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from app.auth import Identity, Permission, require
from app.db import reading_mart
from app.suggestions.policy import NO_ACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedents:
    """The eligible interventions with the probability of each, none left out, and counts of other suggestions of the
    same rule and intervention: answered, accepted, closed as done, and how they ended; `cleared` of `measured` at 30
    days."""

    eligible: Mapping[str, float]
    suggested: int
    accepted: int
    dismissed: int
    closed: int
    successful: int
    false_alarm: int
    measured: int
    cleared: int


_BEFORE = text(
    """
    with mine as (
        select s.suggestion_id, s.rule_id, s.intervention, d.eligible
        from app.suggestions as s
        left join app.decisions as d on d.decision_id = s.decision_id
        where s.suggestion_id = :suggestion_id
    ),

    alike as (
        select s.*, a.closed_at, o.result, m.measured_30d_status = 'measured' as is_measured, m.trigger_cleared_30d
        from app.suggestions as s
        join mine on mine.rule_id = s.rule_id and mine.intervention = s.intervention
        left join app.actions as a on a.action_id = s.action_id and a.status = 'closed'
        left join lateral (
            select result from app.action_outcomes where action_id = a.action_id order by recorded_at desc limit 1
        ) as o on true
        left join marts.fct_action_outcomes as m on m.decision_id = cast(s.decision_id as text)
        where s.suggestion_id <> mine.suggestion_id and s.decision_id is not null and not s.is_held_out
    )

    select
        (select eligible from mine) as eligible,
        count(*) as suggested,
        count(*) filter (where status in ('accepted', 'accepted_with_edits')) as accepted,
        count(*) filter (where status = 'dismissed') as dismissed,
        count(closed_at) as closed,
        count(*) filter (where result = 'successful') as successful,
        count(*) filter (where result = 'false_alarm') as false_alarm,
        count(*) filter (where closed_at is not null and is_measured and trigger_cleared_30d is not null) as measured,
        count(*) filter (where closed_at is not null and is_measured and trigger_cleared_30d) as cleared
    from alike
    """
)


def precedents(db: Connection, *, identity: Identity, suggestion_id: UUID) -> Precedents:
    """Of one suggestion, over everybody's accounts. Raises NotPermitted, MartUnavailable."""
    require(identity, Permission.READ)
    with reading_mart("fct_action_outcomes"):
        row = db.execute(_BEFORE, {"suggestion_id": suggestion_id}).mappings().one()
    eligible = {name: share for name, share in (row["eligible"] or {}).items() if name != NO_ACTION}
    return Precedents(**{**row, "eligible": eligible})
