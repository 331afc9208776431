"""/suggestions: open ones, a person's three answers to them, and a minute to take one back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import Db, IdempotencyKey, Now, Reader, SuggestionAnswerer
from api.models.suggestions import (
    Acceptance,
    Accepted,
    AnswerUndo,
    Dismissal,
    Exposures,
    NewExposures,
    Snooze,
    SuggestionList,
)
from api.models.values import Text
from app.suggestions import service
from app.suggestions.model import Suggestion

router = APIRouter(prefix="/suggestions", tags=["suggestions"])


@router.get("")
def list_suggestions(
    identity: Reader,
    db: Db,
    account_key: Annotated[Text | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SuggestionList:
    """Open suggestions, best first: a CSM's own accounts, everybody's for others. With an account all of its states."""
    if account_key is not None:
        return SuggestionList(items=service.list_for_account(db, account_key=account_key, limit=limit))
    return SuggestionList(items=service.list_open(db, identity=identity, limit=limit))


@router.post("/exposures")
def record_exposures(
    body: NewExposures, identity: SuggestionAnswerer, db: Db, now: Now, key: IdempotencyKey
) -> Exposures:
    """Say what the account's own CSM has on their screen, or has opened; a second time changes nothing."""
    mark = service.mark_shown if body.kind == "shown" else service.mark_viewed
    return Exposures(recorded=mark(db, body.suggestion_ids, actor=identity, now=now))


@router.get("/{suggestion_id}")
def get_suggestion(suggestion_id: UUID, identity: Reader, db: Db) -> Suggestion:
    """One suggestion with its evidence."""
    return service.get_suggestion(db, suggestion_id)


@router.post("/{suggestion_id}/accept")
def accept(
    suggestion_id: UUID, body: Acceptance, identity: SuggestionAnswerer, db: Db, now: Now, key: IdempotencyKey
) -> Accepted:
    """Make it an action. One that somebody accepted before answers with that action and who it was."""
    accepted = service.accept(
        db,
        actor=identity,
        now=now,
        suggestion_id=suggestion_id,
        expected_version=body.version,
        edits=body.edits.draft() if body.edits else None,
        idempotency_key=key,
    )
    return Accepted.of(accepted)


@router.post("/{suggestion_id}/dismiss")
def dismiss(
    suggestion_id: UUID, body: Dismissal, identity: SuggestionAnswerer, db: Db, now: Now, key: IdempotencyKey
) -> Suggestion:
    """Say no, with a reason; wrong data opens a data issue."""
    return service.dismiss(
        db,
        actor=identity,
        now=now,
        suggestion_id=suggestion_id,
        expected_version=body.version,
        reason=body.reason,
        note=body.note,
        idempotency_key=key,
    )


@router.post("/{suggestion_id}/snooze")
def snooze(
    suggestion_id: UUID, body: Snooze, identity: SuggestionAnswerer, db: Db, now: Now, key: IdempotencyKey
) -> Suggestion:
    """Put it aside until a day."""
    return service.snooze(
        db,
        actor=identity,
        now=now,
        suggestion_id=suggestion_id,
        expected_version=body.version,
        until=body.until,
        idempotency_key=key,
    )


@router.post("/{suggestion_id}/undo")
def undo_answer(
    suggestion_id: UUID, body: AnswerUndo, identity: SuggestionAnswerer, db: Db, now: Now, key: IdempotencyKey
) -> Suggestion:
    """Take one's own dismissal or snooze back, within a minute of it."""
    return service.undo_answer(
        db,
        actor=identity,
        now=now,
        suggestion_id=suggestion_id,
        expected_version=body.version,
        idempotency_key=key,
    )
