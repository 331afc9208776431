"""What people do with playbooks: write them, start them on an account, stop them. Every face calls these.

A run keeps the version it was started with, whatever is published later. Whether it is complete follows from its
actions. The caller owns the transaction.
"""

from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection

from app import audit, configuration, users
from app.actions import repository as action_rows
from app.actions import telling
from app.actions.context import AccountContext, contexts
from app.actions.model import Action, ActionDraft
from app.actions.playbook_steps import cancel_open_steps, open_from_playbook
from app.actions.writing import person
from app.audit import Author, Subject
from app.auth import Identity, Permission, Role, require
from app.calendar import calendar_of, display_date
from app.configuration import CompanyHolidays
from app.errors import InvalidInput, MartUnavailable, NotFound, NotPermitted, StaleVersion
from app.idempotency import once
from app.inputs import member, required_text
from app.marts.accounts import account as account_row
from app.playbooks import plan, repository
from app.playbooks.model import OpenSteps, PlannedStep, Playbook, PlaybookDraft, Run, RunState, StepOwner
from app.playbooks.plan import Checked, Owner
from app.playbooks.tables import playbook_runs

REASON_LIMIT = 500
LARGEST_PAGE = 500


def list_playbooks(db: Connection, *, with_retired: bool = False) -> list[Playbook]:
    """The active version of each playbook by name, then, if wanted, the last version of each retired one."""
    return repository.newest(db, with_retired=with_retired)


def takers(db: Connection) -> list[users.User]:
    """Who may be named as the one who takes an account over: active people who work actions, by name."""
    return [one for one in users.list_users(db, with_inactive=False) if one.role is not Role.ANALYST]


def get_playbook(db: Connection, playbook_id: str, version: int | None = None) -> Playbook:
    """One version, or with None the active one. Raises NotFound."""
    return repository.one(db, playbook_id, version)


def versions(db: Connection, playbook_id: str) -> list[Playbook]:
    """Every version of a playbook, newest first. Raises NotFound."""
    found = repository.versions(db, playbook_id)
    if not found:
        raise NotFound("playbook", playbook_id)
    return found


def _told(playbook: Playbook | Checked) -> dict[str, object]:
    """What the audit trail keeps of a version."""
    steps = [asdict(step) for step in playbook.steps]
    return {
        "name": playbook.name,
        "description": playbook.description,
        "action_type": playbook.action_type,
        "steps": steps,
    }


def _check_version(db: Connection, actor: Identity, playbook_id: str, expected_version: int | None) -> Playbook:
    """The newest version, when it is the one that was worked on."""
    newest = versions(db, playbook_id)[0]
    if newest.version != expected_version:
        since = audit.trail(db, actor=actor, subject=Subject.PLAYBOOK, subject_id=playbook_id, limit=20)
        later = [event for event in reversed(since) if event.at >= newest.created_at]
        raise StaleVersion(newest, expected_version or 0, later)
    return newest


def publish(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    draft: PlaybookDraft,
    expected_version: int | None,
    idempotency_key: str,
) -> Playbook:
    """The draft as a new version, which starts from now on; running runs keep theirs. A retired playbook comes back.

    `expected_version` is the newest version the draft was based on, None for a new playbook. A draft that says what the
    active version says changes nothing.
    Raises NotPermitted, InvalidInput, NotFound, StaleVersion, IdempotencyConflict.
    """
    require(actor, Permission.MANAGE_PLAYBOOKS)

    def work() -> Playbook:
        checked = plan.check(draft)
        playbook_id = draft.playbook_id or plan.id_of(checked.name)
        repository.hold(db, playbook_id)
        if draft.playbook_id is None:
            if repository.versions(db, playbook_id):
                raise InvalidInput(
                    "name", "There is a playbook of this name already.", value=draft.name, hint="Choose another name."
                )
            version, before = 1, None
        else:
            before = _check_version(db, actor, playbook_id, expected_version)
            version = before.version + 1
            if before.is_active and _told(before) == _told(checked):
                return before
        repository.insert_version(
            db,
            playbook_id=playbook_id,
            version=version,
            checked=checked,
            values={"created_by": actor.user_id, "created_at": now},
        )
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.PLAYBOOK,
            subject_id=playbook_id,
            kind=audit.Kind.CHANGED if before else audit.Kind.CREATED,
            before=_told(before) | {"version": before.version, "is_active": before.is_active} if before else None,
            after=_told(checked) | {"version": version, "is_active": True},
            idempotency_key=idempotency_key,
        )
        return repository.one(db, playbook_id, version)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="publish_playbook",
        request=asdict(draft) | {"expected_version": expected_version},
        now=now,
        answer=Playbook,
        work=work,
    )


def retire(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    playbook_id: str,
    expected_version: int,
    idempotency_key: str,
) -> Playbook:
    """Nobody can start this playbook any more; its running runs go on. Publishing a version brings it back.

    Raises NotPermitted, NotFound, StaleVersion, InvalidInput when it is retired already, IdempotencyConflict.
    """
    require(actor, Permission.MANAGE_PLAYBOOKS)

    def work() -> Playbook:
        repository.hold(db, playbook_id)
        before = _check_version(db, actor, playbook_id, expected_version)
        if not before.is_active:
            raise InvalidInput("playbook_id", "This playbook is retired already.", value=playbook_id)
        repository.set_aside(db, playbook_id)
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.PLAYBOOK,
            subject_id=playbook_id,
            kind=audit.Kind.ENDED,
            before=_told(before) | {"version": before.version},
            idempotency_key=idempotency_key,
        )
        return repository.one(db, playbook_id, before.version)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="retire_playbook",
        request={"playbook_id": playbook_id, "expected_version": expected_version},
        now=now,
        answer=Playbook,
        work=work,
    )


def _context(db: Connection, account_key: str, now: datetime) -> AccountContext:
    found = contexts(db, [account_key], decided_at=now).get(account_key)
    if found is None:
        raise NotFound("account", account_key)
    return found


def _planned(
    db: Connection,
    playbook: Playbook,
    context: AccountContext,
    *,
    actor: Identity,
    starts_on: date,
    taker_user_id: UUID | None,
) -> tuple[PlannedStep, ...]:
    people = {one.user_id: one for one in users.list_users(db, with_inactive=False)}
    taker = people.get(taker_user_id) if taker_user_id else None
    if playbook.has_taker and (taker is None or taker.role is Role.ANALYST):
        raise InvalidInput(
            "taker_user_id",
            "Somebody who works actions must take over.",
            value=taker_user_id,
            hint=f"{playbook.name} gives them steps: choose the person.",
        )
    starter = Owner(user_id=actor.user_id, name=actor.display_name)
    owner_id = action_rows.user_of_owner(db, context.csm_email)
    owner_name = action_rows.active_user(db, owner_id) if owner_id else None
    # an account that nobody here owns: the one who starts it sees to it, as with an accepted suggestion
    account_owner = Owner(user_id=owner_id, name=owner_name) if owner_id and owner_name else starter
    owners = {StepOwner.ACCOUNT_OWNER: account_owner, StepOwner.STARTER: starter}
    if taker is not None:
        owners[StepOwner.TAKER] = Owner(user_id=taker.user_id, name=taker.display_name)
    days_off = configuration.active(db, CompanyHolidays).days
    calendars = {owner.user_id: calendar_of(people[owner.user_id], days_off) for owner in owners.values()}
    return plan.planned(
        playbook.steps,
        starts_on=starts_on,
        owner_of=owners.__getitem__,
        add_business_days=lambda user_id, day, count: calendars[user_id].add_business_days(day, count),
    )


def preview(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    playbook_id: str,
    account_key: str,
    starts_on: date | None = None,
    taker_user_id: UUID | None = None,
) -> tuple[PlannedStep, ...]:
    """What starting would make, step by step; writes nothing. Raises as `start` for what it can already see."""
    require(actor, Permission.START_PLAYBOOK)
    day = plan.check_start(starts_on, today=display_date(now))
    playbook, context = get_playbook(db, playbook_id), _context(db, account_key, now)
    return _planned(db, playbook, context, actor=actor, starts_on=day, taker_user_id=taker_user_id)


def start(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    playbook_id: str,
    account_key: str,
    starts_on: date | None = None,
    taker_user_id: UUID | None = None,
    idempotency_key: str,
) -> Run:
    """Start a playbook on an account: one action a step, all at once, each with a decision of policy `human`.

    Due dates count in the business days of each step's owner, who is told of what somebody else gave them. A playbook
    that gives steps to who takes over needs `taker_user_id`, an active person who works actions; others ignore it.

    A playbook runs once at a time on an account; one that has ended can be started again.
    Raises NotPermitted, NotFound for an unknown or retired playbook or an unknown account, InvalidInput,
    MartUnavailable, IdempotencyConflict.
    """
    require(actor, Permission.START_PLAYBOOK)

    def work() -> Run:
        day = plan.check_start(starts_on, today=display_date(now))
        repository.hold(db, playbook_id, is_shared=True)
        playbook, context = get_playbook(db, playbook_id), _context(db, account_key, now)
        repository.hold_start(db, playbook_id, account_key)
        for running in runs(db, account_key=account_key, only_running=True):
            if running.playbook_id == playbook_id:
                raise InvalidInput(
                    "playbook_id",
                    f"{playbook.name} is already running on this account: {running.done} of {running.total} steps"
                    " are done.",
                    value=playbook_id,
                    hint="Finish it, or stop it and start again.",
                )
        run_id = repository.insert_run(
            db,
            {
                "playbook_id": playbook_id,
                "playbook_version": playbook.version,
                "account_key": context.account_key,
                "account_name": context.account_name,
                "started_by": actor.user_id,
                "started_at": now,
                "starts_on": day,
            },
        )
        opened: list[Action] = []
        for step in _planned(db, playbook, context, actor=actor, starts_on=day, taker_user_id=taker_user_id):
            draft = ActionDraft(
                account_key=account_key,
                title=step.title,
                action_type=playbook.action_type,
                intervention=step.intervention,
                priority=step.priority,
                due_date=step.due_date,
                reason=plan.reason_of(playbook.name, step.number, len(playbook.steps)),
                owner_user_id=step.owner_user_id,
            )
            action = open_from_playbook(
                db,
                actor=actor,
                now=now,
                draft=draft,
                context=context,
                run_id=run_id,
                step=step.number,
                idempotency_key=idempotency_key,
            )
            opened.append(action)
        # told together: seven steps given to a colleague are one e-mail
        telling.owners_changed(db, now=now, actor=person(actor), changes=[(None, action) for action in opened])
        made = get_run(db, run_id)
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.PLAYBOOK_RUN,
            subject_id=run_id,
            kind=audit.Kind.CREATED,
            after={
                "playbook_id": playbook_id,
                "playbook_version": playbook.version,
                "account_key": account_key,
                "starts_on": day,
                "action_ids": [step.action_id for step in made.steps],
            },
            idempotency_key=idempotency_key,
        )
        return made

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="start_playbook",
        request={
            "playbook_id": playbook_id,
            "account_key": account_key,
            "starts_on": starts_on,
            "taker_user_id": taker_user_id,
        },
        now=now,
        answer=Run,
        work=work,
    )


def runs(db: Connection, *, account_key: str | None = None, only_running: bool = False, limit: int = 100) -> list[Run]:
    """Runs, of one account or of all: those still running first, then the newest start first."""
    conditions: list[ColumnElement[bool]] = []
    if account_key is not None:
        conditions.append(playbook_runs.c.account_key == account_key)
    if only_running:
        conditions += [playbook_runs.c.stopped_at.is_(None), repository.has_open_action()]
    return repository.runs(db, conditions, limit=max(1, min(limit, LARGEST_PAGE)))


def running_counts(db: Connection) -> dict[str, int]:
    """How many runs of each playbook are running, by its id; those with none are left out."""
    return repository.running_counts(db)


def get_run(db: Connection, run_id: UUID) -> Run:
    """One run with its steps. Raises NotFound."""
    found = repository.runs(db, [playbook_runs.c.run_id == run_id], limit=1)
    if not found:
        raise NotFound("playbook run", run_id)
    return found[0]


def may_stop(db: Connection, *, actor: Identity, now: datetime, run: Run) -> bool:
    """Whether they may stop it: who started it, who has the account now, or an admin."""
    if actor.role is Role.ANALYST:
        return False
    if actor.role is Role.ADMIN or actor.user_id == run.started_by:
        return True
    try:
        found = account_row(db, run.account_key, today=display_date(now))
    except MartUnavailable:
        return False
    return found is not None and found.csm_email is not None and found.csm_email.lower() in actor.owner_emails


def stop(
    db: Connection,
    *,
    actor: Identity,
    now: datetime,
    run_id: UUID,
    expected_version: int,
    reason: str,
    open_steps: str,
    idempotency_key: str,
) -> Run:
    """End a run before its steps have: `open_steps` cancelled (as no longer relevant) or kept as they are. Who loses
    steps by it is told, once for all of theirs.

    Raises NotFound, NotPermitted, StaleVersion, InvalidInput (no reason, or nothing left to stop), IdempotencyConflict.
    """
    require(actor, Permission.START_PLAYBOOK)

    def work() -> Run:
        run = repository.lock_run(db, run_id)
        if not may_stop(db, actor=actor, now=now, run=run):
            raise NotPermitted(
                "Only who started this playbook, the owner of the account or an admin may stop it.",
                hint="Ask one of them.",
            )
        if run.version != expected_version:
            raise StaleVersion(run, expected_version)
        if run.state is not RunState.RUNNING:
            raise InvalidInput("run_id", f"This playbook is {run.state} already: there is nothing to stop.")
        why = required_text("reason", reason, limit=REASON_LIMIT).strip()
        fate = member("open_steps", open_steps, OpenSteps)
        was_open = [step.action_id for step in run.open]
        if fate is OpenSteps.CANCELLED:
            cancelled = cancel_open_steps(db, actor=actor, now=now, run_id=run_id, idempotency_key=idempotency_key)
            telling.playbook_stopped(
                db,
                now=now,
                actor=person(actor),
                run_id=run_id,
                playbook_name=run.playbook_name,
                reason=why,
                cancelled=cancelled,
            )
        repository.change_run(
            db,
            run,
            {"stopped_by": actor.user_id, "stopped_at": now, "stop_reason": why, "open_steps": fate.value},
        )
        audit.record(
            db,
            author=Author.of(actor),
            now=now,
            subject=Subject.PLAYBOOK_RUN,
            subject_id=run_id,
            kind=audit.Kind.ENDED,
            before={"open_action_ids": was_open},
            after={"open_steps": fate},
            reason=why,
            idempotency_key=idempotency_key,
        )
        return get_run(db, run_id)

    return once(
        db,
        actor=actor.user_id,
        key=idempotency_key,
        operation="stop_playbook",
        request={
            "run_id": run_id,
            "expected_version": expected_version,
            "reason": reason,
            "open_steps": open_steps,
        },
        now=now,
        answer=Run,
        work=work,
    )
