"""What became of what was decided: from raised over shown, answered and worked to the measured outcome, counted by
rule, intervention, segment, CSM or month.

Descriptive: groups differ in more than what was done about them, so no difference here is an effect. Sources:
decisions, suggestions and actions of schema app as they are now, marts.fct_action_outcomes of the published build.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, text

from app.auth import Identity, Permission, require
from app.db import reading_mart
from app.suggestions.rates import Rate


class By(StrEnum):
    """What decisions are counted by."""

    RULE = "rule"
    INTERVENTION = "intervention"
    SEGMENT = "segment"
    CSM = "csm"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Decisions of one group. Suggestions only, but for what was closed, which counts people's own actions too.

    `held_out` were decided and shown to nobody; `measured` and `cleared` are at 30 days, of what was shown and of what
    was held out. Medians in days; None without a case.
    """

    group: str | None
    raised: int
    held_out: int
    shown: int
    accepted: int
    dismissed: int
    waiting: int
    resolved_itself: int
    expired: int
    closed: int
    successful: int
    false_alarm: int
    days_to_answer: float | None
    days_to_close: float | None
    measured: int
    cleared: int
    held_out_measured: int
    held_out_cleared: int

    @property
    def acceptance(self) -> Rate:
        """Accepted of those a person answered."""
        return Rate(self.accepted, self.accepted + self.dismissed)

    @property
    def false_alarms(self) -> Rate:
        """Closed as false alarm, of all that was closed."""
        return Rate(self.false_alarm, self.closed)

    @property
    def clearing(self) -> Rate:
        """The trigger was gone after 30 days, of what was shown and measured."""
        return Rate(self.cleared, self.measured)

    @property
    def clearing_held_out(self) -> Rate:
        """The same where nothing was suggested."""
        return Rate(self.held_out_cleared, self.held_out_measured)


_GROUPS = {
    By.RULE: "d.rule_id",
    By.INTERVENTION: "coalesce(s.intervention, d.chosen_intervention)",
    By.SEGMENT: "c.features -> 'account' ->> 'segment'",
    By.CSM: "d.csm_email",
    By.MONTH: "to_char(d.decided_at at time zone 'UTC', 'YYYY-MM')",
}

_OUTCOMES = """
with decided as (
    select
        {group} as grouped_by,
        d.decision_id,
        d.policy_id <> 'human' as is_suggested,
        d.arm = 'held_out' as is_held_out,
        d.decided_at,
        s.status,
        s.answered_at,
        exists (
            select from app.suggestion_events as e
            where e.suggestion_id = s.suggestion_id and e.kind in ('shown', 'viewed', 'accepted', 'accepted_with_edits')
        ) as was_shown,
        a.closed_at,
        a.created_at as opened_at,
        o.result
    from app.decisions as d
    join app.context_snapshots as c on c.snapshot_id = d.snapshot_id
    left join app.suggestions as s on s.decision_id = d.decision_id
    left join app.actions as a on a.decision_id = d.decision_id and a.status = 'closed'
    left join lateral (
        select result from app.action_outcomes
        where action_id = a.action_id
        order by recorded_at desc
        limit 1
    ) as o on true
    where d.decided_at >= :since
),

known as (
    select decided.*, m.measured_30d_status = 'measured' as is_measured, m.trigger_cleared_30d
    from decided
    left join marts.fct_action_outcomes as m on m.decision_id = cast(decided.decision_id as text)
)

select
    grouping(grouped_by) = 1 as is_whole,
    grouped_by as group,
    count(*) filter (where is_suggested) as raised,
    count(*) filter (where is_held_out) as held_out,
    count(*) filter (where was_shown) as shown,
    count(*) filter (where status in ('accepted', 'accepted_with_edits')) as accepted,
    count(*) filter (where status = 'dismissed') as dismissed,
    count(*) filter (where status in ('generated', 'shown', 'viewed', 'snoozed')) as waiting,
    count(*) filter (where status = 'auto_resolved') as resolved_itself,
    count(*) filter (where status = 'expired') as expired,
    count(closed_at) as closed,
    count(*) filter (where result = 'successful') as successful,
    count(*) filter (where result = 'false_alarm') as false_alarm,
    percentile_cont(0.5) within group (
        order by extract(epoch from answered_at - decided_at) / 86400
    ) filter (where answered_at is not null) as days_to_answer,
    percentile_cont(0.5) within group (
        order by extract(epoch from closed_at - opened_at) / 86400
    ) filter (where closed_at is not null) as days_to_close,
    count(*) filter (where was_shown and is_measured and trigger_cleared_30d is not null) as measured,
    count(*) filter (where was_shown and is_measured and trigger_cleared_30d) as cleared,
    count(*) filter (where is_held_out and is_measured and trigger_cleared_30d is not null) as held_out_measured,
    count(*) filter (where is_held_out and is_measured and trigger_cleared_30d) as held_out_cleared
from known
group by grouping sets ((grouped_by), ())
order by raised desc, closed desc, grouped_by
"""


def outcomes(db: Connection, *, identity: Identity, since: datetime, by: By) -> tuple[Outcomes, list[Outcomes]]:
    """All decisions since a moment as one group, and one row per group of them, most suggestions first.

    Raises MartUnavailable, NotPermitted.
    """
    require(identity, Permission.READ)
    statement = text(_OUTCOMES.format(group=_GROUPS[by]))
    groups: list[Outcomes] = []
    with reading_mart("fct_action_outcomes"):
        for row in db.execute(statement, {"since": since}).mappings():
            counted = Outcomes(**{name: value for name, value in row.items() if name != "is_whole"})
            if row["is_whole"]:
                whole = counted
            else:
                groups.append(counted)
    return whole, groups
