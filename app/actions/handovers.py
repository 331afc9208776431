"""One person's whole book in another's hands: while they are away, or because they left.

A hand-over that runs answers everywhere whose accounts these are (`app.auth.Identity.owner_emails`,
`repository.user_of_owner`); which open actions move with it is the admin's choice. What a cover moved and is still open
with whoever covers goes back when it ends. The trap avoided: chains. A person whose book is with somebody else covers
for nobody, and who covers gives their own book to nobody, so that whose accounts these are always has one answer.

Dates are days of the person whose book it is, in their own zone; `ends_on` is the last day of the cover.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, insert, select, text, update

from app import audit, configuration
from app.actions import repository, writing
from app.actions.lifecycle import OPEN, Status, is_open
from app.actions.model import Action
from app.actions.repository import EventActor
from app.actions.tables import actions, handover_items
from app.actions.telling import shown_date
from app.actions.vocabulary import ActorKind, Priority, Source
from app.actions.workload import workloads
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, Role, require
from app.calendar import calendar_of
from app.configuration import Interventions
from app.db import reading_mart
from app.errors import InvalidInput, NotFound, StaleVersion
from app.idempotency import once
from app.inputs import member, required_text
from app.notices.service import NewNotice, NoticeKind, notify_all
from app.tables import handovers, users
from app.users import User, get_user

REASON_LIMIT = 500
LARGEST_PAGE = 500
FURTHEST_START = timedelta(days=366)
_LOCK = 7_461_005
_JOB = "Hand-over"


class Moves(StrEnum):
    """Which open actions of a person move with their book."""

    NONE = "none"
    SUGGESTED = "suggested"
    ALL_OPEN = "all_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDraft:
    """Who gives their book to whom, from when to when (None: until somebody ends it), and what moves.

    `moves` suggested means the actions of accepted suggestions that nobody has started.
    """

    from_user_id: UUID
    to_user_id: UUID
    starts_on: date
    reason: str
    moves: str
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverItem:
    """An action that a hand-over moved, as it stands now; `returned_at` when the end of the cover gave it back."""

    action_id: UUID
    title: str
    account_key: str
    account_name: str
    due_date: date | None
    status: Status
    moved_at: datetime
    returned_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One hand-over with what it moved, by due date. It waits until `started_at`, and runs until `ended_at`."""

    handover_id: UUID
    from_user_id: UUID
    from_name: str
    to_user_id: UUID
    to_name: str
    starts_on: date
    ends_on: date | None
    moves: Moves
    reason: str
    created_by: UUID
    created_by_name: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int
    items: tuple[HandoverItem, ...]

    @property
    def is_running(self) -> bool:
        """Whether the book is in the other's hands now."""
        return self.started_at is not None and self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingAction:
    """An open action that would move."""

    action_id: UUID
    title: str
    account_key: str
    account_name: str
    priority: Priority
    status: Status
    due_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverPreview:
    """What a hand-over would mean: the accounts (recurring revenue in EUR a month), the actions by due date, and what
    to think of first, a sentence each."""

    account_count: int
    mrr_eur: float
    actions: tuple[MovingAction, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverReport:
    """What one run did, in counts; `problems` are sentences about hand-overs that cannot go on as planned."""

    started: int
    ended: int
    moved: int
    returned: int
    problems: tuple[str, ...]


_HANDOVER = TypeAdapter(Handover)
_ITEM = TypeAdapter(HandoverItem)

_BOOK = text(
    """
    select count(*) as account_count, cast(coalesce(sum(mrr_eur), 0) as double precision) as mrr_eur
    from marts.dim_accounts
    where is_active and lower(csm_email) = :owner_email and exists (select from marts.publications)
    """
)


# --- reading ---------------------------------------------------------------------------------------------------------


def _selected() -> Select:
    giver, receiver, author = users.alias("giver"), users.alias("receiver"), users.alias("author")
    return (
        select(
            *handovers.c,
            giver.c.display_name.label("from_name"),
            receiver.c.display_name.label("to_name"),
            author.c.display_name.label("created_by_name"),
        )
        .join(giver, giver.c.user_id == handovers.c.from_user_id)
        .join(receiver, receiver.c.user_id == handovers.c.to_user_id)
        .join(author, author.c.user_id == handovers.c.created_by)
    )


def _with_items(db: Connection, rows: Sequence[Row]) -> list[Handover]:
    query = (
        select(
            handover_items.c.handover_id,
            handover_items.c.moved_at,
            handover_items.c.returned_at,
            *(actions.c[name] for name in ("action_id", "title", "account_key", "account_name", "due_date", "status")),
        )
        .join(actions, actions.c.action_id == handover_items.c.action_id)
        .where(handover_items.c.handover_id.in_([row.handover_id for row in rows]))
        .order_by(actions.c.due_date.asc().nulls_last(), actions.c.title, actions.c.action_id)
    )
    items: dict[UUID, list[HandoverItem]] = {row.handover_id: [] for row in rows}
    for row in db.execute(query):
        values = dict(row._mapping)
        items[values.pop("handover_id")].append(_ITEM.validate_python(values))
    return [_HANDOVER.validate_python({**row._mapping, "items": tuple(items[row.handover_id])}) for row in rows]


def _one(db: Connection, handover_id: UUID) -> Handover:
    row = db.execute(_selected().where(handovers.c.handover_id == handover_id)).one_or_none()
    if row is None:
        raise NotFound("hand-over", handover_id)
    return _with_items(db, [row])[0]


def _standing(db: Connection) -> list[Handover]:
    """Everything that runs or waits, in the order of days."""
    query = _selected().where(handovers.c.ended_at.is_(None)).order_by(handovers.c.starts_on, handovers.c.handover_id)
    return _with_items(db, db.execute(query).all())


def history(db: Connection, *, actor: Identity, limit: int = 100) -> list[Handover]:
    """Every hand-over with what it moved: those that run or wait first, then newest first. Raises NotPermitted."""
    require(actor, Permission.ASSIGN)
    order = (handovers.c.ended_at.is_not(None), handovers.c.created_at.desc(), handovers.c.handover_id)
    query = _selected().order_by(*order).limit(max(1, min(limit, LARGEST_PAGE)))
    return _with_items(db, db.execute(query).all())


# --- what may be handed over -----------------------------------------------------------------------------------------


def _days(handover: Handover) -> str:
    if handover.ends_on is None:
        return f"from {shown_date(handover.starts_on)} on"
    return f"from {shown_date(handover.starts_on)} to {shown_date(handover.ends_on)}"


def _overlaps(handover: Handover, draft: HandoverDraft) -> bool:
    begins_before_end = handover.ends_on is None or draft.starts_on <= handover.ends_on
    return begins_before_end and (draft.ends_on is None or handover.starts_on <= draft.ends_on)


def _person(db: Connection, field: str, user_id: UUID) -> User:
    try:
        return get_user(db, user_id)
    except NotFound:
        raise InvalidInput(field, "This person does not exist.", value=user_id) from None


def _checked(
    db: Connection, draft: HandoverDraft, *, now: datetime
) -> tuple[HandoverDraft, User, User, list[Handover]]:
    """The draft with its texts checked, both people, and what runs or waits. Raises InvalidInput."""
    moves = member("moves", draft.moves, Moves)
    reason = required_text("reason", draft.reason, limit=REASON_LIMIT).strip()
    if draft.from_user_id == draft.to_user_id:
        raise InvalidInput("to_user_id", "Nobody covers for themselves.", value=draft.to_user_id)
    giver, receiver = _person(db, "from_user_id", draft.from_user_id), _person(db, "to_user_id", draft.to_user_id)
    if not receiver.is_active:
        raise InvalidInput("to_user_id", f"{receiver.display_name} is deactivated.", value=draft.to_user_id)
    if receiver.role is Role.ANALYST:
        raise InvalidInput(
            "to_user_id", f"{receiver.display_name} is an analyst and cannot work actions.", value=draft.to_user_id
        )
    today = calendar_of(giver).today(now)
    if draft.ends_on is not None and draft.ends_on < draft.starts_on:
        raise InvalidInput("ends_on", "The last day lies before the first.", value=draft.ends_on)
    if draft.ends_on is not None and draft.ends_on < today:
        raise InvalidInput("ends_on", "The last day has passed.", value=draft.ends_on)
    if draft.starts_on > today + FURTHEST_START:
        raise InvalidInput("starts_on", "The first day is more than a year away.", value=draft.starts_on)
    standing = _standing(db)
    for other in standing:
        if not _overlaps(other, draft):
            continue
        if other.from_user_id == draft.from_user_id:
            raise InvalidInput(
                "starts_on",
                f"The book of {other.from_name} is with {other.to_name} {_days(other)} already.",
                value=draft.starts_on,
                hint="End that hand-over first, or choose other days.",
            )
        if other.from_user_id == draft.to_user_id:
            raise InvalidInput(
                "to_user_id",
                f"{other.from_name} is away then: {other.to_name} has their book {_days(other)}.",
                value=draft.to_user_id,
                hint="Choose somebody else.",
            )
        if other.to_user_id == draft.from_user_id:
            raise InvalidInput(
                "from_user_id",
                f"{other.to_name} has the book of {other.from_name} {_days(other)}, and a book is not passed on twice.",
                value=draft.from_user_id,
                hint=f"End that hand-over first, then give the book of {other.from_name} to somebody else.",
            )
    return replace(draft, moves=moves, reason=reason), giver, receiver, standing


def _moving(from_user_id: UUID, moves: str):
    """The condition on actions that move, or None when none do."""
    if moves == Moves.NONE:
        return None
    theirs = (actions.c.owner_user_id == from_user_id) & actions.c.status.in_(sorted(one.value for one in OPEN))
    if moves == Moves.SUGGESTED:
        theirs &= (actions.c.source == Source.SUGGESTION.value) & (actions.c.status == Status.NEW.value)
    return theirs


def preview(db: Connection, *, actor: Identity, now: datetime, draft: HandoverDraft) -> HandoverPreview:
    """What would move if the hand-over started now; nothing is written.

    Raises NotPermitted, MartUnavailable, and InvalidInput for whatever `begin` would refuse.
    """
    require(actor, Permission.ASSIGN)
    draft, giver, receiver, standing = _checked(db, draft, now=now)
    account_count, mrr_eur = 0, 0.0
    if giver.owner_email:
        with reading_mart("dim_accounts"):
            book = db.execute(_BOOK, {"owner_email": giver.owner_email}).one()
        account_count, mrr_eur = book.account_count, book.mrr_eur
    condition = _moving(draft.from_user_id, draft.moves)
    found: list[Action] = []
    if condition is not None:
        found = repository.find(db, condition)
    return HandoverPreview(
        account_count=account_count,
        mrr_eur=mrr_eur,
        actions=tuple(
            MovingAction(
                action_id=one.action_id,
                title=one.title,
                account_key=one.account_key,
                account_name=one.account_name,
                priority=one.priority,
                status=one.status,
                due_date=one.due_date,
            )
            for one in sorted(found, key=lambda one: (one.due_date or date.max, one.title, str(one.action_id)))
        ),
        warnings=tuple(_warnings(db, draft, giver, receiver, standing, found, now=now)),
    )


def _warnings(
    db: Connection,
    draft: HandoverDraft,
    giver: User,
    receiver: User,
    standing: Sequence[Handover],
    found: Sequence[Action],
    *,
    now: datetime,
) -> list[str]:
    said: list[str] = []
    if draft.starts_on > calendar_of(giver).today(now):
        said.append(f"It starts on {shown_date(draft.starts_on)}; what moves is what is open then.")
    if draft.ends_on is None:
        said.append("It has no last day: it runs until somebody ends it.")
    if not giver.owner_email:
        said.append(f"{giver.display_name} owns no accounts in the CRM: only actions can move.")
    others = [one.from_name for one in standing if one.to_user_id == receiver.user_id and _overlaps(one, draft)]
    if others:
        said.append(f"{receiver.display_name} already has the book of {' and '.join(others)} then.")
    kept = workloads(db, now=now)
    load = next((one for one in kept if one.user_id == giver.user_id), None)
    if load and load.open_count > len(found):
        count = load.open_count - len(found)
        said.append(
            f"{count} open {'action stays' if count == 1 else 'actions stay'} with {giver.display_name}"
            f"{'' if giver.is_active else ', who is deactivated'}."
        )
    effort = configuration.active(db, Interventions).effort()
    mine = next((one.booked_minutes for one in kept if one.user_id == receiver.user_id), 0)
    week_end = calendar_of(receiver).today(now) + timedelta(days=6 - calendar_of(receiver).today(now).weekday())
    more = sum(
        effort.get(one.intervention, 0)
        for one in found
        if one.status is not Status.SNOOZED and one.due_date is not None and one.due_date <= week_end
    )
    if more and mine + more > receiver.weekly_capacity_minutes:
        said.append(
            f"{receiver.display_name} would have {mine + more:,} of {receiver.weekly_capacity_minutes:,} minutes"
            " booked this week."
        )
    return said


# --- beginning and ending --------------------------------------------------------------------------------------------


def _take_turns(db: Connection) -> None:
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _authors(actor: Identity | None) -> tuple[EventActor, Author]:
    if actor is not None:
        return writing.person(actor), Author.of(actor)
    return EventActor(user_id=None, name=_JOB, kind=ActorKind.JOB), Author.of(None, name=_JOB, kind="job")


def _set(db: Connection, handover: Handover, **columns: object) -> Handover:
    changed = update(handovers).where(handovers.c.handover_id == handover.handover_id)
    db.execute(changed.values(version=handover.version + 1, **columns))
    return _one(db, handover.handover_id)


def _tell(db: Connection, handover: Handover, *, now: datetime, what: str, actor: Identity | None) -> None:
    """Tell both people, but not who did it, of one turn of the hand-over."""
    until = f" until {shown_date(handover.ends_on)}" if handover.ends_on else ""
    count = len(handover.items)
    moved = f"{count} open {'action' if count == 1 else 'actions'} moved with it. Reason: {handover.reason}"
    back = sum(1 for item in handover.items if item.returned_at)
    words = {
        "planned": (
            f"You will have the book of {handover.from_name} {_days(handover)}",
            f"{handover.to_name} will have your book {_days(handover)}",
            f"Reason: {handover.reason}",
        ),
        "started": (
            f"You have the book of {handover.from_name}{until}",
            f"{handover.to_name} has your book{until}",
            moved,
        ),
        "ended": (
            f"The book of {handover.from_name} is no longer yours",
            f"Your book is yours again: {handover.to_name} has covered",
            f"{back} open {'action' if back == 1 else 'actions'} went back." if handover.started_at else "",
        ),
        "called_off": (
            f"You will not have the book of {handover.from_name} after all",
            f"{handover.to_name} will not have your book after all",
            "",
        ),
    }[what]
    told = [
        NewNotice(
            user_id=user_id,
            kind=NoticeKind.HANDOVER,
            title=title,
            body=words[2],
            dedupe_key=f"handover:{handover.handover_id}:{what}",
        )
        for user_id, title in ((handover.to_user_id, words[0]), (handover.from_user_id, words[1]))
        if actor is None or user_id != actor.user_id
    ]
    notify_all(db, now=now, told=told)


def _give(
    db: Connection, found: Sequence[Action], to_user_id: UUID, *, actor: EventActor, now: datetime, reason: str
) -> None:
    for action in found:
        writing.amend(db, action, {"owner_user_id": to_user_id}, actor=actor, now=now, reason=reason)


def _start(db: Connection, handover: Handover, *, now: datetime, actor: Identity | None) -> Handover:
    by, author = _authors(actor)
    condition = _moving(handover.from_user_id, handover.moves)
    found = repository.lock_many(db, condition) if condition is not None else []
    _give(db, found, handover.to_user_id, actor=by, now=now, reason=f"Hand-over: {handover.reason}")
    if found:
        db.execute(
            insert(handover_items),
            [{"handover_id": handover.handover_id, "action_id": action.action_id, "moved_at": now} for action in found],
        )
    started = _set(db, handover, started_at=now)
    audit.record(
        db,
        author=author,
        now=now,
        subject=Subject.HANDOVER,
        subject_id=handover.handover_id,
        kind=Kind.CHANGED,
        after={"started_at": now, "moved_actions": [action.action_id for action in found]},
        reason=handover.reason,
    )
    _tell(db, started, now=now, what="started", actor=actor)
    return started


def _end(db: Connection, handover: Handover, *, now: datetime, actor: Identity | None, why: str) -> Handover:
    """End it; what it moved goes back where it still can: open, with whoever covered, and to somebody active."""
    by, author = _authors(actor)
    returning: list[Action] = []
    if handover.items and repository.active_user(db, handover.from_user_id) is not None:
        moved = [item.action_id for item in handover.items]
        held = repository.lock_many(
            db, actions.c.action_id.in_(moved) & (actions.c.owner_user_id == handover.to_user_id)
        )
        returning = [action for action in held if is_open(action.status)]
    _give(db, returning, handover.from_user_id, actor=by, now=now, reason="End of the hand-over")
    if returning:
        db.execute(
            update(handover_items)
            .where(
                handover_items.c.handover_id == handover.handover_id,
                handover_items.c.action_id.in_([action.action_id for action in returning]),
            )
            .values(returned_at=now)
        )
    ended = _set(db, handover, ended_at=now)
    audit.record(
        db,
        author=author,
        now=now,
        subject=Subject.HANDOVER,
        subject_id=handover.handover_id,
        kind=Kind.ENDED,
        after={"ended_at": now, "returned_actions": [action.action_id for action in returning]},
        reason=why,
    )
    _tell(db, ended, now=now, what="ended" if handover.started_at else "called_off", actor=actor)
    return ended


def begin(db: Connection, *, actor: Identity, now: datetime, draft: HandoverDraft, idempotency_key: str) -> Handover:
    """Hand a book over: at once when its first day has come, else it waits for `run_due`. Both people are told.

    Raises NotPermitted, IdempotencyConflict, and InvalidInput: for days that overlap another hand-over of the same
    person, for a cover by somebody away, deactivated or without a right to work actions, and for a chain.
    """
    require(actor, Permission.ASSIGN)

    def work() -> Handover:
        _take_turns(db)
        # a cover whose last day has passed and that no job has ended yet is in nobody's way
        _run_due(db, now=now)
        checked, giver, _, _ = _checked(db, draft, now=now)
        handover_id = uuid4()
        values = {
            "from_user_id": checked.from_user_id,
            "to_user_id": checked.to_user_id,
            "starts_on": checked.starts_on,
            "ends_on": checked.ends_on,
            "moves": Moves(checked.moves).value,
            "reason": checked.reason,
        }
        db.execute(
            insert(handovers).values(
                **values, handover_id=handover_id, created_by=actor.user_id, created_at=now, version=1
            )
        )
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.HANDOVER,
            subject_id=handover_id,
            kind=Kind.CREATED,
            after=values,
            reason=checked.reason,
            idempotency_key=idempotency_key,
        )
        made = _one(db, handover_id)
        if checked.starts_on <= calendar_of(giver).today(now):
            return _start(db, made, now=now, actor=actor)
        _tell(db, made, now=now, what="planned", actor=actor)
        return made

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="begin_handover",
        request={
            "from_user_id": draft.from_user_id,
            "to_user_id": draft.to_user_id,
            "starts_on": draft.starts_on,
            "ends_on": draft.ends_on,
            "moves": draft.moves,
            "reason": draft.reason,
        },
        now=now,
        answer=Handover,
        work=work,
    )


def end(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    handover_id: UUID,
    expected_version: int,
    idempotency_key: str,
) -> Handover:
    """End a hand-over now, or call off one that waits. What it moved and is still open with whoever covered goes back,
    unless the person is deactivated.

    Raises NotPermitted, NotFound, StaleVersion, InvalidInput when it has ended, IdempotencyConflict.
    """
    require(actor, Permission.ASSIGN)

    def work() -> Handover:
        _take_turns(db)
        handover = _one(db, handover_id)
        if handover.ended_at is not None:
            raise InvalidInput("handover_id", "This hand-over has ended already.", value=handover_id)
        if handover.version != expected_version:
            events = audit.trail(db, actor=actor, subject=Subject.HANDOVER, subject_id=handover_id)
            changes = [event for event in reversed(events) if event.kind is not Kind.CREATED]
            raise StaleVersion(handover, expected_version, changes)
        return _end(db, handover, now=now, actor=actor, why="Ended by hand")

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="end_handover",
        request={"handover_id": handover_id, "expected_version": expected_version},
        now=now,
        answer=Handover,
        work=work,
    )


def run_due(db: Connection, *, now: datetime) -> HandoverReport:
    """End every cover whose last day has passed, then start every one whose first day has come.

    Twice does nothing the second time. A hand-over whose receiver was deactivated does not start, and one that runs
    with such a receiver is named: its author is told once.
    """
    _take_turns(db)
    return _run_due(db, now=now)


def _run_due(db: Connection, *, now: datetime) -> HandoverReport:
    counts = dict.fromkeys(("started", "ended", "moved", "returned"), 0)
    problems: list[str] = []
    going = _standing(db)
    today = {one.handover_id: calendar_of(get_user(db, one.from_user_id)).today(now) for one in going}
    for one in going:
        if one.ends_on is not None and one.ends_on < today[one.handover_id]:
            ended = _end(db, one, now=now, actor=None, why="The last day has passed")
            counts["ended"] += 1
            counts["returned"] += sum(1 for item in ended.items if item.returned_at)
    for one in _standing(db):
        if one.starts_on > today[one.handover_id]:
            continue
        if repository.active_user(db, one.to_user_id) is None:
            problems.append(_problem(db, one, now=now))
        elif one.started_at is None:
            counts["started"] += 1
            counts["moved"] += len(_start(db, one, now=now, actor=None).items)
    return HandoverReport(**counts, problems=tuple(problems))


def _problem(db: Connection, handover: Handover, *, now: datetime) -> str:
    state = "still has" if handover.started_at else "cannot take"
    sentence = f"{handover.to_name} is deactivated and {state} the book of {handover.from_name}."
    notice = NewNotice(
        user_id=handover.created_by,
        kind=NoticeKind.HANDOVER,
        title=sentence,
        body="End this hand-over and give the book to somebody else.",
        dedupe_key=f"handover:{handover.handover_id}:{'orphaned' if handover.started_at else 'blocked'}",
    )
    notify_all(db, now=now, told=[notice])
    return sentence
