"""Lists stay short by themselves: what ended long ago is archived, what nobody ever touched expires, and work on a
customer who has left is called off.

Nothing is deleted, and nothing that clears by itself counts as a success: it is cancelled, by a job, with its reason in
the story. Every function is safe to run at any time, twice too.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, exists, text

from app.actions import repository
from app.actions.lifecycle import CancelReason, Status, plan_move
from app.actions.repository import EventActor
from app.actions.tables import action_events, actions
from app.actions.vocabulary import ActorKind
from app.actions.writing import apply, differences, standing
from app.calendar import display_date
from app.configuration import Retention, active
from app.db import reading_mart
from app.errors import MartUnavailable

BATCH = 500
_JOB = EventActor(user_id=None, name="Upkeep", kind=ActorKind.JOB)

_OVERTAKEN = text(
    """
    select a.action_id
    from app.actions as a
    join marts.dim_accounts as d on d.account_key = a.account_key
    where a.status = 'new' and not d.is_active and d.churned_date > (a.created_at at time zone 'Europe/London')::date
    order by a.action_id
    limit :batch
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepReport:
    """How many actions one run archived, let expire, and called off because the account has left."""

    archived: int
    expired: int
    account_churned: int


def run(db: Connection, *, now: datetime) -> UpkeepReport:
    """All three, at most BATCH actions each; the next run goes on. Without marts no account is known to have left."""
    retention = active(db, Retention)
    return UpkeepReport(
        account_churned=call_off_churned(db, now=now),
        expired=expire(db, now=now, after_days=retention.expire_after_days),
        archived=archive(db, now=now, after_days=retention.archive_after_days),
    )


def archive(db: Connection, *, now: datetime, after_days: int) -> int:
    """Take actions that ended over `after_days` days ago out of the lists; a link or a search still finds them."""
    old = (actions.c.closed_at < now - timedelta(days=after_days)) & actions.c.archived_at.is_(None)
    found = repository.lock_many(db, old, limit=BATCH)
    for action in found:
        changes = {"archived_at": now}
        after = repository.change(db, action, changes, now=now)
        repository.append(db, action=after, actor=_JOB, now=now, changes=differences(action, changes))
    return len(found)


def expire(db: Connection, *, now: datetime, after_days: int) -> int:
    """Cancel what is `after_days` days overdue and was never begun, nor noted on or changed by anybody since then.

    What jobs did to it, such as escalating it, does not count: it would keep forgotten work alive by itself.
    """
    since = now - timedelta(days=after_days)
    touched = exists().where(
        action_events.c.action_id == actions.c.action_id,
        action_events.c.at >= since,
        action_events.c.actor_kind == ActorKind.USER.value,
    )
    forgotten = (actions.c.status == Status.NEW.value) & (actions.c.due_date < display_date(since)) & ~touched
    told = f"Nobody touched it in the {after_days} days after it was due."
    return _call_off(db, forgotten, CancelReason.NO_LONGER_RELEVANT, told, now=now)


def call_off_churned(db: Connection, *, now: datetime) -> int:
    """Cancel what was planned before its account left and never begun; what is being worked on stays with its owner."""
    try:
        with reading_mart("dim_accounts"), db.begin_nested():
            left = list(db.execute(_OVERTAKEN, {"batch": BATCH}).scalars())
    except MartUnavailable:
        return 0
    waiting = (actions.c.status == Status.NEW.value) & actions.c.action_id.in_(left)
    return _call_off(db, waiting, CancelReason.ACCOUNT_CHURNED, "The account has left.", now=now)


def _call_off(db: Connection, where: ColumnElement[bool], code: CancelReason, told: str, *, now: datetime) -> int:
    found = repository.lock_many(db, where, limit=BATCH)
    for action in found:
        move = plan_move(standing(action), Status.CANCELLED, now=now, today=display_date(now), reason=code)
        apply(db, action, replace(move, reason=told), actor=_JOB, now=now)
    return len(found)
