"""What people do with actions: open, edit, move, close, note, assign. Every face calls these, and beside them those of
`queue`, `contacts`, `bulk` and `assigning`, and nothing below them.

Every write carries a request key (`app.idempotency`), checks the version it was based on, and appends its events in the
same transaction. The caller owns the transaction. Reads take any connection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions import repository, telling
from app.actions.bulk import LARGEST_BULK
from app.actions.context import contexts
from app.actions.decisions import record_human
from app.actions.drafts import changed_columns, draft_columns, note_body, outcome_columns
from app.actions.lifecycle import (
    CancelReason,
    Closing,
    Status,
    check_cancelled_by_person,
    is_open,
    legal_moves,
    plan_move,
    snooze_end,
)
from app.actions.merging import merge
from app.actions.model import (
    Action,
    ActionDetail,
    ActionDraft,
    ActionFilter,
    ActionRow,
    ListPlace,
    Note,
    OutcomeDraft,
    ReassignResult,
    Refused,
    Workload,
)
from app.actions.repository import Change, EventActor
from app.actions.tables import actions
from app.actions.vocabulary import UNDONE, ActorKind, EventKind, Source
from app.actions.workload import workloads
from app.actions.writing import (
    amend,
    apply,
    calendar,
    check_owner,
    check_version,
    insert,
    locked_for_work,
    person,
    put_back,
    standing,
    write,
)
from app.auth import Identity, Permission, Role, require
from app.calendar import display_date
from app.errors import InvalidInput, NotFound
from app.idempotency import once
from app.inputs import member, optional_text

LARGEST_PAGE = 5_000
REASON_LIMIT = 500


def create_action(
    db: Connection, *, actor: Identity, now: datetime, draft: ActionDraft, idempotency_key: str
) -> Action:
    """A person's own new action, with a decision record of policy `human` and the context frozen.

    A CSM owns what they create, on any account; an admin may give it to anybody, or to nobody yet.
    Raises NotPermitted, InvalidInput, NotFound for an unknown account, MartUnavailable, IdempotencyConflict.
    """
    require(actor, Permission.CREATE_ACTION)

    def work() -> Action:
        columns = draft_columns(draft, today=display_date(now))
        owner = draft.owner_user_id if actor.role is Role.ADMIN else draft.owner_user_id or actor.user_id
        if owner != actor.user_id:
            require(actor, Permission.ASSIGN)
            check_owner(db, owner)
        context = contexts(db, [draft.account_key], decided_at=now).get(draft.account_key)
        if context is None:
            raise NotFound("account", draft.account_key)
        decision_id = record_human(db, context=context, now=now, intervention=str(columns["intervention"]))
        columns |= {
            "account_key": context.account_key,
            "account_name": context.account_name,
            "owner_user_id": owner,
            "source": Source.MANUAL.value if owner in (actor.user_id, None) else Source.ASSIGNED.value,
            "suggestion_id": None,
            "decision_id": decision_id,
        }
        made = insert(db, actor=actor, now=now, columns=columns, idempotency_key=idempotency_key)
        telling.owners_changed(db, now=now, actor=person(actor), changes=[(None, made)])
        return made

    return write(
        db, actor=actor, now=now, key=idempotency_key, operation="create_action", request=asdict(draft), work=work
    )


def open_suggested(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    draft: ActionDraft,
    account_name: str,
    suggestion_id: UUID,
    decision_id: UUID,
    csm_email: str | None,
    idempotency_key: str,
) -> Action:
    """The action of an accepted suggestion, on the suggestion's own decision.

    Called by `app.suggestions.service`, which has checked the right to accept and owns the request key. With no
    owner in the draft it goes to the person who owns the account in the CRM, else to who accepted; another owner
    needs ASSIGN.
    Raises NotPermitted, InvalidInput.
    """
    columns = draft_columns(draft, today=display_date(now))
    natural = repository.user_of_owner(db, csm_email) or actor.user_id
    owner = draft.owner_user_id or natural
    if owner not in (natural, actor.user_id):
        require(actor, Permission.ASSIGN)
        check_owner(db, owner)
    columns |= {
        "account_key": draft.account_key,
        "account_name": account_name,
        "owner_user_id": owner,
        "source": Source.SUGGESTION.value,
        "suggestion_id": suggestion_id,
        "decision_id": decision_id,
    }
    withdrawn = repository.lock_many(db, actions.c.suggestion_id == suggestion_id)
    if withdrawn:
        made = _reopen_suggested(db, withdrawn[0], columns, actor=actor, now=now, key=idempotency_key)
    else:
        made = insert(db, actor=actor, now=now, columns=columns, idempotency_key=idempotency_key)
    telling.owners_changed(db, now=now, actor=person(actor), changes=[(None, made)])
    return made


def _reopen_suggested(
    db: Connection, action: Action, columns: Mapping[str, object], *, actor: Identity, now: datetime, key: str
) -> Action:
    """A suggestion has one action for ever: accepted again after an undo, it is that one, as proposed now."""
    fresh = {"status": Status.NEW, "cancel_reason": None, "closed_at": None, "archived_at": None}
    of_origin = {"account_key", "account_name", "source", "suggestion_id", "decision_id"}
    wanted = {name: value for name, value in columns.items() if name not in of_origin} | fresh
    return put_back(db, action, wanted, actor=person(actor), now=now, key=key, reason="Accepted again")


def withdraw_suggested(
    db: Connection, *, actor: Identity, now: datetime, action_id: UUID, accepted_at: datetime, idempotency_key: str
) -> Action:
    """Cancel the action of a suggestion whose acceptance is undone; who has it is told nothing, or that it went.

    Called by `app.suggestions.service`, which has checked the right to undo and owns the request key.
    Raises InvalidInput when anybody has changed the action since; a note or a contact is no change.
    """
    action = repository.lock(db, action_id)
    if action.status is not Status.NEW or action.updated_at != accepted_at:
        raise InvalidInput("action_id", "The action has been changed since.", hint="Cancel the action instead.")
    telling.owners_changed(db, now=now, actor=person(actor), changes=[(action, replace(action, owner_user_id=None))])
    planned = plan_move(
        standing(action),
        Status.CANCELLED,
        now=now,
        today=display_date(now),
        reason=CancelReason.NO_LONGER_RELEVANT,
    )
    move = replace(planned, reason=UNDONE)
    return apply(db, action, move, actor=person(actor), now=now, key=idempotency_key)


def edit_action(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    action_id: UUID,
    expected_version: int,
    changes: Mapping[str, object],
    idempotency_key: str,
    base: Mapping[str, object] | None = None,
) -> Action:
    """Change some of title, action_type, intervention, priority, due_date, reason, stakeholder, owner_user_id.

    One event per field that really changes; when none does, the action comes back as it is. Another owner needs ASSIGN.
    With `base`, the values of these fields that the changes were made on, a newer version refuses them only where
    somebody has changed the same field to something else.
    Raises NotFound, NotPermitted, StaleVersion, InvalidInput (an ended action must be reopened first),
    IdempotencyConflict.
    """

    def work() -> Action:
        action = repository.lock(db, action_id)
        require(actor, Permission.WORK_ACTION, owner_user_id=action.owner_user_id)
        if base is None:
            check_version(db, action, expected_version)
        columns = changed_columns(changes, today=display_date(now))
        if base is not None and _collide(base, action, columns):
            check_version(db, action, expected_version)
        if not is_open(action.status):
            raise InvalidInput("status", "This action has ended.", hint="Reopen it to change it.")
        owner = columns.get("owner_user_id", action.owner_user_id)
        if owner != action.owner_user_id:
            require(actor, Permission.ASSIGN)
            check_owner(db, owner if isinstance(owner, UUID) else None)
        after = amend(db, action, columns, actor=person(actor), now=now, key=idempotency_key)
        telling.owners_changed(db, now=now, actor=person(actor), changes=[(action, after)])
        return after

    request = {"action_id": action_id, "expected_version": expected_version, "changes": dict(changes)}
    if base is not None:
        request["base"] = dict(base)
    return write(db, actor=actor, now=now, key=idempotency_key, operation="edit_action", request=request, work=work)


def _collide(base: Mapping[str, object], action: Action, columns: Mapping[str, object]) -> bool:
    """Whether a field of `columns` has been changed since `base` too, to something else."""
    mine = {field: base[field] for field in columns}
    return bool(merge(mine, {field: getattr(action, field) for field in columns}, columns).collisions)


def transition(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    action_id: UUID,
    expected_version: int,
    to_status: str,
    reason: str | None = None,
    snoozed_until: date | None = None,
    idempotency_key: str,
) -> Action:
    """Move an action to another status. Closing goes through `close_action`.

    Snoozing needs `snoozed_until` (a day after today; of a day off of the actor, the next business day is taken) and
    `reason`; cancelling a `reason` of CancelReason; reopening
    a reason.
    Raises NotFound, NotPermitted, StaleVersion, IllegalTransition with the legal moves, InvalidInput,
    IdempotencyConflict.
    """

    def work() -> Action:
        action = locked_for_work(db, actor=actor, action_id=action_id, expected_version=expected_version)
        wanted = member("status", to_status, Status)
        if wanted is Status.CANCELLED and is_open(action.status):
            check_cancelled_by_person(reason)
        today, until = display_date(now), snoozed_until
        if wanted is Status.SNOOZED and until is not None:
            until = snooze_end(until, calendar(db, actor), today=today)
        move = plan_move(
            standing(action),
            wanted,
            now=now,
            today=today,
            reason=optional_text("reason", reason, limit=REASON_LIMIT),
            snoozed_until=until,
        )
        return apply(db, action, move, actor=person(actor), now=now, key=idempotency_key)

    request = {
        "action_id": action_id,
        "expected_version": expected_version,
        "to_status": to_status,
        "reason": reason,
        "snoozed_until": snoozed_until,
    }
    return write(db, actor=actor, now=now, key=idempotency_key, operation="transition", request=request, work=work)


def close_action(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    action_id: UUID,
    expected_version: int,
    outcome: OutcomeDraft,
    idempotency_key: str,
) -> Action:
    """Close an action with what was done and what came of it.

    Raises as `transition`; InvalidInput names the layer of the outcome that is missing and carries what was typed.
    """

    def work() -> Action:
        action = locked_for_work(db, actor=actor, action_id=action_id, expected_version=expected_version)
        today = display_date(now)
        closing = Closing(result=outcome.result, done_intervention=outcome.done_intervention, note=outcome.closing_note)
        move = plan_move(standing(action), Status.CLOSED, now=now, today=today, closing=closing)
        columns = outcome_columns(outcome, today=today)
        after = apply(db, action, move, actor=person(actor), now=now, key=idempotency_key)
        recorded = {"action_id": action_id, "result": outcome.result, "recorded_by": actor.user_id, "recorded_at": now}
        repository.insert_outcome(db, columns | recorded)
        return after

    request = {"action_id": action_id, "expected_version": expected_version, "outcome": asdict(outcome)}
    return write(db, actor=actor, now=now, key=idempotency_key, operation="close_action", request=request, work=work)


def add_note(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    action_id: UUID,
    body: str,
    corrects_note_id: UUID | None = None,
    idempotency_key: str,
) -> Note:
    """Add a note, on an ended action too; a correction names the note it corrects. The action's version stays.

    Anybody but an analyst may note on any action, so that a colleague who takes a call can say so.
    Raises NotFound, NotPermitted, InvalidInput (empty, over 20,000 characters, NUL) that carries the text,
    IdempotencyConflict.
    """
    require(actor, Permission.ADD_NOTE)

    def work() -> Note:
        text = note_body(body)
        action = repository.lock(db, action_id)
        if corrects_note_id is not None and repository.note_action(db, corrects_note_id) != action_id:
            raise NotFound("note", corrects_note_id)
        note = repository.insert_note(
            db,
            {
                "action_id": action_id,
                "account_key": action.account_key,
                "author_user_id": actor.user_id,
                "author_name": actor.display_name,
                "body": text,
                "corrects_note_id": corrects_note_id,
                "created_at": now,
            },
        )
        added = Change(kind=EventKind.NOTE_ADDED, after={"note_id": str(note.note_id)})
        repository.append(
            db, action=action, actor=person(actor), now=now, changes=[added], idempotency_key=idempotency_key
        )
        telling.noted(db, now=now, actor=person(actor), action=action, note=note)
        return note

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="add_note",
        request={"action_id": action_id, "body": body, "corrects_note_id": corrects_note_id},
        now=now,
        answer=Note,
        work=work,
    )


def reassign(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    action_ids: Sequence[UUID],
    owner_user_id: UUID | None,
    idempotency_key: str,
) -> ReassignResult:
    """Give actions to somebody, or to nobody; each that cannot move is refused by itself, with the reason.

    At most 500 at once. Raises NotPermitted, InvalidInput for an unknown or deactivated person, IdempotencyConflict.
    """
    require(actor, Permission.ASSIGN)
    wanted = tuple(dict.fromkeys(action_ids))
    if len(wanted) > LARGEST_BULK:
        raise InvalidInput("action_ids", f"At most {LARGEST_BULK} actions can be moved at once.")

    def work() -> ReassignResult:
        check_owner(db, owner_user_id)
        found = {action.action_id: action for action in repository.lock_many(db, actions.c.action_id.in_(wanted))}
        changed: list[Action] = []
        refused: list[Refused] = []
        for action_id in wanted:
            action = found.get(action_id)
            if action is None:
                refused.append(Refused(action_id=action_id, message="This action does not exist."))
            elif not is_open(action.status):
                refused.append(Refused(action_id=action_id, message="This action has ended."))
            elif action.owner_user_id == owner_user_id:
                refused.append(Refused(action_id=action_id, message="This action is theirs already."))
            else:
                columns = {"owner_user_id": owner_user_id}
                changed.append(amend(db, action, columns, actor=person(actor), now=now, key=idempotency_key))
        told = [(found[action.action_id], action) for action in changed]
        telling.owners_changed(db, now=now, actor=person(actor), changes=told)
        return ReassignResult(changed=tuple(changed), refused=tuple(refused))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="reassign",
        request={"action_ids": wanted, "owner_user_id": owner_user_id},
        now=now,
        answer=ReassignResult,
        work=work,
    )


def wake_snoozed(db: Connection, *, now: datetime) -> int:
    """Bring back every snoozed action whose day has come; returns how many. Safe to run at any time, twice too."""
    waking = repository.lock_many(
        db, (actions.c.status == Status.SNOOZED.value) & (actions.c.snoozed_until <= display_date(now))
    )
    job = EventActor(user_id=None, name="Snooze", kind=ActorKind.JOB)
    woken: list[Action] = []
    for action in waking:
        back = legal_moves(action.status, status_before_snooze=action.status_before_snooze)[0]
        move = plan_move(standing(action), back, now=now, today=display_date(now))
        woken.append(apply(db, action, move, actor=job, now=now))
    telling.came_back(db, now=now, woken=woken)
    return len(waking)


def cancel_resolved(db: Connection, *, action_ids: Sequence[UUID], rule_id: str, now: datetime) -> int:
    """Cancel, as `auto_resolved`, those of the actions that nobody has started; returns how many."""
    rule = EventActor(user_id=None, name=f"Rule {rule_id}", kind=ActorKind.RULE)
    untouched = repository.lock_many(db, actions.c.action_id.in_(action_ids) & (actions.c.status == Status.NEW.value))
    for action in untouched:
        move = plan_move(
            standing(action), Status.CANCELLED, now=now, today=display_date(now), reason=CancelReason.AUTO_RESOLVED
        )
        apply(db, action, move, actor=rule, now=now)
    return len(untouched)


def list_actions(
    db: Connection,
    *,
    filter: ActionFilter,  # noqa: A002  # the word every face uses
    limit: int = 500,
    after: ListPlace | None = None,
) -> list[ActionRow]:
    """Actions of a filter: open ones first by due date (none last), priority and age; then ended ones, newest first.

    With `after` those that come after that place.
    """
    return repository.rows(db, filter, limit=max(1, min(limit, LARGEST_PAGE)), after=after)


def count_by_status(db: Connection, *, filter: ActionFilter) -> dict[Status, int]:  # noqa: A002
    """How many actions of a filter stand in each status, without a limit: the heads of a board's columns."""
    return repository.counts(db, filter)


def get_action(db: Connection, action_id: UUID) -> ActionDetail:
    """One action with its notes, story, outcomes and legal moves. Raises NotFound."""
    action = repository.one_row(db, action_id)
    return ActionDetail(
        action=action,
        notes=tuple(repository.notes(db, action_id=action_id, limit=LARGEST_PAGE)),
        contacts=tuple(repository.contacts(db, action_id=action_id, limit=LARGEST_PAGE)),
        events=tuple(repository.events(db, action_id)),
        outcomes=tuple(repository.outcomes(db, action_id)),
        legal_moves=legal_moves(action.status, status_before_snooze=action.status_before_snooze),
    )


def account_notes(db: Connection, *, account_key: str, limit: int = 100) -> list[Note]:
    """Notes on all actions of an account, newest first: for the account's timeline."""
    return repository.notes(db, account_key=account_key, limit=max(1, min(limit, LARGEST_PAGE)))


def workload(db: Connection, *, now: datetime) -> list[Workload]:
    """Everybody's load, by name; see `Workload` for the units."""
    return workloads(db, now=now)
