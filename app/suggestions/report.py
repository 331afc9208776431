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

    `viewed` were opened or taken on; `done` are accepted ones whose action is closed; `held_out` were decided and shown
    to nobody; `measured` and `cleared` are at 30 days, of what was shown and of what
    was held out. Medians in days; None without a case.
    """

    group: str | None
    raised: int
    held_out: int
    shown: int
    viewed: int
    accepted: int
    done: int
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Decided before `until`, about accounts that now have one of these CSMs, plans and segments; empty means any.
    `account_keys`: only these, None for all. `owner_emails`: only theirs in the CRM, None for everybody's.
    """

    until: datetime
    csms: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    account_keys: tuple[str, ...] | None = None
    owner_emails: tuple[str, ...] | None = None

    def parameters(self) -> dict[str, object]:
        """What the condition of the statement takes."""
        return {
            "until": self.until,
            "csms": list(self.csms) or None,
            "plans": list(self.plans) or None,
            "segments": list(self.segments) or None,
            "account_keys": None if self.account_keys is None else list(self.account_keys),
            "owner_emails": None if self.owner_emails is None else list(self.owner_emails),
        }


_CHOSEN = """
        and d.decided_at < :until
        and exists (
            select from marts.dim_accounts as n
            where n.account_key = d.account_key
                and (cast(:csms as text[]) is null or n.csm_name = any(cast(:csms as text[])))
                and (cast(:plans as text[]) is null or n.plan = any(cast(:plans as text[])))
                and (cast(:segments as text[]) is null or n.segment = any(cast(:segments as text[])))
                and (cast(:account_keys as text[]) is null or n.account_key = any(cast(:account_keys as text[])))
                and (cast(:owner_emails as text[]) is null or n.csm_email = any(cast(:owner_emails as text[])))
        )"""

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
        exists (
            select from app.suggestion_events as e
            where e.suggestion_id = s.suggestion_id and e.kind in ('viewed', 'accepted', 'accepted_with_edits')
        ) as was_viewed,
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
    where d.decided_at >= :since{condition}
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
    count(*) filter (where was_viewed) as viewed,
    count(*) filter (where status in ('accepted', 'accepted_with_edits')) as accepted,
    count(closed_at) filter (where status in ('accepted', 'accepted_with_edits')) as done,
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
    return count(db, since=since, by=by)


def count(db: Connection, *, since: datetime, by: By, chosen: Chosen | None = None) -> tuple[Outcomes, list[Outcomes]]:
    """As `outcomes`, of what is chosen, for a caller who has asked whether it may be read. Raises MartUnavailable."""
    statement = text(_OUTCOMES.format(group=_GROUPS[by], condition=_CHOSEN if chosen else ""))
    groups: list[Outcomes] = []
    with reading_mart("fct_action_outcomes"):
        for row in db.execute(statement, {"since": since, **(chosen.parameters() if chosen else {})}).mappings():
            counted = Outcomes(**{name: value for name, value in row.items() if name != "is_whole"})
            if row["is_whole"]:
                whole = counted
            else:
                groups.append(counted)
    return whole, groups
