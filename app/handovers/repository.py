"""Rows of hand-overs and of what they moved, and back. No rule lives here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, Select, insert, select, text, update

from app.actions import repository as action_rows
from app.actions.lifecycle import OPEN, Status, is_open
from app.actions.model import Action
from app.actions.tables import actions, handover_items
from app.actions.vocabulary import Source
from app.db import reading_mart
from app.errors import NotFound
from app.handovers.model import Handover, HandoverItem, Moves, MovingAccount
from app.tables import handovers, users

_HANDOVER = TypeAdapter(Handover)
_ITEM = TypeAdapter(HandoverItem)
_LOCK = 7_461_005

_BOOK = text(
    """
    select
        accounts.account_key,
        accounts.account_name,
        cast(coalesce(accounts.mrr_eur, 0) as double precision) as mrr_eur,
        (
            select count(*) from app.actions
            where actions.account_key = accounts.account_key and actions.status not in ('closed', 'cancelled')
        ) as open_count
    from marts.dim_accounts as accounts
    where
        accounts.is_active
        and lower(accounts.csm_email) = :owner_email
        and exists (select from marts.publications)
    order by accounts.mrr_eur desc nulls last, accounts.account_name, accounts.account_key
    """
)


def take_turns(db: Connection) -> None:
    """Until the end of the transaction nobody else begins or ends a hand-over."""
    db.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


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


def one(db: Connection, handover_id: UUID) -> Handover:
    """One hand-over with what it moved. Raises NotFound."""
    row = db.execute(_selected().where(handovers.c.handover_id == handover_id)).one_or_none()
    if row is None:
        raise NotFound("hand-over", handover_id)
    return _with_items(db, [row])[0]


def standing(db: Connection) -> list[Handover]:
    """Everything that runs or waits, in the order of days."""
    query = _selected().where(handovers.c.ended_at.is_(None)).order_by(handovers.c.starts_on, handovers.c.handover_id)
    return _with_items(db, db.execute(query).all())


def history(db: Connection, *, limit: int) -> list[Handover]:
    """All there were: those that run or wait first, then newest first."""
    order = (handovers.c.ended_at.is_not(None), handovers.c.created_at.desc(), handovers.c.handover_id)
    return _with_items(db, db.execute(_selected().order_by(*order).limit(limit)).all())


def book(db: Connection, owner_email: str) -> tuple[MovingAccount, ...]:
    """The accounts that somebody owns in the CRM, most revenue first. Raises MartUnavailable."""
    with reading_mart("dim_accounts"):
        return tuple(MovingAccount(**row._mapping) for row in db.execute(_BOOK, {"owner_email": owner_email}))


def _moving(from_user_id: UUID, moves: str) -> ColumnElement[bool] | None:
    """The condition on actions that move, or None when none do."""
    if moves == Moves.NONE:
        return None
    theirs = (actions.c.owner_user_id == from_user_id) & actions.c.status.in_(sorted(one.value for one in OPEN))
    if moves == Moves.SUGGESTED:
        theirs &= (actions.c.source == Source.SUGGESTION.value) & (actions.c.status == Status.NEW.value)
    return theirs


def moving(db: Connection, from_user_id: UUID, moves: str, *, is_locked: bool = False) -> list[Action]:
    """The open actions that move with somebody's book, in the order of their ids, locked when asked."""
    condition = _moving(from_user_id, moves)
    if condition is None:
        return []
    return (action_rows.lock_many if is_locked else action_rows.find)(db, condition)


def still_held(db: Connection, handover: Handover) -> list[Action]:
    """What it moved and is still open with whoever covers, locked."""
    moved = [item.action_id for item in handover.items]
    if not moved:
        return []
    held = action_rows.lock_many(db, actions.c.action_id.in_(moved) & (actions.c.owner_user_id == handover.to_user_id))
    return [action for action in held if is_open(action.status)]


def add(db: Connection, values: Mapping[str, object]) -> UUID:
    """A new hand-over that waits; returns its id."""
    handover_id = uuid4()
    db.execute(insert(handovers).values(**values, handover_id=handover_id, version=1))
    return handover_id


def change(db: Connection, handover: Handover, **columns: object) -> Handover:
    """Write columns and count the version up."""
    changed = update(handovers).where(handovers.c.handover_id == handover.handover_id)
    db.execute(changed.values(version=handover.version + 1, **columns))
    return one(db, handover.handover_id)


def add_items(db: Connection, handover_id: UUID, action_ids: Sequence[UUID], *, now: datetime) -> None:
    """These actions moved with it."""
    if action_ids:
        rows = [{"handover_id": handover_id, "action_id": action_id, "moved_at": now} for action_id in action_ids]
        db.execute(insert(handover_items), rows)


def mark_returned(db: Connection, handover_id: UUID, action_ids: Sequence[UUID], *, now: datetime) -> None:
    """These went back."""
    theirs = (handover_items.c.handover_id == handover_id) & handover_items.c.action_id.in_(action_ids)
    db.execute(update(handover_items).where(theirs).values(returned_at=now))
