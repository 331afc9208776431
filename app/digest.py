"""The morning mail: what is late, what is due, what came back, what waits for an answer. Nothing waiting, no mail.

It is written once a day and person, after seven in their own time zone on a day they work, or on the first such day
of their week. The trap it avoids: a digest that is "sent at seven" by a job that was down at seven is lost; this one
goes out with the first run after seven.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from app.actions import service as actions
from app.actions.escalation import ESCALATED, FOR_DECISION
from app.actions.lifecycle import Category
from app.actions.model import ActionFilter, ActionRow
from app.auth import Role, identity_of
from app.calendar import Calendar, calendar_of, shown_date, week_start
from app.configuration import CompanyHolidays, Escalation, active
from app.notices import outbox
from app.notices.links import action_url, page_url
from app.suggestions import service as suggestions
from app.suggestions.model import Suggestion
from app.users import User, list_users

SENT_FROM = time(7)
MOST_LINES = 10
_MOST_READ = 500
_WORKED_ON = (Category.NOT_STARTED, Category.STARTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One mail as plain text."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReport:
    """How many people one run wrote to, and how many it had nothing for."""

    enqueued: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A heading with its lines; `count` may be more than the lines."""

    heading: str
    summary: str
    count: int
    lines: tuple[str, ...]


def compose(db: Connection, *, user: User, now: datetime) -> Digest | None:
    """What a person should know this morning, in the days of their own calendar; None when there is nothing.

    Overdue actions stand there from the published `digest_day` on. A weekly digest looks back a week for what came
    back from snooze, a daily one to the business day before. Each action stands in one part only.
    """
    calendar = calendar_of(user, active(db, CompanyHolidays).days)
    today = calendar.today(now)
    own = _open_actions(db, ActionFilter(owner_user_id=user.user_id, categories=_WORKED_ON))
    parts = [*_for_decision(db, user, calendar, today), *_own_work(db, user, own, calendar, today)]
    parts += _waiting_suggestions(db, user)
    if not parts:
        return None
    told = ", ".join(part.summary for part in parts)
    body = "\n\n".join("\n".join((f"{part.heading} ({part.count})", *part.lines)) for part in parts)
    rhythm = "week" if user.digest == "weekly" else "day"
    return Digest(
        subject=f"Your {rhythm}: {told}",
        body=f"{body}\n\nMy day: {page_url('my-day')}\nHow often you get this: {page_url('preferences')}\n",
    )


def _open_actions(db: Connection, wanted: ActionFilter) -> list[ActionRow]:
    return actions.list_actions(db, filter=wanted, limit=_MOST_READ)


def _part(heading: str, word: str, rows: Sequence[ActionRow], calendar: Calendar, today: date) -> list[_Part]:
    if not rows:
        return []
    lines = [f"- {_line(row, calendar, today)}\n  {action_url(row.action_id)}" for row in rows[:MOST_LINES]]
    return [_Part(heading=heading, summary=f"{len(rows)} {word}", count=len(rows), lines=_cut(lines, len(rows)))]


def _cut(lines: Sequence[str], count: int) -> tuple[str, ...]:
    return (*lines, f"- and {count - len(lines)} more") if count > len(lines) else tuple(lines)


def _line(row: ActionRow, calendar: Calendar, today: date) -> str:
    facts = [f"{row.account_name}: {row.title}"]
    if row.due_date is not None:
        facts.append(f"due {shown_date(row.due_date)}")
        if row.due_date < today:
            late = calendar.business_days_between(row.due_date, today)
            facts.append(f"{late} business {'day' if late == 1 else 'days'} late")
    if row.escalation_level == ESCALATED:
        facts.append("the admins were told")
    elif row.escalation_level >= FOR_DECISION:
        facts.append("an admin must decide")
    return ", ".join(facts)


def _for_decision(db: Connection, user: User, calendar: Calendar, today: date) -> list[_Part]:
    """What admins must reassign, re-date or cancel, whoever has it."""
    if user.role is not Role.ADMIN:
        return []
    grave = _open_actions(db, ActionFilter(least_escalation_level=FOR_DECISION, categories=_WORKED_ON))
    others = [row for row in grave if row.owner_user_id != user.user_id]
    return _part("For you to decide", "to decide", others, calendar, today)


def _own_work(db: Connection, user: User, rows: Sequence[ActionRow], calendar: Calendar, today: date) -> list[_Part]:
    digest_day = active(db, Escalation).digest_day
    next_week = week_start(today) + timedelta(days=7)
    last_time = today - timedelta(days=7) if user.digest == "weekly" else calendar.add_business_days(today, -1)
    since = calendar.start_of_day(last_time)
    overdue, due_today, this_week, came_back = [], [], [], []
    for row in rows:
        is_back = row.returned_from_snooze_at is not None and row.returned_from_snooze_at >= since
        if row.due_date is not None and row.due_date < today:
            if calendar.business_days_between(row.due_date, today) >= digest_day:
                overdue.append(row)
        elif row.due_date == today:
            due_today.append(row)
        elif is_back:
            came_back.append(row)
        elif row.due_date is not None and row.due_date < next_week:
            this_week.append(row)
    return [
        *_part("Overdue", "overdue", overdue, calendar, today),
        *_part("Due today", "due today", due_today, calendar, today),
        *_part("Back from snooze", "back from snooze", came_back, calendar, today),
        *_part("Due this week", "due this week", this_week, calendar, today),
    ]


def _waiting_suggestions(db: Connection, user: User) -> list[_Part]:
    """Suggestions on the accounts that are theirs to work; none for people who have no accounts."""
    identity = identity_of(db, user.user_id)
    if identity is None or identity.role is not Role.CSM or not identity.owner_emails:
        return []
    waiting: list[Suggestion] = suggestions.list_open(db, identity=identity)
    if not waiting:
        return []
    lines = [f"- {one.account_name}: {one.title}" for one in waiting[:MOST_LINES]]
    noun = "suggestion" if len(waiting) == 1 else "suggestions"
    return [
        _Part(
            heading="Suggested",
            summary=f"{len(waiting)} {noun}",
            count=len(waiting),
            lines=_cut(lines, len(waiting)),
        )
    ]


def is_due(user: User, calendar: Calendar, *, now: datetime) -> bool:
    """Whether today's digest may go out: after seven there, on a business day, the week's first for a weekly one."""
    today = calendar.today(now)
    if user.digest == "never" or not user.is_active or now < calendar.at(today, SENT_FROM):
        return False
    if user.digest == "weekly":
        return calendar.is_first_business_day_of_week(today)
    return calendar.is_business_day(today)


def send_due(db: Connection, *, now: datetime) -> DigestReport:
    """Put today's digests into the outbox, one a person and day; nothing when no mail server is configured.

    Who had nothing this morning and gets something later in the day is written to then. Safe to run at any time.
    """
    if not outbox.is_configured(outbox.Channel.EMAIL):
        return DigestReport()
    days_off = active(db, CompanyHolidays).days
    due: dict[str, User] = {}
    for user in list_users(db, with_inactive=False):
        calendar = calendar_of(user, days_off)
        if is_due(user, calendar, now=now):
            due[f"digest:{user.user_id}:{calendar.today(now)}"] = user
    enqueued = empty = 0
    sent = outbox.known_keys(db, due)
    for key, user in due.items():
        if key in sent:
            continue
        digest = compose(db, user=user, now=now)
        if digest is None:
            empty += 1
            continue
        message_id = outbox.enqueue(
            db,
            now=now,
            channel=outbox.Channel.EMAIL,
            recipient=user.email,
            user_id=user.user_id,
            subject=digest.subject,
            body=digest.body,
            dedupe_key=key,
        )
        enqueued += message_id is not None
    return DigestReport(enqueued=enqueued, empty=empty)
