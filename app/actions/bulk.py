"""One change to many actions: previewed line by line, made action by action, undone within a minute.

A list of one is a list too, so that a single snooze has the same undo. The trap avoided: all or nothing. One stale row
among two hundred must not cost the other changes, and an undo must never wipe out what somebody did in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select, update

from app.actions import repository, telling, writing
from app.actions.bulk_plan import Assign, BulkChange, Cancel, Redate, Snooze, check, plan, words_after, words_before
from app.actions.lifecycle import Move
from app.actions.model import Action, ActionFilter, ActionRow, Refused
from app.actions.tables import actions, bulk_changes
from app.actions.writing import UNDO_WINDOW, UNDOABLE_FOR, person
from app.auth import Identity, Permission, require
from app.calendar import Calendar
from app.errors import AppError, InvalidInput, NotFound, NotPermitted
from app.idempotency import once

LARGEST_BULK = 500

_KINDS: dict[type[BulkChange], str] = {Snooze: "snooze", Redate: "redate", Cancel: "cancel", Assign: "assign"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLine:
    """What would happen to one action, in words. With a `refusal` nothing would, and `after` is empty."""

    action_id: UUID
    title: str
    account_name: str
    before: str
    after: str
    refusal: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPreview:
    """One line per action, in the order asked for."""

    lines: tuple[PreviewLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """The changed actions as they are now and those refused, each in the order asked for.

    `bulk_id` names the change for its undo, which is offered until `undo_until`; both are None when nothing changed,
    and `undo_until` is None for an undo itself.
    """

    bulk_id: UUID | None
    changed: tuple[Action, ...]
    refused: tuple[Refused, ...]
    undo_until: datetime | None


def preview(
    db: Connection, *, actor: Identity, now: datetime, change: BulkChange, action_ids: Sequence[UUID]
) -> BulkPreview:
    """What `apply` would do to each action. Writes and locks nothing.

    Raises NotPermitted, and InvalidInput for what is wrong with the change itself or for over 500 actions.
    """
    wanted = tuple(dict.fromkeys(action_ids))
    _admit(actor, change, len(wanted))
    receiver = _checked(db, change, now=now)
    calendar = writing.calendar(db, actor)
    found: dict[UUID, ActionRow] = {}
    if wanted:
        rows = repository.rows(db, ActionFilter(action_ids=wanted), limit=len(wanted))
        found = {row.action_id: row for row in rows}
    return BulkPreview(
        lines=tuple(
            _line(found.get(one), one, actor=actor, now=now, change=change, receiver=receiver, calendar=calendar)
            for one in wanted
        )
    )


def apply(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    change: BulkChange,
    items: Sequence[tuple[UUID, int]],
    idempotency_key: str,
) -> BulkResult:
    """Make a change to each action that still stands at the version previewed; at most 500.

    Each is refused by itself with the reason: not theirs to change, changed since, not possible from where it stands.
    Raises NotPermitted, InvalidInput for what is wrong with the change itself, IdempotencyConflict.
    """
    versions = dict(reversed(items))  # of an action that is named twice, the first
    wanted = {action_id: versions[action_id] for action_id, _ in items}
    _admit(actor, change, len(wanted))

    def work() -> BulkResult:
        _checked(db, change, now=now)
        calendar = writing.calendar(db, actor)
        found = {action.action_id: action for action in repository.lock_many(db, actions.c.action_id.in_(wanted))}
        changed: list[Action] = []
        refused: list[Refused] = []
        done: list[dict[str, object]] = []
        for action_id, version in wanted.items():
            try:
                action = found.get(action_id)
                if action is None:
                    raise NotFound("action", action_id)
                _allow(actor, change, action)
                writing.check_version(db, action, version)
                planned = plan(action, change, now=now, calendar=calendar)
                after = _write(db, action, planned, actor=actor, now=now, key=idempotency_key)
            except AppError as error:
                refused.append(Refused(action_id=action_id, message=error.message))
                continue
            changed.append(after)
            done.append({"action_id": str(action_id), "before": _overwritten(action, after), "version": after.version})
        told = [(found[action.action_id], action) for action in changed]
        telling.owners_changed(db, now=now, actor=person(actor), changes=told)
        bulk_id = uuid4() if done else None
        if done:
            db.execute(
                insert(bulk_changes).values(
                    bulk_id=bulk_id, actor_user_id=actor.user_id, made_at=now, kind=_KINDS[type(change)], items=done
                )
            )
        return BulkResult(
            bulk_id=bulk_id,
            changed=tuple(changed),
            refused=tuple(refused),
            undo_until=now + UNDO_WINDOW if done else None,
        )

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="bulk_apply",
        request={"kind": _KINDS[type(change)], "change": asdict(change), "items": list(wanted.items())},
        now=now,
        answer=BulkResult,
        work=work,
    )


def undo(db: Connection, *, actor: Identity, now: datetime, bulk_id: UUID, idempotency_key: str) -> BulkResult:
    """Put back what a bulk change did, for its author and within a minute of it.

    An action that anybody changed since is refused by itself; a note or a contact is no change. The version grows by
    one more, and the story says that it was undone.
    Raises NotFound, NotPermitted, InvalidInput when the minute has passed or it was undone before,
    IdempotencyConflict.
    """

    def work() -> BulkResult:
        made = db.execute(select(bulk_changes).where(bulk_changes.c.bulk_id == bulk_id).with_for_update()).one_or_none()
        if made is None:
            raise NotFound("change", bulk_id)
        if made.actor_user_id != actor.user_id:
            raise NotPermitted("Only who made a change may undo it.", hint="Change the actions themselves instead.")
        _require(actor, made.kind)
        if made.undone_at is not None:
            raise InvalidInput("bulk_id", "This was undone already.")
        if now - made.made_at > UNDOABLE_FOR:
            raise InvalidInput(
                "bulk_id", "The minute for undoing this has passed.", hint="Change the actions themselves instead."
            )
        changed: list[Action] = []
        refused: list[Refused] = []
        items = {UUID(item["action_id"]): item for item in made.items}
        found = {action.action_id: action for action in repository.lock_many(db, actions.c.action_id.in_(items))}
        for action_id, item in items.items():
            action = found[action_id]
            try:
                writing.check_version(db, action, item["version"])
                changed.append(_put_back(db, action, item["before"], actor=actor, now=now, key=idempotency_key))
            except AppError as error:
                refused.append(Refused(action_id=action_id, message=error.message))
        told = [(found[action.action_id], action) for action in changed]
        telling.owners_changed(db, now=now, actor=person(actor), changes=told)
        db.execute(update(bulk_changes).where(bulk_changes.c.bulk_id == bulk_id).values(undone_at=now))
        return BulkResult(bulk_id=bulk_id, changed=tuple(changed), refused=tuple(refused), undo_until=None)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="bulk_undo",
        request={"bulk_id": bulk_id},
        now=now,
        answer=BulkResult,
        work=work,
    )


def _require(actor: Identity, kind: str) -> None:
    """Whether the role may make this kind of change at all."""
    if kind == _KINDS[Assign]:
        require(actor, Permission.ASSIGN)
    else:
        require(actor, Permission.WORK_ACTION, owner_user_id=actor.user_id)


def _admit(actor: Identity, change: BulkChange, count: int) -> None:
    _require(actor, _KINDS[type(change)])
    if count > LARGEST_BULK:
        raise InvalidInput("action_ids", f"At most {LARGEST_BULK} actions can be changed at once.", value=count)


def _allow(actor: Identity, change: BulkChange, action: Action) -> None:
    """Whether this one is theirs to change; who may assign may assign any."""
    if not isinstance(change, Assign):
        require(actor, Permission.WORK_ACTION, owner_user_id=action.owner_user_id)


def _checked(db: Connection, change: BulkChange, *, now: datetime) -> str | None:
    """The name of who receives, for an assignment. Raises InvalidInput for what no action could take."""
    check(change, now=now)
    if not isinstance(change, Assign) or change.owner_user_id is None:
        return None
    writing.check_owner(db, change.owner_user_id)
    return repository.active_user(db, change.owner_user_id)


def _line(
    row: ActionRow | None,
    action_id: UUID,
    *,
    actor: Identity,
    now: datetime,
    change: BulkChange,
    receiver: str | None,
    calendar: Calendar,
) -> PreviewLine:
    after, refusal = "", None
    try:
        if row is None:
            raise NotFound("action", action_id)
        _allow(actor, change, row)
        after = words_after(plan(row, change, now=now, calendar=calendar), change, receiver=receiver)
    except AppError as error:
        refusal = error.message
    return PreviewLine(
        action_id=action_id,
        title=row.title if row else "",
        account_name=row.account_name if row else "",
        before=words_before(row, change) if row else "",
        after=after,
        refusal=refusal,
        version=row.version if row else 0,
    )


def _write(
    db: Connection, action: Action, planned: Move | dict[str, object], *, actor: Identity, now: datetime, key: str
) -> Action:
    if isinstance(planned, Move):
        return writing.apply(db, action, planned, actor=person(actor), now=now, key=key)
    return writing.amend(db, action, planned, actor=person(actor), now=now, key=key)


def _overwritten(before: Action, after: Action) -> dict[str, Any]:
    """The columns that a change wrote over, as JSON values; its version and time are history and stay."""
    old, new = repository.as_json(before), repository.as_json(after)
    return {name: old[name] for name in old if old[name] != new[name] and name not in ("version", "updated_at")}


def _put_back(
    db: Connection, action: Action, before: Mapping[str, Any], *, actor: Identity, now: datetime, key: str
) -> Action:
    former = repository.from_json({**repository.as_json(action), **before})
    if "owner_user_id" in before:
        writing.check_owner(db, former.owner_user_id)
    columns = {name: getattr(former, name) for name in before}
    return writing.put_back(db, action, columns, actor=person(actor), now=now, key=key)
