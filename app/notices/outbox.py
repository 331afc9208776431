"""Messages that leave the product: written in the transaction of what they tell of, sent by a job afterwards.

So a change that is rolled back tells nobody, and a mail server that is down stops nobody's work. Delivery is at least
once: a deliverer that dies after sending and before saying so sends again, under the same Message-ID, so that a
receiver can drop the repeat. The trap it avoids: a message that kills its deliverer would be tried for ever, so each
attempt is counted, and committed, before it is made.

All times are business time, as those of the changes told of (`app.clock`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app import audit
from app.auth import Identity, Permission, require
from app.errors import IllegalTransition, NotFound
from app.idempotency import once
from app.notices.tables import outbox
from app.settings import get_settings

MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
REST = timedelta(minutes=5)
SUBJECT_LIMIT = 200
ERROR_LIMIT = 500
LARGEST_PAGE = 1_000
TEAM_CHANNEL: Final = "team channel"


class Channel(StrEnum):
    """How a message leaves."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class MessageStatus(StrEnum):
    """Where a message stands. Only one that was given up waits for a person."""

    PENDING = "pending"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of app.outbox. `recipient` is an e-mail address, or the name of the channel: its address is a secret.

    `attempts` counts those begun, 0 to 8; `last_error` is one sentence without secrets.
    """

    message_id: UUID
    channel: Channel
    recipient: str
    user_id: UUID | None
    subject: str
    body: str
    dedupe_key: str
    status: MessageStatus
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None


_MESSAGE = TypeAdapter(Message)


def _read(row: Row) -> Message:
    return _MESSAGE.validate_python(dict(row._mapping))


def is_configured(channel: Channel) -> bool:
    """Whether the settings say where messages of a channel go."""
    settings = get_settings()
    if channel is Channel.EMAIL:
        return bool(settings.smtp_host)
    return settings.notify_webhook_url is not None and bool(settings.notify_webhook_url.get_secret_value())


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 1, 4, 16, 64 minutes and so on to 6 hours; 8 attempts span a night."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** (max(attempts, 1) - 1))


def enqueue(
    db: Connection,
    *,
    now: datetime,
    channel: Channel,
    recipient: str,
    subject: str,
    body: str,
    dedupe_key: str,
    user_id: UUID | None = None,
    not_before: datetime | None = None,
) -> UUID | None:
    """Put a message into the outbox, in the caller's transaction, to leave at once or `not_before` a moment; its id.

    Nothing is kept, and the answer is None, for a channel that is not configured or a `dedupe_key` that was used
    before. Line breaks of the subject become spaces: a header has none.
    """
    if not is_configured(channel):
        return None
    values = {
        "message_id": uuid4(),
        "channel": channel.value,
        "recipient": recipient,
        "user_id": user_id,
        "subject": _header(subject),
        "body": body,
        "dedupe_key": dedupe_key,
        "status": MessageStatus.PENDING.value,
        "attempts": 0,
        "next_attempt_at": not_before or now,
        "created_at": now,
    }
    made = insert(outbox).values(values).on_conflict_do_nothing(index_elements=["dedupe_key"])
    return db.execute(made.returning(outbox.c.message_id)).scalar_one_or_none()


def _header(subject: str) -> str:
    return " ".join(subject.split())[:SUBJECT_LIMIT]


def lock_untried(db: Connection, message_ids: Collection[UUID]) -> set[UUID]:
    """Those of the messages that no deliverer has begun to send, kept from all of them until the transaction ends."""
    untried = select(outbox.c.message_id).where(
        outbox.c.message_id.in_(message_ids),
        outbox.c.status == MessageStatus.PENDING.value,
        outbox.c.attempts == 0,
    )
    return set(db.execute(untried.order_by(outbox.c.message_id).with_for_update()).scalars())


def rewrite(db: Connection, message_id: UUID, *, subject: str, body: str) -> None:
    """Other words for a message that `lock_untried` holds."""
    db.execute(update(outbox).where(outbox.c.message_id == message_id).values(subject=_header(subject), body=body))


def withdraw(db: Connection, message_ids: Collection[UUID]) -> None:
    """Messages that `lock_untried` holds never leave."""
    db.execute(delete(outbox).where(outbox.c.message_id.in_(message_ids)))


def known_keys(db: Connection, dedupe_keys: Collection[str]) -> set[str]:
    """Those of the keys under which something was enqueued, sent or not."""
    return set(db.execute(select(outbox.c.dedupe_key).where(outbox.c.dedupe_key.in_(dedupe_keys))).scalars())


def is_waiting(db: Connection, *, now: datetime) -> bool:
    """Whether a message could be sent now, on a channel that is configured."""
    due = select(outbox.c.message_id).where(
        outbox.c.status == MessageStatus.PENDING.value,
        outbox.c.next_attempt_at <= now,
        outbox.c.channel.in_([channel.value for channel in Channel if is_configured(channel)]),
    )
    return db.execute(select(due.exists())).scalar_one()


def list_messages(db: Connection, *, actor: Identity, status: str | None = None, limit: int = 200) -> list[Message]:
    """Messages, newest first, for admins. Raises NotPermitted; an unknown status finds nothing."""
    require(actor, Permission.SEE_MESSAGES)
    query = select(outbox).order_by(outbox.c.created_at.desc(), outbox.c.message_id)
    if status is not None:
        query = query.where(outbox.c.status == status)
    return [_read(row) for row in db.execute(query.limit(max(1, min(limit, LARGEST_PAGE))))]


def count_by_status(db: Connection, *, actor: Identity) -> dict[MessageStatus, int]:
    """How many messages stand where; a status without any is 0. Raises NotPermitted."""
    require(actor, Permission.SEE_MESSAGES)
    rows = db.execute(select(outbox.c.status, func.count()).group_by(outbox.c.status))
    return dict.fromkeys(MessageStatus, 0) | {MessageStatus(status): count for status, count in rows}


def retry(db: Connection, *, actor: Identity, now: datetime, message_id: UUID, idempotency_key: str) -> Message:
    """Send one that was given up, or that is still waiting for its next attempt, as soon as possible.

    One that was given up gets all its attempts again. Raises NotFound, NotPermitted, IllegalTransition for one that
    was sent, IdempotencyConflict.
    """
    require(actor, Permission.SEE_MESSAGES)

    def work() -> Message:
        mine = outbox.c.message_id == message_id
        row = db.execute(select(outbox).where(mine).with_for_update()).one_or_none()
        if row is None:
            raise NotFound("message", message_id)
        before = _read(row)
        if before.status is MessageStatus.SENT:
            raise IllegalTransition("sent", "pending", (), what="message")
        attempts = 0 if before.status is MessageStatus.GIVEN_UP else before.attempts
        changed = (
            update(outbox)
            .where(mine)
            .values(status=MessageStatus.PENDING.value, attempts=attempts, next_attempt_at=now)
        )
        after = _read(db.execute(changed.returning(*outbox.c)).one())
        audit.record(
            db,
            author=audit.Author.of(actor),
            now=now,
            subject=audit.Subject.MESSAGE,
            subject_id=message_id,
            kind=audit.Kind.CHANGED,
            before={"status": before.status, "next_attempt_at": before.next_attempt_at},
            after={"status": after.status, "next_attempt_at": after.next_attempt_at},
            idempotency_key=idempotency_key,
        )
        return after

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="retry_message",
        request={"message_id": message_id},
        now=now,
        answer=Message,
        work=work,
    )


def begin_attempt(db: Connection, *, now: datetime, but_not: Collection[Channel] = ()) -> Message | None:
    """The message that has waited longest, its attempt counted and its next one set; None when none is due.

    Commit before sending: what is counted here must outlive a deliverer that dies. Rows that another deliverer has
    in hand are passed over.
    """
    due = (
        select(outbox.c.message_id, outbox.c.attempts)
        .where(
            outbox.c.status == MessageStatus.PENDING.value,
            outbox.c.next_attempt_at <= now,
            outbox.c.channel.not_in([channel.value for channel in but_not]),
        )
        .order_by(outbox.c.next_attempt_at, outbox.c.created_at, outbox.c.message_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = db.execute(due).one_or_none()
    if row is None:
        return None
    attempts = row.attempts + 1
    taken = (
        update(outbox)
        .where(outbox.c.message_id == row.message_id)
        .values(attempts=attempts, next_attempt_at=now + pause_after(attempts))
    )
    return _read(db.execute(taken.returning(*outbox.c)).one())


def hold(db: Connection, message: Message) -> bool:
    """Keep a message to this transaction while it is sent; False when somebody else has it or has sent it.

    A slow receiver may take minutes, so this transaction may be idle for longer than others.
    """
    db.execute(text("set local idle_in_transaction_session_timeout = '10min'"))
    mine = select(outbox.c.message_id).where(
        outbox.c.message_id == message.message_id,
        outbox.c.status == MessageStatus.PENDING.value,
        outbox.c.attempts == message.attempts,
    )
    return db.execute(mine.with_for_update(skip_locked=True)).one_or_none() is not None


def mark_sent(db: Connection, message: Message, *, now: datetime) -> None:
    """It was accepted by the receiver."""
    db.execute(
        update(outbox)
        .where(outbox.c.message_id == message.message_id)
        .values(status=MessageStatus.SENT.value, sent_at=now, last_error=None)
    )


def postpone(db: Connection, channel: Channel, *, now: datetime) -> int:
    """Leave a channel that is away alone for a while: what is due waits for REST; returns how many messages."""
    due = (
        select(outbox.c.message_id)
        .where(
            outbox.c.channel == channel.value,
            outbox.c.status == MessageStatus.PENDING.value,
            outbox.c.next_attempt_at <= now,
        )
        .with_for_update(skip_locked=True)
    )
    waiting = update(outbox).where(outbox.c.message_id.in_(due.scalar_subquery()))
    return db.execute(waiting.values(next_attempt_at=now + REST)).rowcount


def mark_failed(
    db: Connection, message: Message, *, now: datetime, error: str, is_final: bool, wait: timedelta | None = None
) -> MessageStatus:
    """The attempt failed: it waits for the next one, or is given up when it was the last or is refused for good.

    `wait` is what the receiver asked for; the longer of it and our own pause counts, at most a day.
    """
    gives_up = is_final or message.attempts >= MOST_ATTEMPTS
    status = MessageStatus.GIVEN_UP if gives_up else MessageStatus.PENDING
    pause = max(pause_after(message.attempts), min(wait or timedelta(), timedelta(days=1)))
    db.execute(
        update(outbox)
        .where(outbox.c.message_id == message.message_id)
        .values(status=status.value, last_error=error[:ERROR_LIMIT], next_attempt_at=now + pause)
    )
    return status
