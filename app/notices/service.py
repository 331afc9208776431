"""What people are told inside the product, and by e-mail when they want it: written with the change it tells of.

The trap it avoids: somebody who is given two hundred actions at once wants two hundred lines in the product and one
e-mail. So notices are told in one call per change, and each person's share of it leaves as one message. What may be
taken back for a while waits that long before it leaves, and goes without a trace when it is taken back unread.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, Text, Uuid, column, delete, func, select, update, values
from sqlalchemy.dialects.postgresql import insert

from app.auth import Identity, Role
from app.notices import outbox
from app.notices.links import account_url, action_url, page_url
from app.notices.tables import notices
from app.tables import users

LARGEST_PAGE = 500
MOST_IN_ONE_MAIL = 30


class NoticeKind(StrEnum):
    """What a notice tells."""

    ASSIGNED = "assigned"
    TAKEN_AWAY = "taken_away"
    NOTE_ADDED = "note_added"
    CAME_BACK = "came_back"
    ESCALATED = "escalated"
    DECISION_NEEDED = "decision_needed"
    HANDOVER = "handover"
    DELIVERY_FAILED = "delivery_failed"
    DATA_ISSUE_RESOLVED = "data_issue_resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """What one person is to be told. `dedupe_key` names the event: a person is told of it once."""

    user_id: UUID
    kind: NoticeKind
    title: str
    dedupe_key: str
    body: str = ""
    action_id: UUID | None = None
    account_key: str | None = None
    is_mailed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One row of app.notices as its reader sees it; `read_at` None is unread."""

    notice_id: UUID
    kind: NoticeKind
    title: str
    body: str
    action_id: UUID | None
    account_key: str | None
    created_at: datetime
    read_at: datetime | None


_NOTICE = TypeAdapter(Notice)
_COLUMNS = [notices.c[name] for name in Notice.__dataclass_fields__]


def notify(
    db: Connection,
    *,
    now: datetime,
    user_id: UUID,
    kind: NoticeKind,
    title: str,
    body: str = "",
    action_id: UUID | None = None,
    account_key: str | None = None,
    dedupe_key: str,
) -> None:
    """Tell one person one thing, in the caller's transaction; see `notify_all`."""
    notice = NewNotice(
        user_id=user_id,
        kind=kind,
        title=title,
        body=body,
        action_id=action_id,
        account_key=account_key,
        dedupe_key=dedupe_key,
    )
    notify_all(db, now=now, told=[notice])


def notify_all(
    db: Connection, *, now: datetime, told: Sequence[NewNotice], mail_not_before: datetime | None = None
) -> int:
    """Tell people what one change means for them, in the caller's transaction; returns how many notices are new.

    Who is deactivated is told nothing, and nobody is told twice under one dedupe key. Each person who wants e-mail
    gets one message for all that is new to them, `mail_not_before` a moment when the change may be taken back until
    then. Whoever calls leaves out what people did themselves.
    """
    if not told:
        return 0
    wanted = users.c.user_id.in_({notice.user_id for notice in told})
    people = {
        row.user_id: row
        for row in db.execute(
            select(users.c.user_id, users.c.email, users.c.has_notice_mail).where(wanted, users.c.is_active)
        )
    }
    rows = [
        {
            "notice_id": uuid4(),
            "user_id": notice.user_id,
            "kind": notice.kind.value,
            "title": notice.title,
            "body": notice.body,
            "action_id": notice.action_id,
            "account_key": notice.account_key,
            "dedupe_key": notice.dedupe_key,
            "created_at": now,
        }
        for notice in told
        if notice.user_id in people
    ]
    if not rows:
        return 0
    made = insert(notices).on_conflict_do_nothing(index_elements=["user_id", "dedupe_key"])
    fresh = {
        (row.user_id, row.dedupe_key)
        for row in db.execute(made.returning(notices.c.user_id, notices.c.dedupe_key), rows)
    }
    for user_id, person in people.items():
        if person.has_notice_mail:
            mine = [
                notice
                for notice in told
                if notice.user_id == user_id and notice.is_mailed and (user_id, notice.dedupe_key) in fresh
            ]
            _mail(db, now=now, not_before=mail_not_before, user_id=user_id, address=person.email, told=mine)
    return len(fresh)


def _mail(
    db: Connection,
    *,
    now: datetime,
    not_before: datetime | None,
    user_id: UUID,
    address: str,
    told: Sequence[NewNotice],
) -> None:
    if not told:
        return
    keys = "\n".join(sorted(notice.dedupe_key for notice in told))
    name = blake2b(keys.encode(), digest_size=16).hexdigest()
    subject, body = _letter(told)
    message_id = outbox.enqueue(
        db,
        now=now,
        channel=outbox.Channel.EMAIL,
        recipient=address,
        user_id=user_id,
        subject=subject,
        body=body,
        dedupe_key=f"notices:{user_id}:{name}",
        not_before=not_before,
    )
    mine = (notices.c.user_id == user_id) & notices.c.dedupe_key.in_([notice.dedupe_key for notice in told])
    db.execute(update(notices).where(mine).values(message_id=message_id))


def _letter(told: Sequence[NewNotice | Notice]) -> tuple[str, str]:
    """Subject and body of the one message for several notices."""
    first = told[0]
    subject = first.title if len(told) == 1 else f"{len(told)} notices: {first.title}"
    return subject, "\n\n".join(_paragraphs(told)) + f"\n\nWhat you are sent by e-mail: {page_url('preferences')}\n"


def withdraw(db: Connection, *, since: datetime, told: Collection[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Take back what people were told after `since` and have neither read nor been sent; returns what was taken back.

    `told` are people, and how the dedupe key of what they were told begins. A message that told them of more is sent
    with the rest.
    """
    if not told:
        return set()
    wanted = values(column("user_id", Uuid), column("prefix", Text), name="wanted").data(sorted(told, key=str))
    query = (
        select(notices.c.notice_id, notices.c.message_id, wanted.c.user_id, wanted.c.prefix)
        .join(
            wanted,
            (notices.c.user_id == wanted.c.user_id) & func.starts_with(notices.c.dedupe_key, wanted.c.prefix),
        )
        .where(notices.c.created_at > since, notices.c.read_at.is_(None))
        .order_by(notices.c.notice_id)
        .with_for_update(of=notices)
    )
    found = db.execute(query).all()
    untried = outbox.lock_untried(db, {row.message_id for row in found if row.message_id})
    gone = [row for row in found if row.message_id is None or row.message_id in untried]
    db.execute(delete(notices).where(notices.c.notice_id.in_([row.notice_id for row in gone])))
    for message_id in {row.message_id for row in gone if row.message_id}:
        mine = select(*_COLUMNS).where(notices.c.message_id == message_id)
        rest = [
            _NOTICE.validate_python(dict(row._mapping))
            for row in db.execute(mine.order_by(notices.c.title, notices.c.notice_id))
        ]
        if rest:
            subject, body = _letter(rest)
            outbox.rewrite(db, message_id, subject=subject, body=body)
        else:
            outbox.withdraw(db, [message_id])
    return {(row.user_id, row.prefix) for row in gone}


def _paragraphs(told: Sequence[NewNotice | Notice]) -> list[str]:
    shown = ["\n".join(filter(None, (notice.title, notice.body, _link(notice)))) for notice in told[:MOST_IN_ONE_MAIL]]
    more = len(told) - len(shown)
    return [*shown, f"And {more} more: {page_url('inbox')}"] if more else shown


def _link(notice: NewNotice | Notice) -> str:
    if notice.action_id is not None:
        return action_url(notice.action_id)
    return account_url(notice.account_key) if notice.account_key else ""


def admins_of(db: Connection) -> list[UUID]:
    """Everybody who is told of what somebody must decide: the active admins, by id."""
    query = select(users.c.user_id).where(users.c.role == Role.ADMIN.value, users.c.is_active)
    return list(db.execute(query.order_by(users.c.user_id)).scalars())


def inbox(db: Connection, *, identity: Identity, limit: int = 50, only_unread: bool = False) -> list[Notice]:
    """A person's own notices, newest first."""
    query = select(*_COLUMNS).where(notices.c.user_id == identity.user_id)
    if only_unread:
        query = query.where(notices.c.read_at.is_(None))
    query = query.order_by(notices.c.created_at.desc(), notices.c.notice_id).limit(max(1, min(limit, LARGEST_PAGE)))
    return [_NOTICE.validate_python(dict(row._mapping)) for row in db.execute(query)]


def unread_count(db: Connection, *, identity: Identity) -> int:
    """How many of a person's own notices are unread."""
    mine = (notices.c.user_id == identity.user_id) & notices.c.read_at.is_(None)
    return db.execute(select(func.count()).select_from(notices).where(mine)).scalar_one()


def mark_read(db: Connection, *, identity: Identity, now: datetime, notice_ids: Sequence[UUID] | None = None) -> int:
    """Mark own notices as read, all of them when none are named; returns how many were not.

    Other people's ids are passed over. Twice does no harm, so no request key is asked for.
    """
    mine = (notices.c.user_id == identity.user_id) & notices.c.read_at.is_(None)
    if notice_ids is not None:
        mine &= notices.c.notice_id.in_(notice_ids)
    return db.execute(update(notices).where(mine).values(read_at=now)).rowcount
