"""What happens to suggestions: raised after a build, shown, and answered by the person whose account it is.

Accepting opens an action on the suggestion's own decision, once: a second accept gets the same action and is told
who was first. Dismissing is data for the rule. An answer is to the card as it was seen: figures of a newer build that
came in between refuse no answer, what anybody did does. The caller owns the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.exc import IntegrityError

from app.actions import service as actions
from app.actions.lifecycle import snooze_end
from app.actions.model import Action, ActionDraft
from app.actions.writing import UNDOABLE_FOR, calendar, person
from app.auth import Identity, Permission, Role, require
from app.calendar import add_business_days, display_date
from app.errors import IllegalTransition, InvalidInput, MartUnavailable, NotPermitted, StaleVersion
from app.idempotency import Answer, once
from app.inputs import member, optional_text
from app.marts.version import published
from app.suggestions import data_issues, evaluation, repository
from app.suggestions.answers import as_seen, is_only_news, state_before
from app.suggestions.model import (
    ACCEPTED_STATUSES,
    ANSWER_UNDONE,
    ANSWERABLE,
    ANSWERED_AS_SEEN,
    OPEN_STATUSES,
    AcceptedAction,
    DismissalReason,
    EvaluationReport,
    Suggestion,
    SuggestionEvent,
    SuggestionStatus,
)
from app.suggestions.repository import Happening
from app.suggestions.rules import rule_from_params
from app.suggestions.tables import suggestions

LONGEST_SNOOZE = timedelta(days=180)
LARGEST_PAGE = 500
_UNDOABLE = (*ACCEPTED_STATUSES, SuggestionStatus.DISMISSED, SuggestionStatus.SNOOZED)


def evaluate(db: Connection, *, now: datetime, build_id: int) -> EvaluationReport:
    """Run every active rule on the marts of a published build, in one transaction; a second run at once waits.

    Wakes snoozed and expires unanswered suggestions, ends those whose trigger cleared (and their actions, while nobody
    has started them), blocks rules whose input is too old, and raises new ones within each CSM's budget of the day.
    Raises MartUnavailable when the build is not published.
    """
    if published(db).build_id < build_id:
        raise MartUnavailable("publications")
    return evaluation.run_all(db, now=now, build_id=build_id)


def list_open(db: Connection, *, identity: Identity, limit: int = 50) -> list[Suggestion]:
    """Suggestions waiting for an answer, best first: a CSM's own accounts and those they cover, everybody's for
    others."""
    require(identity, Permission.READ)
    conditions: list[ColumnElement[bool]] = [suggestions.c.status.in_([status.value for status in OPEN_STATUSES])]
    if identity.role is Role.CSM:
        conditions.append(suggestions.c.csm_email.in_(identity.owner_emails))
    order = (suggestions.c.score.desc(), suggestions.c.suggestion_id)
    return repository.find(db, *conditions, order=order, limit=max(1, min(limit, LARGEST_PAGE)))


def list_for_account(db: Connection, *, account_key: str, limit: int = 50) -> list[Suggestion]:
    """Every suggestion there ever was for an account, newest first, but for those that were held out from everybody."""
    order = (suggestions.c.generated_at.desc(), suggestions.c.suggestion_id)
    chosen = (suggestions.c.account_key == account_key, suggestions.c.is_held_out.is_(False))
    return repository.find(db, *chosen, order=order, limit=max(1, min(limit, LARGEST_PAGE)))


def get_suggestion(db: Connection, suggestion_id: UUID) -> Suggestion:
    """One suggestion. Raises NotFound."""
    return repository.one(db, suggestion_id)


def rules_by_source(db: Connection) -> dict[str, list[str]]:
    """Ids of the active rules that do not fire when a source is too old, by source, in the order of their numbers."""
    found: dict[str, list[str]] = {}
    for row in sorted(repository.active_rules(db), key=lambda row: int(row[0].removeprefix("R"))):
        for source in rule_from_params(*row).sources:
            found.setdefault(source, []).append(row[0])
    return found


def story(db: Connection, suggestion_id: UUID) -> list[SuggestionEvent]:
    """What happened to a suggestion, oldest first."""
    return repository.events(db, suggestion_id)


def draft_of(suggestion: Suggestion, *, now: datetime) -> ActionDraft:
    """The action that accepting without edits would open, due in business days from today."""
    return ActionDraft(
        account_key=suggestion.account_key,
        title=suggestion.title,
        action_type=suggestion.action_type,
        intervention=suggestion.intervention,
        priority=suggestion.priority,
        due_date=add_business_days(display_date(now), suggestion.due_offset_bd),
        reason=suggestion.reason,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Who answers which suggestion, as they saw it, in one request."""

    actor: Identity
    now: datetime
    suggestion_id: UUID
    version: int
    key: str


def _once(
    db: Connection,
    asked: _Asked,
    operation: str,
    said: Mapping[str, object],
    answer: type[Answer],
    work: Callable[[], Answer],
) -> Answer:
    """`work` once for the key of a request; `said` is what the person sent besides the suggestion and its version."""
    return once(
        db,
        actor=asked.actor.user_id,
        key=asked.key,
        operation=operation,
        request={"suggestion_id": asked.suggestion_id, "expected_version": asked.version, **said},
        now=asked.now,
        answer=answer,
        work=work,
    )


def _locked(db: Connection, asked: _Asked) -> Suggestion:
    suggestion = repository.one(db, asked.suggestion_id, is_locked=True)
    require(asked.actor, Permission.ANSWER_SUGGESTION, account_owner_email=suggestion.csm_email)
    return suggestion


def _since_seen(db: Connection, suggestion: Suggestion, asked: _Asked) -> list[SuggestionEvent]:
    """What happened since the version that the person saw. Raises StaleVersion unless it was only newer figures."""
    if suggestion.version == asked.version:
        return []
    changes = repository.events(db, suggestion.suggestion_id, after_version=asked.version)
    if not is_only_news(changes):
        raise StaleVersion(suggestion, asked.version, changes)
    return changes


def _check_answerable(suggestion: Suggestion, becomes: str) -> None:
    if suggestion.status not in ANSWERABLE:
        raise IllegalTransition(suggestion.status, becomes, (), what="suggestion")


def _answer(
    db: Connection,
    suggestion: Suggestion,
    asked: _Asked,
    *,
    status: SuggestionStatus,
    changes: Mapping[str, object],
    reason: str | None,
) -> Suggestion:
    answered = {"status": status.value, "answered_at": asked.now, "answered_by": asked.actor.user_id}
    repository.change(db, suggestion, {"snoozed_until": None, **answered, **changes})
    version = suggestion.version + 1
    happenings = [
        Happening(
            suggestion_id=suggestion.suggestion_id,
            version=version,
            kind=status.value,
            before=suggestion.status.value,
            after=status.value,
            reason=reason,
        )
    ]
    if asked.version != suggestion.version:
        seen = Happening(
            suggestion_id=suggestion.suggestion_id,
            version=version,
            kind=ANSWERED_AS_SEEN,
            before=asked.version,
            after=suggestion.version,
        )
        happenings.append(seen)
    repository.append(db, actor=person(asked.actor), now=asked.now, happenings=happenings, idempotency_key=asked.key)
    return repository.one(db, suggestion.suggestion_id)


def _shown_fields(action: Action) -> dict[str, Any]:
    return {field.name: getattr(action, field.name) for field in fields(Action)}


def accept(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    suggestion_id: UUID,
    expected_version: int,
    edits: ActionDraft | None = None,
    idempotency_key: str,
) -> AcceptedAction:
    """Open the suggested action, as proposed or with edits; what has been accepted comes back with who did it.

    The reason stays the suggestion's. With no owner in the edits the action goes to the person who owns the account.
    Raises NotFound, NotPermitted, StaleVersion, IllegalTransition, InvalidInput, IdempotencyConflict.
    """
    asked = _Asked(actor=actor, now=now, suggestion_id=suggestion_id, version=expected_version, key=idempotency_key)

    def work() -> AcceptedAction:
        suggestion = _locked(db, asked)
        if suggestion.action_id is not None:
            earlier = actions.get_action(db, suggestion.action_id).action
            return AcceptedAction(
                **_shown_fields(earlier),
                already_accepted_by=suggestion.answered_by_name,
                already_accepted_at=suggestion.answered_at,
            )
        unseen = _since_seen(db, suggestion, asked)
        _check_answerable(suggestion, "accepted")
        if suggestion.decision_id is None:
            raise IllegalTransition(suggestion.status, "accepted", (), what="suggestion")
        proposed = draft_of(suggestion, now=now)
        if edits is not None and edits.account_key != suggestion.account_key:
            raise InvalidInput("account_key", "The account of a suggestion cannot be changed.", value=edits.account_key)
        draft = replace(edits, reason=suggestion.reason) if edits else proposed
        action = actions.open_suggested(
            db,
            actor=actor,
            now=now,
            draft=draft,
            account_name=suggestion.account_name,
            suggestion_id=suggestion_id,
            decision_id=suggestion.decision_id,
            csm_email=suggestion.csm_email,
            idempotency_key=idempotency_key,
        )
        is_edited = draft not in (proposed, draft_of(as_seen(suggestion, unseen), now=now))
        _answer(
            db,
            suggestion,
            asked,
            status=SuggestionStatus.ACCEPTED_WITH_EDITS if is_edited else SuggestionStatus.ACCEPTED,
            changes={"action_id": action.action_id},
            reason=None,
        )
        return AcceptedAction(**_shown_fields(action))

    return _once(db, asked, "accept", {"edits": asdict(edits) if edits else None}, AcceptedAction, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """An answer that opens no action: what the suggestion becomes, and the reason that its event keeps."""

    status: SuggestionStatus
    changes: Mapping[str, object]
    reason: str


def _refuse(
    db: Connection,
    asked: _Asked,
    operation: str,
    said: Mapping[str, object],
    checked: Callable[[], _Refusal],
    then: Callable[[Suggestion], None] = lambda _: None,
) -> Suggestion:
    """Dismiss and snooze: `said` is what the person sent, `checked` makes an answer of it or raises InvalidInput, and
    `then` does what follows from it."""

    def work() -> Suggestion:
        refusal = checked()
        suggestion = _locked(db, asked)
        _since_seen(db, suggestion, asked)
        _check_answerable(suggestion, refusal.status)
        answer = _answer(db, suggestion, asked, status=refusal.status, changes=refusal.changes, reason=refusal.reason)
        then(answer)
        return answer

    return _once(db, asked, operation, said, Suggestion, work)


def dismiss(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    suggestion_id: UUID,
    expected_version: int,
    reason: str,
    note: str | None = None,
    idempotency_key: str,
) -> Suggestion:
    """Say no, with a reason of DismissalReason; the same is not raised again until the rule has cooled down. Wrong data
    opens a data issue, or joins the one that is open; a `note` says what is wrong, and goes with no other reason.

    Raises NotFound, NotPermitted, StaleVersion, IllegalTransition, InvalidInput, IdempotencyConflict.
    """

    said = optional_text("note", note, limit=data_issues.NOTE_LIMIT)

    def checked() -> _Refusal:
        chosen = member("reason", reason, DismissalReason).value
        if said is not None and chosen != DismissalReason.WRONG_DATA:
            raise InvalidInput("note", "A note goes with wrong data only.")
        return _Refusal(status=SuggestionStatus.DISMISSED, changes={"dismissal_reason": chosen}, reason=chosen)

    def report(suggestion: Suggestion) -> None:
        if suggestion.dismissal_reason is DismissalReason.WRONG_DATA:
            data_issues.report(db, suggestion, actor=actor, now=now, note=said, idempotency_key=idempotency_key)

    asked = _Asked(actor=actor, now=now, suggestion_id=suggestion_id, version=expected_version, key=idempotency_key)
    sent = {"reason": reason} if said is None else {"reason": reason, "note": said}
    return _refuse(db, asked, "dismiss", sent, checked, report)


def snooze(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    suggestion_id: UUID,
    expected_version: int,
    until: date,
    idempotency_key: str,
) -> Suggestion:
    """Put away until a day after today, at most 180 days; it comes back at the first evaluation on or after that day,
    or on or after the actor's next business day where that is a day off.

    Raises NotFound, NotPermitted, StaleVersion, IllegalTransition, InvalidInput, IdempotencyConflict.
    """

    def checked() -> _Refusal:
        today = display_date(now)
        if not today < until <= today + LONGEST_SNOOZE:
            raise InvalidInput("until", "The date to come back on must be after today, within 180 days.", value=until)
        end = snooze_end(until, calendar(db, actor), today=today)
        return _Refusal(status=SuggestionStatus.SNOOZED, changes={"snoozed_until": end}, reason=end.isoformat())

    asked = _Asked(actor=actor, now=now, suggestion_id=suggestion_id, version=expected_version, key=idempotency_key)
    return _refuse(db, asked, "snooze", {"until": until}, checked)


def undo_answer(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    suggestion_id: UUID,
    expected_version: int,
    idempotency_key: str,
) -> Suggestion:
    """Take an answer back within its minute: the suggestion is again what it was before, and the story keeps both. The
    action of an accepted one is cancelled.

    Only who answered may, and not when the same has been suggested anew, or the action has been worked on.
    Raises NotFound, NotPermitted, StaleVersion, InvalidInput, IdempotencyConflict.
    """
    asked = _Asked(actor=actor, now=now, suggestion_id=suggestion_id, version=expected_version, key=idempotency_key)

    def work() -> Suggestion:
        suggestion = _locked(db, asked)
        _since_seen(db, suggestion, asked)
        if suggestion.status not in _UNDOABLE or suggestion.answered_at is None:
            raise InvalidInput("suggestion_id", "There is no answer to undo.")
        if suggestion.answered_by != actor.user_id:
            raise NotPermitted("Only who gave an answer may undo it.", hint="Ask them, or answer the next one.")
        if now - suggestion.answered_at > UNDOABLE_FOR:
            raise InvalidInput("suggestion_id", "The minute for undoing this has passed.")
        before = state_before(repository.events(db, suggestion_id))
        if suggestion.action_id is not None:
            actions.withdraw_suggested(
                db,
                actor=actor,
                now=now,
                action_id=suggestion.action_id,
                accepted_at=suggestion.answered_at,
                idempotency_key=idempotency_key,
            )
        data_issues.withdraw(db, suggestion_id, actor=actor, now=now, idempotency_key=idempotency_key)
        try:
            with db.begin_nested():
                repository.change(db, suggestion, before)
        except IntegrityError as error:
            if repository.ONE_OPEN not in str(error):
                raise
            message = "The same has been suggested anew since."
            raise InvalidInput("suggestion_id", message, hint="Answer the new one.") from None
        undone = Happening(
            suggestion_id=suggestion_id,
            version=suggestion.version + 1,
            kind=ANSWER_UNDONE,
            before=suggestion.status.value,
            after=before["status"],
        )
        repository.append(db, actor=person(actor), now=now, happenings=[undone], idempotency_key=idempotency_key)
        return repository.one(db, suggestion_id)

    return _once(db, asked, "undo_answer", {}, Suggestion, work)


def _mark(
    db: Connection,
    suggestion_ids: Sequence[UUID],
    *,
    actor: Identity,
    now: datetime,
    status: SuggestionStatus,
    of: Sequence[SuggestionStatus],
) -> int:
    if not suggestion_ids or not actor.owner_emails:
        return 0
    seen = repository.find(
        db,
        suggestions.c.suggestion_id.in_(suggestion_ids),
        suggestions.c.csm_email.in_(actor.owner_emails),
        suggestions.c.status.in_([one.value for one in of]),
    )
    if not seen:
        return 0
    happenings = [
        Happening(
            suggestion_id=one.suggestion_id,
            version=one.version,
            kind=status.value,
            before=one.status.value,
            after=status.value,
        )
        for one in seen
    ]
    moved = repository.set_status_quietly(db, [one.suggestion_id for one in seen], status, of=of)
    repository.append(
        db, actor=person(actor), now=now, happenings=[item for item in happenings if item.suggestion_id in moved]
    )
    return len(moved)


def mark_shown(db: Connection, suggestion_ids: Sequence[UUID], *, actor: Identity, now: datetime) -> int:
    """Say that the account's own CSM, or who has their book, has them on screen; returns how many were not before.

    Somebody else looking is no exposure and changes nothing, and neither does a second time: call it at every draw.
    """
    return _mark(
        db, suggestion_ids, actor=actor, now=now, status=SuggestionStatus.SHOWN, of=(SuggestionStatus.GENERATED,)
    )


def mark_viewed(db: Connection, suggestion_ids: Sequence[UUID], *, actor: Identity, now: datetime) -> int:
    """Say that the account's own CSM has opened them; as `mark_shown`."""
    return _mark(
        db,
        suggestion_ids,
        actor=actor,
        now=now,
        status=SuggestionStatus.VIEWED,
        of=(SuggestionStatus.GENERATED, SuggestionStatus.SHOWN),
    )
