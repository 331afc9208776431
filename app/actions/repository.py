"""Rows of actions and back. No rule lives here: what may happen is decided in `service.py` and `lifecycle.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Tuple,
    and_,
    case,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.actions.lifecycle import CATEGORY, OPEN, Status
from app.actions.model import Action, ActionEvent, ActionFilter, ActionRow, Contact, ListPlace, Note, Outcome
from app.actions.tables import action_contacts, action_events, action_notes, action_outcomes, actions
from app.actions.vocabulary import UNDONE, ActorKind, EventKind, Priority
from app.errors import NotFound
from app.tables import handovers, users

_ACTION = TypeAdapter(Action)
_ROW = TypeAdapter(ActionRow)
_EVENT = TypeAdapter(ActionEvent)
_NOTE = TypeAdapter(Note)
_OUTCOME = TypeAdapter(Outcome)
_CONTACT = TypeAdapter(Contact)
_JSON = TypeAdapter(Any)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventActor:
    """Who makes a change: a person, or a rule or job by name."""

    user_id: UUID | None
    name: str
    kind: ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event to append."""

    kind: EventKind
    field: str | None = None
    before: Any = None
    after: Any = None
    reason: str | None = None


def plain(value: object) -> Any:
    """A column's value as `as_json` writes it: ISO dates, text ids, enum values."""
    return _JSON.dump_python(value, mode="json")


def _stored(value: object) -> object:
    """As psycopg should see it: left to itself it stores the *name* of an enum member."""
    return value.value if isinstance(value, StrEnum) else value


def as_json(action: Action) -> dict[str, Any]:
    """The whole action as JSON."""
    return _ACTION.dump_python(action, mode="json")


def from_json(values: Mapping[str, Any]) -> Action:
    """The action of what `as_json` wrote."""
    return _ACTION.validate_python(dict(values))


def insert_action(db: Connection, values: Mapping[str, object]) -> Action:
    """A new row, as the database holds it."""
    made = db.execute(insert(actions).values(dict(values)).returning(*actions.c)).one()
    return _ACTION.validate_python(dict(made._mapping))


def lock(db: Connection, action_id: UUID) -> Action:
    """The action, locked until the end of the transaction. Raises NotFound."""
    row = db.execute(select(actions).where(actions.c.action_id == action_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("action", action_id)
    return _ACTION.validate_python(dict(row._mapping))


def find(db: Connection, where: ColumnElement[bool]) -> list[Action]:
    """Actions of a condition as they are now, in the order of their ids."""
    rows = db.execute(select(actions).where(where).order_by(actions.c.action_id))
    return [_ACTION.validate_python(dict(row._mapping)) for row in rows]


def lock_many(db: Connection, where: ColumnElement[bool], *, limit: int | None = None) -> list[Action]:
    """Actions locked in the order of their ids, so that two bulk changes wait for each other and never deadlock."""
    rows = db.execute(select(actions).where(where).order_by(actions.c.action_id).limit(limit).with_for_update())
    return [_ACTION.validate_python(dict(row._mapping)) for row in rows]


def lock_next_unassigned(db: Connection) -> Action | None:
    """The gravest open action that is nobody's and not snoozed, the oldest of those, locked; what another transaction
    has locked is passed over.
    """
    waiting = sorted(status.value for status in OPEN - {Status.SNOOZED})
    query = (
        select(actions)
        .where(actions.c.owner_user_id.is_(None), actions.c.status.in_(waiting))
        .order_by(*_by_gravity(actions.c))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = db.execute(query).one_or_none()
    return _ACTION.validate_python(dict(row._mapping)) if row else None


def change(db: Connection, action: Action, changes: Mapping[str, object], *, now: datetime) -> Action:
    """Write changed columns of a locked action and count the version up."""
    columns = {name: _stored(value) for name, value in changes.items()}
    row = db.execute(
        update(actions)
        .where(actions.c.action_id == action.action_id, actions.c.version == action.version)
        .values(columns | {"updated_at": now, "version": action.version + 1})
        .returning(*actions.c)
    ).one()
    return _ACTION.validate_python(dict(row._mapping))


def put_back(db: Connection, action: Action, changes: Mapping[str, object], *, now: datetime) -> Action:
    """As `change`, for an undo: for this row alone the guard of the table lets a status go back where no move leads."""
    switch = text("select set_config('app.undo', :state, true)")
    db.execute(switch, {"state": "on"})
    after = change(db, action, changes, now=now)
    db.execute(switch, {"state": "off"})
    return after


def append(
    db: Connection,
    *,
    action: Action,
    actor: EventActor,
    now: datetime,
    changes: Sequence[Change],
    idempotency_key: str | None = None,
) -> None:
    """Events of one write, in order, at the version the action has after it."""
    db.execute(
        insert(action_events),
        [
            {
                "action_id": action.action_id,
                "at": now,
                "actor_user_id": actor.user_id,
                "actor_name": actor.name,
                "actor_kind": actor.kind.value,
                "kind": item.kind.value,
                "field": item.field,
                "before": item.before,
                "after": item.after,
                "reason": item.reason,
                "version": action.version,
                "idempotency_key": idempotency_key,
            }
            for item in changes
        ],
    )


def events(db: Connection, action_id: UUID, *, after_version: int | None = None) -> list[ActionEvent]:
    """The story of an action, oldest first; with `after_version` only what changed since."""
    query = select(*(column for column in action_events.c if column.name != "idempotency_key")).where(
        action_events.c.action_id == action_id
    )
    if after_version is not None:
        query = query.where(action_events.c.version > after_version)
    return [_EVENT.validate_python(dict(row._mapping)) for row in db.execute(query.order_by(action_events.c.event_id))]


def insert_note(db: Connection, values: Mapping[str, object]) -> Note:
    """A new note, as the database holds it."""
    row = db.execute(insert(action_notes).values(note_id=uuid4(), **values).returning(*action_notes.c)).one()
    return _NOTE.validate_python(dict(row._mapping))


def notes(db: Connection, *, action_id: UUID | None = None, account_key: str | None = None, limit: int) -> list[Note]:
    """Notes of an action or of an account's actions, newest first."""
    query = select(action_notes).order_by(action_notes.c.created_at.desc(), action_notes.c.note_id).limit(limit)
    if action_id is not None:
        query = query.where(action_notes.c.action_id == action_id)
    if account_key is not None:
        query = query.where(action_notes.c.account_key == account_key)
    return [_NOTE.validate_python(dict(row._mapping)) for row in db.execute(query)]


def note_action(db: Connection, note_id: UUID) -> UUID | None:
    """The action a note belongs to."""
    return db.execute(select(action_notes.c.action_id).where(action_notes.c.note_id == note_id)).scalar_one_or_none()


def insert_contact(db: Connection, values: Mapping[str, object]) -> Contact:
    """A new contact, as the database holds it."""
    row = db.execute(insert(action_contacts).values(contact_id=uuid4(), **values).returning(*action_contacts.c)).one()
    return _CONTACT.validate_python(dict(row._mapping))


def contacts(
    db: Connection, *, action_id: UUID | None = None, account_key: str | None = None, limit: int
) -> list[Contact]:
    """Contacts of an action or of an account's actions, newest day first."""
    query = select(action_contacts).order_by(
        action_contacts.c.contacted_on.desc(), action_contacts.c.logged_at.desc(), action_contacts.c.contact_id
    )
    if action_id is not None:
        query = query.where(action_contacts.c.action_id == action_id)
    if account_key is not None:
        query = query.where(action_contacts.c.account_key == account_key)
    return [_CONTACT.validate_python(dict(row._mapping)) for row in db.execute(query.limit(limit))]


def insert_outcome(db: Connection, values: Mapping[str, object]) -> None:
    """What was recorded at a closing."""
    db.execute(insert(action_outcomes).values(outcome_id=uuid4(), **values))


def outcomes(db: Connection, action_id: UUID) -> list[Outcome]:
    """Recorded outcomes of an action, newest first."""
    query = select(action_outcomes).where(action_outcomes.c.action_id == action_id)
    rows = db.execute(query.order_by(action_outcomes.c.recorded_at.desc(), action_outcomes.c.outcome_id))
    return [_OUTCOME.validate_python(dict(row._mapping)) for row in rows]


def active_user(db: Connection, user_id: UUID) -> str | None:
    """The display name of an active person, or None."""
    return db.execute(
        select(users.c.display_name).where(users.c.user_id == user_id, users.c.is_active)
    ).scalar_one_or_none()


def _books() -> Select:
    """One row per CRM owner with who has their book now: whoever has it by a running hand-over, else they themselves;
    nobody when neither is active."""
    cover = users.alias("cover")
    is_running = handovers.c.started_at.is_not(None) & handovers.c.ended_at.is_(None)
    return (
        select(
            users.c.owner_email,
            func.coalesce(cover.c.user_id, case((users.c.is_active, users.c.user_id))).label("user_id"),
        )
        .outerjoin(handovers, (handovers.c.from_user_id == users.c.user_id) & is_running)
        .outerjoin(cover, (cover.c.user_id == handovers.c.to_user_id) & cover.c.is_active)
        .where(users.c.owner_email.is_not(None))
    )


def user_of_owner(db: Connection, owner_email: str | None) -> UUID | None:
    """The active person who has the accounts of this owner in the CRM: themselves, or who has their book by a running
    hand-over.
    """
    if not owner_email:
        return None
    row = db.execute(_books().where(users.c.owner_email == owner_email.lower())).one_or_none()
    return row.user_id if row else None


def users_of_owners(db: Connection) -> dict[str, UUID]:
    """Who has the accounts of each owner in the CRM, as `user_of_owner`; owners that nobody stands for are left out."""
    return {row.owner_email: row.user_id for row in db.execute(_books()) if row.user_id}


def _with_story(picked: FromClause) -> Select:
    """What a list shows beside the columns of the picked actions; joined to those only: reading it for all was slow."""
    noted = (
        select(func.count().label("note_count"), func.max(action_notes.c.created_at).label("newest_note_at"))
        .where(action_notes.c.action_id == picked.c.action_id)
        .lateral("noted")
    )
    returned = (
        select(func.max(action_events.c.at).label("returned_from_snooze_at"))
        .where(
            action_events.c.action_id == picked.c.action_id,
            action_events.c.field == "status",
            action_events.c.before == func.to_jsonb(literal(Status.SNOOZED.value)),
            # by itself: who wakes it by hand, or takes the snooze back, knows already
            action_events.c.actor_kind == ActorKind.JOB.value,
            picked.c.closed_at.is_(None),
        )
        .lateral("returned")
    )
    return (
        select(
            *(picked.c[column.name] for column in actions.c),
            users.c.display_name.label("owner_name"),
            users.c.email.label("owner_email"),
            noted.c.note_count,
            noted.c.newest_note_at,
            returned.c.returned_from_snooze_at,
        )
        .outerjoin(users, users.c.user_id == picked.c.owner_user_id)
        .join(noted, literal(True))
        .join(returned, literal(True))
    )


def _conditions(wanted: ActionFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    statuses = set(wanted.statuses) | {status for status, group in CATEGORY.items() if group in wanted.categories}
    if statuses:
        conditions.append(actions.c.status.in_(sorted(status.value for status in statuses)))
    for column, members in (
        (actions.c.priority, wanted.priorities),
        (actions.c.action_type, wanted.action_types),
        (actions.c.source, wanted.sources),
        (actions.c.action_id, wanted.action_ids),
    ):
        if members:
            conditions.append(column.in_([_stored(item) for item in members]))
    if wanted.owner_user_id is not None:
        conditions.append(actions.c.owner_user_id == wanted.owner_user_id)
    if wanted.is_unassigned:
        conditions.append(actions.c.owner_user_id.is_(None))
    if wanted.account_key is not None:
        conditions.append(actions.c.account_key == wanted.account_key)
    if wanted.due_from is not None:
        conditions.append(actions.c.due_date >= wanted.due_from)
    if wanted.due_before is not None:
        conditions.append(actions.c.due_date < wanted.due_before)
    if wanted.closed_from is not None:
        conditions.append(actions.c.closed_at >= wanted.closed_from)
    if wanted.playbook_run_id is not None:
        conditions.append(actions.c.playbook_run_id == wanted.playbook_run_id)
    if wanted.least_escalation_level:
        conditions.append(actions.c.escalation_level >= wanted.least_escalation_level)
    if not wanted.with_archived and not wanted.action_ids:
        conditions.append(actions.c.archived_at.is_(None))
    if not wanted.with_withdrawn:
        undone = select(action_events.c.event_id).where(
            action_events.c.action_id == actions.c.action_id,
            action_events.c.version == actions.c.version,
            action_events.c.field == "status",
            action_events.c.reason == UNDONE,
        )
        conditions.append((actions.c.status != Status.CANCELLED.value) | ~undone.exists())
    if wanted.text and (words := wanted.text.replace("\x00", "").strip()[:200]):
        conditions.append(
            or_(
                actions.c.title.icontains(words, autoescape=True),
                actions.c.account_name.icontains(words, autoescape=True),
            )
        )
    return conditions


def _by_urgency(columns: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[Any]]:
    """Open before ended, the newest end first; then by due date (none last), priority and age."""
    rank = {priority.value: place for place, priority in enumerate(Priority)}
    return [
        columns.closed_at.is_not(None),
        columns.closed_at.desc().nulls_last(),
        columns.due_date.asc().nulls_last(),
        func.array_position(list(rank), columns.priority),
        columns.created_at,
        columns.action_id,
    ]


def _by_gravity(columns: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[Any]]:
    """The order of the shared queue, in which work is taken from it: the gravest first, the oldest of those; what is
    asleep waits behind it, and what has ended, newest first, behind all."""
    return [
        columns.closed_at.is_not(None),
        columns.closed_at.desc().nulls_last(),
        columns.status == Status.SNOOZED.value,
        func.array_position([priority.value for priority in Priority], columns.priority),
        columns.created_at,
        columns.action_id,
    ]


def _comes_after(place: ListPlace) -> ColumnElement[bool]:
    """Whether an action comes after a place in the order of `_by_urgency`."""
    rank = [priority.value for priority in Priority]

    def standing(get: Callable[[str], ColumnElement[Any]]) -> Tuple:
        closed_at = get("closed_at")
        return tuple_(
            closed_at.is_not(None),
            func.coalesce(-extract("epoch", closed_at), 0),
            func.coalesce(get("due_date"), date.max),
            func.array_position(rank, get("priority")),
            get("created_at"),
            get("action_id"),
        )

    return standing(lambda name: actions.c[name]) > standing(
        lambda name: literal(getattr(place, name), actions.c[name].type)
    )


def queue_rows(db: Connection, wanted: ActionFilter, *, limit: int) -> list[ActionRow]:
    """As `rows`, in the order in which the shared queue is worked off."""
    return _rows(db, _conditions(wanted), _by_gravity, limit=limit)


def rows(db: Connection, wanted: ActionFilter, *, limit: int, after: ListPlace | None = None) -> list[ActionRow]:
    """Actions with what a list shows: open before ended, then by due date (none last), priority and age."""
    conditions = [*_conditions(wanted), *([_comes_after(after)] if after else [])]
    return _rows(db, conditions, _by_urgency, limit=limit)


def _rows(
    db: Connection,
    conditions: Sequence[ColumnElement[bool]],
    order: Callable[[ReadOnlyColumnCollection[str, Any]], list[ColumnElement[Any]]],
    *,
    limit: int,
) -> list[ActionRow]:
    picked = (
        select(actions)
        .where(and_(literal(True), *conditions))
        .order_by(*order(actions.c))
        .limit(limit)
        .subquery("picked")
    )
    query = _with_story(picked).order_by(*order(picked.c))
    return [_ROW.validate_python(dict(row._mapping)) for row in db.execute(query)]


def counts(db: Connection, wanted: ActionFilter) -> dict[Status, int]:
    """How many actions of a filter stand in each status; a status without any is left out."""
    query = select(actions.c.status, func.count()).where(*_conditions(wanted)).group_by(actions.c.status)
    return {Status(status): count for status, count in db.execute(query)}


def one_row(db: Connection, action_id: UUID) -> ActionRow:
    """One action with what a list shows. Raises NotFound."""
    picked = select(actions).where(actions.c.action_id == action_id).subquery("picked")
    row = db.execute(_with_story(picked)).one_or_none()
    if row is None:
        raise NotFound("action", action_id)
    return _ROW.validate_python(dict(row._mapping))
