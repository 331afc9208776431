"""Sharing work out: who could take it, what a plan would do, and doing just what was planned.

A plan is made and shown (`propose`), then carried out move by move as it was shown (`carry_out`): an action that
somebody changed in between is refused by itself, and nothing is planned again behind anybody's back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from app import configuration
from app.actions import repository, telling, writing
from app.actions.assignment import Assignable, Candidate, Left, Plan, Strategy, plan
from app.actions.lifecycle import Status, is_open
from app.actions.model import Action, ActionFilter, ReassignResult, Refused
from app.actions.tables import actions
from app.actions.workload import workloads
from app.auth import Identity, Permission, Role, require
from app.calendar import display_date, week_start
from app.configuration import Interventions
from app.db import reading_mart
from app.errors import AppError, InvalidInput, NotFound
from app.idempotency import once
from app.inputs import member
from app.tables import users

LARGEST_PLAN = 500

_BOOKS = text(
    """
    select
        lower(csm_email) as csm_email,
        count(*) as account_count,
        cast(coalesce(sum(mrr_eur), 0) as double precision) as mrr_eur
    from marts.dim_accounts
    where is_active and csm_email is not null and exists (select from marts.publications)
    group by lower(csm_email)
    """
)

_ACCOUNTS = text(
    """
    select account_key, lower(csm_email) as csm_email, cast(mrr_eur as double precision) as mrr_eur
    from marts.dim_accounts
    where account_key = any(:account_keys) and exists (select from marts.publications)
    """
)

# a turn older than a month is forgotten, so that the search for it stays short
_LAST_ASSIGNED = text(
    """
    select after #>> '{}' as user_id
    from app.action_events
    where field = 'owner_user_id' and actor_kind = 'user' and after is not null and at > :since
    order by event_id desc
    limit 1
    """
)
_TURN_IS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Book:
    """Accounts that somebody looks after, and their revenue in EUR a month."""

    account_count: int
    mrr_eur: float


NO_BOOK = Book(0, 0.0)


def books_held(db: Connection) -> dict[UUID, Book]:
    """By person, what they look after now, covered books included; who holds none is not in it. Raises MartUnavailable.

    Source: marts.dim_accounts, active accounts.
    """
    has_book = repository.users_of_owners(db)
    held: dict[UUID, Book] = {}
    with reading_mart("dim_accounts"):
        books = db.execute(_BOOKS).all()
    for book in books:
        holder = has_book.get(book.csm_email)
        if holder is not None:
            before = held.get(holder, NO_BOOK)
            held[holder] = Book(before.account_count + book.account_count, before.mrr_eur + book.mrr_eur)
    return held


def candidates(db: Connection, *, now: datetime) -> list[Candidate]:
    """Every active CSM with the load and the accounts they look after now, covered books included, by name.

    Raises MartUnavailable.
    """
    able = users.select().with_only_columns(users.c.user_id).where(users.c.is_active, users.c.role == Role.CSM.value)
    eligible = set(db.execute(able).scalars())
    held = books_held(db)
    return [
        Candidate(
            user_id=load.user_id,
            display_name=load.display_name,
            capacity_minutes=load.weekly_capacity_minutes,
            booked_minutes=load.booked_minutes,
            open_count=load.open_count,
            overdue_count=load.overdue_count,
            mrr_eur=held.get(load.user_id, NO_BOOK).mrr_eur,
            account_count=held.get(load.user_id, NO_BOOK).account_count,
            is_away=load.covered_by is not None,
        )
        for load in workloads(db, now=now)
        if load.user_id in eligible
    ]


def _assignables(db: Connection, found: Sequence[Action], *, now: datetime) -> list[Assignable]:
    with reading_mart("dim_accounts"):
        rows = db.execute(_ACCOUNTS, {"account_keys": sorted({action.account_key for action in found})}).all()
    accounts: Mapping[str, tuple[str | None, float | None]] = {
        row.account_key: (row.csm_email, row.mrr_eur) for row in rows
    }
    has_book = repository.users_of_owners(db)
    effort = configuration.active(db, Interventions).effort()
    next_week = week_start(display_date(now)) + timedelta(days=7)
    items = []
    for action in found:
        csm_email, mrr_eur = accounts.get(action.account_key, (None, None))
        items.append(
            Assignable(
                action_id=action.action_id,
                version=action.version,
                account_key=action.account_key,
                account_name=action.account_name,
                title=action.title,
                priority=action.priority,
                due_date=action.due_date,
                effort_minutes=effort.get(action.intervention, 0),
                account_mrr_eur=mrr_eur,
                current_owner=action.owner_user_id,
                is_booked=action.status is not Status.SNOOZED
                and action.due_date is not None
                and action.due_date < next_week,
                account_owner=has_book.get(csm_email) if csm_email else None,
            )
        )
    return items


def propose(db: Connection, *, actor: Identity, now: datetime, strategy: str, action_ids: Sequence[UUID]) -> Plan:
    """What sharing out these actions would do; nothing is written. At most 500 at once.

    Ended and unknown actions are left, with the reason.
    Raises NotPermitted, InvalidInput, MartUnavailable.
    """
    require(actor, Permission.ASSIGN)
    chosen = member("strategy", strategy, Strategy)
    wanted = tuple(dict.fromkeys(action_ids))
    if len(wanted) > LARGEST_PLAN:
        raise InvalidInput("action_ids", f"At most {LARGEST_PLAN} actions can be shared out at once.")
    found: list[Action] = []
    if wanted:
        rows = repository.rows(db, ActionFilter(action_ids=wanted), limit=LARGEST_PLAN)
        found = [row for row in rows if is_open(row.status)]
        known = {row.action_id for row in rows}
    else:
        known = set()
    last = db.execute(_LAST_ASSIGNED, {"since": now - _TURN_IS_KEPT}).scalar_one_or_none()
    made = plan(
        chosen,
        _assignables(db, found, now=now),
        candidates(db, now=now),
        last_assigned=UUID(last) if last else None,
    )
    planned = {action.action_id for action in found}
    refused = tuple(
        Left(
            action_id=one,
            reason="This action has ended." if one in known else "This action does not exist.",
        )
        for one in wanted
        if one not in planned
    )
    return Plan(
        strategy=made.strategy, moves=made.moves, left=(*made.left, *refused), before=made.before, after=made.after
    )


def carry_out(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    moves: Sequence[tuple[UUID, int, UUID]],
    idempotency_key: str,
) -> ReassignResult:
    """Give each action (id, the version it was planned at) to its planned owner; at most 500.

    Each that cannot move is refused by itself: changed since the plan, ended, theirs already, or its owner deactivated.
    Raises NotPermitted, InvalidInput, IdempotencyConflict.
    """
    require(actor, Permission.ASSIGN)
    wanted = {action_id: (version, owner) for action_id, version, owner in moves}
    if len(wanted) > LARGEST_PLAN:
        raise InvalidInput("moves", f"At most {LARGEST_PLAN} actions can be shared out at once.")

    def work() -> ReassignResult:
        found = {action.action_id: action for action in repository.lock_many(db, actions.c.action_id.in_(wanted))}
        changed: list[Action] = []
        refused: list[Refused] = []
        for action_id, (version, owner) in wanted.items():
            try:
                action = found.get(action_id)
                if action is None:
                    raise NotFound("action", action_id)
                writing.check_version(db, action, version)
                if not is_open(action.status):
                    raise InvalidInput("status", "This action has ended.")
                writing.check_owner(db, owner)
                if action.owner_user_id == owner:
                    raise InvalidInput("owner_user_id", "This action is theirs already.")
                columns = {"owner_user_id": owner}
                changed.append(
                    writing.amend(db, action, columns, actor=writing.person(actor), now=now, key=idempotency_key)
                )
            except AppError as error:
                refused.append(Refused(action_id=action_id, message=error.message))
        pairs = [(found[action.action_id], action) for action in changed]
        telling.owners_changed(db, now=now, actor=writing.person(actor), changes=pairs)
        return ReassignResult(changed=tuple(changed), refused=tuple(refused))

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="carry_out_assignment",
        request={"moves": [[action_id, *planned] for action_id, planned in wanted.items()]},
        now=now,
        answer=ReassignResult,
        work=work,
    )
