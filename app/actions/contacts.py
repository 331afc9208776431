"""Attempts to reach the customer, logged as they happen: how, when, for how long, and whom they reached.

Apart from notes because they are counted, and apart from outcomes because an action sees many of them before it ends.
"""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from app.actions import repository
from app.actions.drafts import contact_columns
from app.actions.model import Contact, ContactDraft
from app.actions.repository import Change
from app.actions.vocabulary import EventKind
from app.actions.writing import person
from app.auth import Identity, Permission, require
from app.calendar import display_date
from app.idempotency import once

LARGEST_PAGE = 5_000


def log_contact(
    db: Connection, *, actor: Identity, now: datetime, action_id: UUID, contact: ContactDraft, idempotency_key: str
) -> Contact:
    """Log one contact, on an ended action too. The action's version stays.

    Whoever may note may log, so that a colleague who takes the call can say so.
    Raises NotFound, NotPermitted, InvalidInput (a day in the future; somebody named although nobody was reached),
    IdempotencyConflict.
    """
    require(actor, Permission.ADD_NOTE)

    def work() -> Contact:
        columns = contact_columns(contact, today=display_date(now))
        action = repository.lock(db, action_id)
        logged = repository.insert_contact(
            db,
            columns
            | {
                "action_id": action_id,
                "account_key": action.account_key,
                "logged_by": actor.user_id,
                "logged_by_name": actor.display_name,
                "logged_at": now,
            },
        )
        told = Change(kind=EventKind.CONTACT_LOGGED, after={"contact_id": str(logged.contact_id)})
        repository.append(
            db, action=action, actor=person(actor), now=now, changes=[told], idempotency_key=idempotency_key
        )
        return logged

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="log_contact",
        request={"action_id": action_id, "contact": asdict(contact)},
        now=now,
        answer=Contact,
        work=work,
    )


def account_contacts(db: Connection, *, account_key: str, limit: int = 100) -> list[Contact]:
    """Contacts logged on all actions of an account, newest day first: for the account's timeline."""
    return repository.contacts(db, account_key=account_key, limit=max(1, min(limit, LARGEST_PAGE)))
