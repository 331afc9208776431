"""What happens to work that is late: named in the digest, then told to owner and admins, then an admin must decide.

The level of an action (0 to 3) follows from facts alone: its due date, when its owner last changed or it came back,
the owner's calendar, and the thresholds an admin published. The job writes what follows, up or down, so that running
it twice, late, or after the configuration changed leaves the same rows. The trap it avoids: an action that gets a new
owner a week after its date would be "for decision" again within the hour; so lateness counts from the new beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from app.actions import repository
from app.actions.lifecycle import Status, is_open
from app.actions.model import Action
from app.actions.repository import EventActor
from app.actions.tables import actions
from app.actions.telling import about
from app.actions.vocabulary import ActorKind
from app.actions.writing import amend
from app.calendar import DISPLAY, DISPLAY_REGION, Calendar
from app.configuration import CompanyHolidays, Escalation, active
from app.notices import outbox
from app.notices.links import action_url
from app.notices.service import NewNotice, NoticeKind, admins_of, notify_all

NAMED, ESCALATED, FOR_DECISION = 1, 2, 3
BATCH = 500
MOST_LINES = 20
_FARTHEST_EAST = timedelta(hours=14)
_JOB = EventActor(user_id=None, name="Escalation", kind=ActorKind.JOB)

# A new owner, a return from snooze and a reopening begin anew: nobody is late for what they did not have.
_CONCERNED = text(
    """
    select
        a.action_id,
        a.version,
        a.status,
        a.due_date,
        a.escalation_level,
        u.time_zone,
        u.holiday_region,
        u.display_name as owner_name,
        began.began_at
    from app.actions as a
    left join app.users as u on u.user_id = a.owner_user_id
    cross join lateral (
        select max(e.at) as began_at
        from app.action_events as e
        where
            e.action_id = a.action_id
            and (
                e.field = 'owner_user_id'
                or e.field = 'status' and e.before in ('"snoozed"', '"closed"', '"cancelled"')
            )
    ) as began
    where
        a.status not in ('closed', 'cancelled')
        and (a.due_date < :latest_today and a.status <> 'snoozed' or a.escalation_level > 0)
    order by a.due_date nulls first, a.action_id
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationReport:
    """How many actions one run raised to each level, and how many it took back because they are not late any more."""

    named: int = 0
    escalated: int = 0
    for_decision: int = 0
    eased: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raised:
    before: Action
    after: Action
    days_late: int
    owner_name: str | None


def level_of(days_late: int, thresholds: Escalation) -> int:
    """The level of an action that is so many business days late."""
    steps = (thresholds.digest_day, thresholds.owner_and_admin_day, thresholds.decision_day)
    return sum(days_late >= step for step in steps)


def days_late(*, due_date: date | None, began_at: datetime | None, calendar: Calendar, now: datetime) -> int:
    """Business days since an action was due, or since it began anew after that; 0 when it is not late."""
    if due_date is None:
        return 0
    since = max(due_date, calendar.today(began_at)) if began_at else due_date
    return max(0, calendar.business_days_between(since, calendar.today(now)))


def escalate(db: Connection, *, now: datetime) -> EscalationReport:
    """Bring the escalation level of every open action to what its lateness says, at most 500 a run; tell who must know.

    A snoozed action is not late. Lateness is counted in the owner's own calendar, in England's while nobody has it.
    Reaching level 2 is told to the owner and the admins, level 3 to the admins, who must reassign, re-date or cancel;
    both to the team's channel, in one message. Safe to run at any time, twice too.
    """
    thresholds = active(db, Escalation)
    days_off = frozenset(active(db, CompanyHolidays).days)
    calendars: dict[tuple[str, str], Calendar] = {}
    wanted: dict[UUID, tuple[int, int, int, str | None]] = {}
    for row in db.execute(_CONCERNED, {"latest_today": (now + _FARTHEST_EAST).date()}):
        place = (row.time_zone or str(DISPLAY.zone), row.holiday_region or DISPLAY_REGION)
        if place not in calendars:
            calendars[place] = Calendar(zone=ZoneInfo(place[0]), region=place[1], days_off=days_off)
        late = 0
        if row.status != Status.SNOOZED.value:
            late = days_late(due_date=row.due_date, began_at=row.began_at, calendar=calendars[place], now=now)
        level = level_of(late, thresholds)
        if level != row.escalation_level:
            wanted[row.action_id] = (row.version, level, late, row.owner_name)
            if len(wanted) == BATCH:
                break
    if not wanted:
        return EscalationReport()
    raised: list[_Raised] = []
    eased = 0
    for action in repository.lock_many(db, actions.c.action_id.in_(wanted)):
        version, level, late, owner_name = wanted[action.action_id]
        if action.version != version or not is_open(action.status):
            continue  # somebody changed it meanwhile: the next run looks again
        after = amend(db, action, {"escalation_level": level}, actor=_JOB, now=now)
        if level > action.escalation_level:
            raised.append(_Raised(before=action, after=after, days_late=late, owner_name=owner_name))
        else:
            eased += 1
    _tell(db, raised, now=now)
    reached = [one.after.escalation_level for one in raised]
    return EscalationReport(
        named=reached.count(NAMED),
        escalated=reached.count(ESCALATED),
        for_decision=reached.count(FOR_DECISION),
        eased=eased,
    )


def _late(count: int) -> str:
    return f"{count} business {'day' if count == 1 else 'days'} late"


def _tell(db: Connection, raised: Sequence[_Raised], *, now: datetime) -> None:
    grave = sorted(
        (one for one in raised if one.after.escalation_level >= ESCALATED),
        key=lambda one: (-one.after.escalation_level, -one.days_late, one.after.action_id),
    )
    if not grave:
        return
    admins = admins_of(db)
    told: list[NewNotice] = []
    for one in grave:
        action, needs_decision = one.after, one.after.escalation_level == FOR_DECISION
        whose = f"{about(action)}, {one.owner_name or 'nobody has it'}"
        for admin in admins:
            if needs_decision:
                title = f"Decide: {action.title} is {_late(one.days_late)}"
                body = f"{whose}\nReassign it, set a new date, or cancel it."
                told.append(_notice(admin, NoticeKind.DECISION_NEEDED, action, title, body))
            else:
                title = f"{_late(one.days_late)}: {action.title}"
                told.append(_notice(admin, NoticeKind.ESCALATED, action, title, whose))
        owner = action.owner_user_id
        if owner is not None and owner not in admins and one.before.escalation_level < ESCALATED:
            title = f"Yours is {_late(one.days_late)}: {action.title}"
            told.append(_notice(owner, NoticeKind.ESCALATED, action, title, about(action)))
    notify_all(db, now=now, told=told)
    _tell_channel(db, grave, now=now)


def _notice(user_id: UUID, kind: NoticeKind, action: Action, title: str, body: str) -> NewNotice:
    return NewNotice(
        user_id=user_id,
        kind=kind,
        title=title,
        body=body,
        action_id=action.action_id,
        account_key=action.account_key,
        dedupe_key=f"{kind}:{action.action_id}:{action.version}",
    )


def _tell_channel(db: Connection, grave: Sequence[_Raised], *, now: datetime) -> None:
    lines = [
        f"{one.after.account_name}: {one.after.title}, {_late(one.days_late)}, {one.owner_name or 'nobody has it'}"
        f" {action_url(one.after.action_id)}"
        for one in grave[:MOST_LINES]
    ]
    if len(grave) > MOST_LINES:
        lines.append(f"And {len(grave) - MOST_LINES} more.")
    name = ",".join(f"{one.after.action_id}:{one.after.version}" for one in grave)
    outbox.enqueue(
        db,
        now=now,
        channel=outbox.Channel.WEBHOOK,
        recipient=outbox.TEAM_CHANNEL,
        subject="1 action is late" if len(grave) == 1 else f"{len(grave)} actions are late",
        body="\n".join(lines),
        dedupe_key=f"escalation:{blake2b(name.encode(), digest_size=16).hexdigest()}",
    )
