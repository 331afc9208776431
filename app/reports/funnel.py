"""Suggestion funnel: how far suggestions came, counted by rule, intervention, segment or month.

The counting is the one of `app.suggestions.report`, which the Outcomes page shows too.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.reports.model import ACCOUNT_FILTERS, Filter, Report, now
from app.reports.reach import Reach
from app.reports.wanted import Wanted
from app.suggestions import report
from app.suggestions.report import By, Outcomes

_GROUPS = {by.value: by for by in (By.RULE, By.INTERVENTION, By.SEGMENT, By.MONTH)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Suggestions of one group decided in the period, and how many of them came this far; shares are 0 to 1 of the step
    before, None of nothing. `cleared` is 30 days after the decision, of those `measured`; `group` None: unknown.
    """

    group: str | None
    fired: int
    held_out: int
    shown: int
    viewed: int
    accepted: int
    dismissed: int
    done: int
    measured: int
    cleared: int
    shown_ratio: float | None
    accepted_ratio: float | None
    done_ratio: float | None
    cleared_ratio: float | None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _row(counted: Outcomes) -> Row:
    return Row(
        group=counted.group,
        fired=counted.raised,
        held_out=counted.held_out,
        shown=counted.shown,
        viewed=counted.viewed,
        accepted=counted.accepted,
        dismissed=counted.dismissed,
        done=counted.done,
        measured=counted.measured,
        cleared=counted.cleared,
        shown_ratio=_share(counted.shown, counted.raised),
        accepted_ratio=_share(counted.accepted, counted.shown),
        done_ratio=_share(counted.done, counted.accepted),
        cleared_ratio=_share(counted.cleared, counted.measured),
    )


def read(db: Connection, *, wanted: Wanted, reach: Reach, as_of: date) -> list[Row]:
    """One row per group with a suggestion, most fired first."""
    chosen = report.Chosen(
        until=wanted.until,
        csms=wanted.csms,
        plans=wanted.plans,
        segments=wanted.segments,
        account_keys=wanted.account_keys,
        owner_emails=reach.owner_emails,
    )
    _, groups = report.count(db, since=wanted.since, by=_GROUPS.get(wanted.by, By.RULE), chosen=chosen)
    return [_row(one) for one in groups if one.raised]


def whole(groups: list[Row]) -> Row:
    """All groups as one."""
    counts = ("fired", "held_out", "shown", "viewed", "accepted", "dismissed", "done", "measured", "cleared")
    total = {name: sum(getattr(one, name) for one in groups) for name in counts}
    return Row(
        group=None,
        **total,
        shown_ratio=_share(total["shown"], total["fired"]),
        accepted_ratio=_share(total["accepted"], total["shown"]),
        done_ratio=_share(total["done"], total["accepted"]),
        cleared_ratio=_share(total["cleared"], total["measured"]),
    )


REPORT = Report(
    title="Suggestion funnel",
    question="how far suggestions come, from the rule that fires to the measured outcome",
    formula="""
- **Fired**: a rule's trigger held and the suggestion had a place in its CSM's day. **Shown**: it was on the
  screen of the account's own CSM. **Viewed**: somebody opened it or took it on. **Done**: its action is closed.
- **Cleared**: the trigger was gone 30 days after the decision, over what was shown and is old enough to be
  measured. Held-out suggestions fire and are shown to nobody.
- Counts, not effects; as they are now, measured outcomes as of the build.
""",
    sources=("app.decisions", "app.suggestions", "app.actions", "marts.fct_action_outcomes", "marts.dim_accounts"),
    row_type=Row,
    read=read,
    members=now,
    filters=ACCOUNT_FILTERS | {Filter.PERIOD},
    groups={"rule": "Rule", "intervention": "Intervention", "segment": "Segment", "month": "Month"},
    months=3,
    period=("Decided from", "to"),
    tells_of_people=True,
)
