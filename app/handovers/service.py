"""One person's whole book in another's hands: while they are away, or because they left.

A hand-over that runs answers everywhere whose accounts these are (`app.auth.Identity.owner_emails`,
`app.actions.repository.user_of_owner`), and lets whoever has it work every action of its owner; which open actions
move with it is the admin's choice. What a cover moved and is still open with whoever covers goes back when it ends.
`ends_on` is the last day of the cover. The caller owns the transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app import audit, configuration
from app.actions import repository as action_rows
from app.actions import writing
from app.actions.assigning import NO_BOOK, books_held
from app.actions.model import Action
from app.actions.repository import EventActor
from app.actions.vocabulary import ActorKind
from app.actions.workload import workloads
from app.actions.writing import UNDOABLE_FOR
from app.audit import Author, Kind, Subject
from app.auth import Identity, Permission, Role, require
from app.calendar import calendar_of
from app.configuration import Interventions
from app.errors import InvalidInput, NotFound, StaleVersion
from app.handovers import plan, repository
from app.handovers.model import BookLoad, Handover, HandoverDraft, HandoverPreview, HandoverReport, Moves
from app.handovers.plan import Load, Person
from app.idempotency import once
from app.notices.service import NewNotice, NoticeKind, notify_all, withdraw
from app.users import User, get_user

LARGEST_PAGE = 500
_JOB = "Hand-over"


def history(db: Connection, *, actor: Identity, limit: int = 100) -> list[Handover]:
    """Every hand-over with what it moved: those that run or wait first, then newest first. Raises NotPermitted."""
    require(actor, Permission.ASSIGN)
    return repository.history(db, limit=max(1, min(limit, LARGEST_PAGE)))


def _user(db: Connection, field: str, user_id: UUID) -> User:
    try:
        return get_user(db, user_id)
    except NotFound:
        raise InvalidInput(field, "This person does not exist.", value=user_id) from None


def _person(user: User, now: datetime) -> Person:
    return Person(
        user_id=user.user_id,
        name=user.display_name,
        is_active=user.is_active,
        may_work=user.role is not Role.ANALYST,
        owns_accounts=bool(user.owner_email),
        today=calendar_of(user).today(now),
        capacity_minutes=user.weekly_capacity_minutes,
    )


def _checked(
    db: Connection, draft: HandoverDraft, *, now: datetime
) -> tuple[HandoverDraft, Person, Person, list[Handover]]:
    """The draft with its texts checked, both people, and what runs or waits. Raises InvalidInput."""
    draft = plan.worded(draft)
    giver = _person(_user(db, "from_user_id", draft.from_user_id), now)
    receiver = _person(_user(db, "to_user_id", draft.to_user_id), now)
    standing = repository.standing(db)
    plan.check(draft, giver=giver, receiver=receiver, standing=standing)
    return draft, giver, receiver, standing


def preview(db: Connection, *, actor: Identity, now: datetime, draft: HandoverDraft) -> HandoverPreview:
    """What would move if the hand-over started now; nothing is written.

    Raises NotPermitted, MartUnavailable, and InvalidInput for whatever `begin` would refuse.
    """
    require(actor, Permission.ASSIGN)
    draft, giver, receiver, standing = _checked(db, draft, now=now)
    owner_email = get_user(db, giver.user_id).owner_email
    accounts = repository.book(db, owner_email) if owner_email else ()
    found = repository.moving(db, draft.from_user_id, draft.moves)
    loads = {one.user_id: one for one in workloads(db, now=now)}
    giving, taking = loads.get(giver.user_id), loads.get(receiver.user_id)
    book = books_held(db).get(receiver.user_id, NO_BOOK)
    before = BookLoad(
        account_count=book.account_count,
        mrr_eur=book.mrr_eur,
        open_count=taking.open_count if taking else 0,
        booked_minutes=taking.booked_minutes if taking else 0,
    )
    effort = configuration.active(db, Interventions).effort()
    return HandoverPreview(
        accounts=accounts,
        actions=plan.moving(found),
        receiver_name=receiver.name,
        before=before,
        after=plan.with_book(before, accounts, found, today=receiver.today, effort=effort),
        warnings=plan.warnings(
            draft,
            giver=giver,
            receiver=receiver,
            standing=standing,
            found=found,
            load=Load(open_count=giving.open_count if giving else 0, booked_minutes=before.booked_minutes),
            effort=effort,
        ),
    )


def _authors(actor: Identity | None) -> tuple[EventActor, Author]:
    if actor is not None:
        return writing.person(actor), Author.of(actor)
    return EventActor(user_id=None, name=_JOB, kind=ActorKind.JOB), Author.of(None, name=_JOB, kind="job")


def _tell(db: Connection, handover: Handover, *, now: datetime, what: str, actor: Identity | None) -> None:
    """Tell both people, but not who did it, of one turn of the hand-over.

    Mail waits a minute, as that of any change of hands: who has neither read nor been sent of a beginning that ends
    within it is told of neither.
    """
    people = (handover.to_user_id, handover.from_user_id)
    begun = f"handover:{handover.handover_id}:"
    undone = withdraw(db, since=now - UNDOABLE_FOR, told=[(user_id, begun) for user_id in people])
    words = plan.words(handover, what)
    told = [
        NewNotice(
            user_id=user_id,
            kind=NoticeKind.HANDOVER,
            title=title,
            body=words.body,
            dedupe_key=f"handover:{handover.handover_id}:{what}",
        )
        for user_id, title in ((handover.to_user_id, words.to_receiver), (handover.from_user_id, words.to_giver))
        if (actor is None or user_id != actor.user_id) and (user_id, begun) not in undone
    ]
    notify_all(db, now=now, told=told, mail_not_before=now + UNDOABLE_FOR)


def _give(
    db: Connection, found: Sequence[Action], to_user_id: UUID, *, actor: EventActor, now: datetime, reason: str
) -> None:
    for action in found:
        writing.amend(db, action, {"owner_user_id": to_user_id}, actor=actor, now=now, reason=reason)


def _start(db: Connection, handover: Handover, *, now: datetime, actor: Identity | None) -> Handover:
    by, author = _authors(actor)
    found = repository.moving(db, handover.from_user_id, handover.moves, is_locked=True)
    moved = [action.action_id for action in found]
    _give(db, found, handover.to_user_id, actor=by, now=now, reason=f"Hand-over: {handover.reason}")
    repository.add_items(db, handover.handover_id, moved, now=now)
    started = repository.change(db, handover, started_at=now)
    audit.record(
        db,
        author=author,
        now=now,
        subject=Subject.HANDOVER,
        subject_id=handover.handover_id,
        kind=Kind.CHANGED,
        after={"started_at": now, "moved_actions": moved},
        reason=handover.reason,
    )
    _tell(db, started, now=now, what="started", actor=actor)
    return started


def _end(db: Connection, handover: Handover, *, now: datetime, actor: Identity | None, why: str) -> Handover:
    """End it; what it moved goes back where it still can: open, with whoever covered, and to somebody active."""
    by, author = _authors(actor)
    can_return = action_rows.active_user(db, handover.from_user_id) is not None
    returning = repository.still_held(db, handover) if can_return else []
    returned = [action.action_id for action in returning]
    _give(db, returning, handover.from_user_id, actor=by, now=now, reason="End of the hand-over")
    repository.mark_returned(db, handover.handover_id, returned, now=now)
    ended = repository.change(db, handover, ended_at=now)
    audit.record(
        db,
        author=author,
        now=now,
        subject=Subject.HANDOVER,
        subject_id=handover.handover_id,
        kind=Kind.ENDED,
        after={"ended_at": now, "returned_actions": returned},
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
        repository.take_turns(db)
        # a cover whose last day has passed and that no job has ended yet is in nobody's way
        _run_due(db, now=now)
        checked, giver, _, _ = _checked(db, draft, now=now)
        values = {
            "from_user_id": checked.from_user_id,
            "to_user_id": checked.to_user_id,
            "starts_on": checked.starts_on,
            "ends_on": checked.ends_on,
            "moves": Moves(checked.moves).value,
            "reason": checked.reason,
        }
        handover_id = repository.add(db, {**values, "created_by": actor.user_id, "created_at": now})
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
        made = repository.one(db, handover_id)
        if checked.starts_on <= giver.today:
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
        repository.take_turns(db)
        handover = repository.one(db, handover_id)
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
    repository.take_turns(db)
    return _run_due(db, now=now)


def _run_due(db: Connection, *, now: datetime) -> HandoverReport:
    counts = dict.fromkeys(("started", "ended", "moved", "returned"), 0)
    problems: list[str] = []
    going = repository.standing(db)
    today = {one.handover_id: calendar_of(get_user(db, one.from_user_id)).today(now) for one in going}
    for one in going:
        if one.ends_on is not None and one.ends_on < today[one.handover_id]:
            ended = _end(db, one, now=now, actor=None, why="The last day has passed")
            counts["ended"] += 1
            counts["returned"] += sum(1 for item in ended.items if item.returned_at)
    for one in repository.standing(db):
        if one.starts_on > today[one.handover_id]:
            continue
        if action_rows.active_user(db, one.to_user_id) is None:
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
