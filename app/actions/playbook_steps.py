"""Actions that belong to a playbook: opened together when it starts, cancelled together when it stops.

Called by `app.playbooks.service`, which has checked the right to do so and owns the request key and the transaction.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions import repository
from app.actions.context import AccountContext
from app.actions.decisions import record_human
from app.actions.drafts import draft_columns
from app.actions.lifecycle import OPEN, CancelReason, Status, plan_move
from app.actions.model import Action, ActionDraft
from app.actions.tables import actions
from app.actions.vocabulary import Source
from app.actions.writing import apply, check_owner, insert, person, standing
from app.auth import Identity
from app.calendar import display_date


def open_from_playbook(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    draft: ActionDraft,
    context: AccountContext,
    run_id: UUID,
    step: int,
    idempotency_key: str,
) -> Action:
    """The action of one step of a run, with a decision of policy `human` of its own. Raises InvalidInput."""
    columns = draft_columns(draft, today=display_date(now))
    check_owner(db, draft.owner_user_id)
    columns |= {
        "account_key": context.account_key,
        "account_name": context.account_name,
        "source": Source.PLAYBOOK.value,
        "suggestion_id": None,
        "decision_id": record_human(db, context=context, now=now, intervention=str(columns["intervention"])),
        "playbook_run_id": run_id,
        "playbook_step": step,
    }
    return insert(db, actor=actor, now=now, columns=columns, idempotency_key=idempotency_key)


def cancel_open_steps(
    db: Connection, *, actor: Identity, now: datetime, run_id: UUID, idempotency_key: str
) -> list[Action]:
    """Cancel, as no longer relevant, whatever of a run has not ended; a snoozed action wakes first.

    Returns the cancelled actions by id.
    """
    today = display_date(now)
    still_open = (actions.c.playbook_run_id == run_id) & actions.c.status.in_([status.value for status in OPEN])
    cancelled = []
    for action in repository.lock_many(db, still_open):
        moves = [Status.CANCELLED]
        if action.status is Status.SNOOZED and action.status_before_snooze is not None:
            moves.insert(0, action.status_before_snooze)
        for status in moves:
            move = plan_move(
                standing(action), status, now=now, today=today, reason=CancelReason.NO_LONGER_RELEVANT.value
            )
            action = apply(db, action, move, actor=person(actor), now=now, key=idempotency_key)
        cancelled.append(action)
    return cancelled
