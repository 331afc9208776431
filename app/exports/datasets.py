"""What can be taken away as a file, and by whom: all of it by admins and analysts, what is their own by CSMs.

Everybody may read every account on the screen; a file of all customers leaves the house with who takes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, or_, select, true

from app.actions.lifecycle import CancelReason, Result, Status
from app.actions.tables import action_outcomes, actions
from app.actions.vocabulary import ActionType, Channel, CustomerResponse, Execution, Intervention, Priority, Source
from app.auth import Identity, Permission, Scope, scope_of
from app.db import reading_mart
from app.errors import InvalidInput
from app.exports import formats
from app.exports.columns import Column, columns_of
from app.exports.formats import Format
from app.marts import accounts, health, reading, version
from app.marts.accounts import Account
from app.tables import users

BATCH = 2_000  # rows


class Dataset(StrEnum):
    """What a file can hold."""

    ACCOUNTS = "accounts"
    ACTIONS = "actions"
    HEALTH = "health"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedAction:
    """One action with the newest recorded outcome; times are UTC."""

    action_id: UUID
    account_key: str
    account_name: str
    title: str
    action_type: ActionType
    reason: str | None
    intervention: Intervention
    priority: Priority
    status: Status
    owner_name: str | None
    owner_email: str | None
    due_date: date | None
    source: Source
    stakeholder: str | None
    suggestion_id: UUID | None
    playbook_run_id: UUID | None
    created_at: datetime
    closed_at: datetime | None
    cancel_reason: CancelReason | None
    execution: Execution | None
    customer_response: CustomerResponse | None
    result: Result | None
    done_intervention: Intervention | None
    channel: Channel | None
    done_date: date | None
    minutes: int | None
    closing_note: str | None


_ACCOUNT = reading.mart("dim_accounts", Account).c
_OUTCOME = (
    "execution", "customer_response", "result", "done_intervention", "channel", "done_date", "minutes", "closing_note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Export:
    """What goes into a file: its columns, and the query that gives them in that order."""

    columns: tuple[Column, ...]
    query: Select


def _is_theirs(identity: Identity, account_key: ColumnElement, *also: ColumnElement[bool]) -> ColumnElement[bool]:
    if scope_of(identity, Permission.EXPORT) is Scope.ALL:
        return true()
    own = select(_ACCOUNT.account_key).where(_ACCOUNT.csm_email.in_(identity.owner_emails))
    return or_(account_key.in_(own), *also)


def _accounts(identity: Identity, since: date | None, today: date) -> Export:
    if since is not None:
        raise InvalidInput("since", "Accounts say nothing of when they changed.", hint="Take all of them.")
    query = accounts.query(today=today).where(_is_theirs(identity, _ACCOUNT.account_key))
    return Export(columns_of(Account), query.order_by(_ACCOUNT.account_name, _ACCOUNT.account_key))


def _actions(identity: Identity, since: date | None, _: date) -> Export:
    newest = (
        select(action_outcomes)
        .where(action_outcomes.c.action_id == actions.c.action_id, actions.c.status == Status.CLOSED.value)
        .order_by(action_outcomes.c.recorded_at.desc())
        .limit(1)
        .lateral("newest")
    )
    source = {
        **actions.c,
        **{name: newest.c[name] for name in _OUTCOME},
        "owner_name": users.c.display_name,
        "owner_email": users.c.email,
    }
    columns = columns_of(ExportedAction)
    query = (
        select(*(source[column.name].label(column.name) for column in columns))
        .select_from(actions)
        .outerjoin(users, users.c.user_id == actions.c.owner_user_id)
        .outerjoin(newest, true())
        .where(
            _is_theirs(
                identity,
                actions.c.account_key,
                actions.c.owner_user_id.in_((identity.user_id, *identity.covered_user_ids)),
            )
        )
        .order_by(actions.c.created_at, actions.c.action_id)
    )
    if since is not None:
        query = query.where(actions.c.updated_at >= datetime.combine(since, time(), UTC))
    return Export(columns, query)


def _health(identity: Identity, since: date | None, _: date) -> Export:
    key, day = reading.key_column("account_key"), reading.key_column("health_date")
    columns = (Column("account_key", str), *columns_of(health.HealthDay))
    query = (
        select(key, *reading.columns(health.MART, health.HealthDay))
        .select_from(reading.mart(health.MART, health.HealthDay))
        .where(_is_theirs(identity, key))
    )
    if since is not None:
        query = query.where(day >= since)
    return Export(columns, query.order_by(key, day))


_EXPORTS: dict[Dataset, Callable[[Identity, date | None, date], Export]] = {
    Dataset.ACCOUNTS: _accounts,
    Dataset.ACTIONS: _actions,
    Dataset.HEALTH: _health,
}


def write(
    db: Connection,
    dataset: Dataset,
    wanted: Format,
    file: BinaryIO,
    *,
    identity: Identity,
    today: date,
    since: date | None = None,
) -> None:
    """Write what `identity` may take away of a dataset; with `since`, what changed or is dated that day (UTC) or later.

    Raises NotPermitted, MartUnavailable before the first build, InvalidInput when the format cannot hold it or the
    dataset does not know when its rows changed.
    """
    export = _EXPORTS[dataset](identity, since, today)
    with reading_mart(dataset):
        version.published(db)
        rows = db.execute(export.query, execution_options={"stream_results": True, "yield_per": BATCH})
        formats.write(file, wanted, export.columns, rows.partitions())
