"""/actions: one call of a service each. The version is in the body, the request key in Idempotency-Key."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import ActionCreator, ActionWorker, Assigner, Db, IdempotencyKey, NoteAuthor, Now, Reader
from api.models.actions import ActionChanges, Closing, Move, NewAction, NewContact, NewNote, Reassignment, Starting
from api.models.paging import Page, decode_cursor, encode_cursor
from api.models.values import Day, Text
from app.actions import contacts, service
from app.actions.defaults import defaults
from app.actions.lifecycle import Category, Status
from app.actions.model import (
    Action,
    ActionDetail,
    ActionFilter,
    ActionRow,
    Contact,
    ListPlace,
    Note,
    ReassignResult,
)
from app.calendar import display_date

router = APIRouter(prefix="/actions", tags=["actions"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("")
def list_actions(
    identity: Reader,
    db: Db,
    owner_user_id: Annotated[UUID | None, Query()] = None,
    mine: bool = False,
    unassigned: bool = False,
    account_key: Annotated[Text | None, Query(max_length=64)] = None,
    status: Annotated[list[Status] | None, Query()] = None,
    category: Annotated[list[Category] | None, Query()] = None,
    due_from: Day | None = None,
    due_before: Day | None = None,
    search: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Page[ActionRow]:
    """Actions: open before ended, then by due date and priority. Every filter given narrows."""
    wanted = ActionFilter(
        owner_user_id=identity.user_id if mine else owner_user_id,
        is_unassigned=unassigned,
        account_key=account_key,
        statuses=tuple(status or ()),
        categories=tuple(category or ()),
        due_from=due_from,
        due_before=due_before,
        text=search,
    )
    after = decode_cursor(cursor, ListPlace) if cursor else None
    found = service.list_actions(db, filter=wanted, limit=limit + 1, after=after)
    page = found[:limit]
    is_last = len(found) <= limit
    return Page(items=page, next_cursor=None if is_last else encode_cursor(ListPlace.of(page[-1])))


@router.post("", status_code=201)
def create_action(body: NewAction, identity: ActionCreator, db: Db, now: Now, key: IdempotencyKey) -> Action:
    """Open an action on any account. Sending the same key again answers with the same action."""
    return service.create_action(db, actor=identity, now=now, draft=body.draft(), idempotency_key=key)


@router.post("/reassign")
def reassign(body: Reassignment, identity: Assigner, db: Db, now: Now, key: IdempotencyKey) -> ReassignResult:
    """Give many actions to somebody, or to nobody. Those that can not move are listed with the reason."""
    return service.reassign(
        db,
        actor=identity,
        now=now,
        action_ids=body.action_ids,
        owner_user_id=body.owner_user_id,
        idempotency_key=key,
    )


@router.get("/starting")
def new_action_defaults(identity: ActionCreator, db: Db, now: Now) -> Starting:
    """What may be chosen for a new action, and what it starts with, as the admins have set it."""
    return Starting.of(defaults(db, actor=identity, today=display_date(now)))


@router.get("/{action_id}")
def get_action(action_id: UUID, identity: Reader, db: Db) -> ActionDetail:
    """An action with its notes, its events, its outcomes and the moves that are legal now."""
    return service.get_action(db, action_id)


@router.patch("/{action_id}")
def edit_action(
    action_id: UUID, body: ActionChanges, identity: ActionWorker, db: Db, now: Now, key: IdempotencyKey
) -> Action:
    """Change fields. 409 with both texts when somebody else was faster."""
    return service.edit_action(
        db,
        actor=identity,
        now=now,
        action_id=action_id,
        expected_version=body.version,
        changes=body.given(),
        idempotency_key=key,
    )


@router.post("/{action_id}/transitions")
def move_action(action_id: UUID, body: Move, identity: ActionWorker, db: Db, now: Now, key: IdempotencyKey) -> Action:
    """Move to another status. 409 with the legal moves when this one is not."""
    return service.transition(
        db,
        actor=identity,
        now=now,
        action_id=action_id,
        expected_version=body.version,
        to_status=body.to_status,
        reason=body.reason,
        snoozed_until=body.snoozed_until,
        idempotency_key=key,
    )


@router.post("/{action_id}/close")
def close_action(
    action_id: UUID, body: Closing, identity: ActionWorker, db: Db, now: Now, key: IdempotencyKey
) -> Action:
    """Close with an outcome."""
    return service.close_action(
        db,
        actor=identity,
        now=now,
        action_id=action_id,
        expected_version=body.version,
        outcome=body.outcome(),
        idempotency_key=key,
    )


@router.post("/{action_id}/notes", status_code=201)
def add_note(action_id: UUID, body: NewNote, identity: NoteAuthor, db: Db, now: Now, key: IdempotencyKey) -> Note:
    """Add a note. Notes are never changed; they do not change the action's version."""
    return service.add_note(
        db,
        actor=identity,
        now=now,
        action_id=action_id,
        body=body.note,
        corrects_note_id=body.corrects_note_id,
        idempotency_key=key,
    )


@router.post("/{action_id}/contacts", status_code=201)
def log_contact(
    action_id: UUID, body: NewContact, identity: NoteAuthor, db: Db, now: Now, key: IdempotencyKey
) -> Contact:
    """Record a contact with the customer, or an attempt. It does not change the action's version."""
    return contacts.log_contact(
        db, actor=identity, now=now, action_id=action_id, contact=body.contact(), idempotency_key=key
    )
