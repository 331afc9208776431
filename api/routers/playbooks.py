"""/playbooks: ordered steps started on an account as linked actions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import Db, IdempotencyKey, Now, PlaybookStarter, Reader
from api.models.playbooks import Plan, PlaybookList, RunAnswer, RunList, Start, Stop, Taker
from api.models.values import Text
from app.playbooks import service

router = APIRouter(prefix="/playbooks", tags=["playbooks"])


@router.get("")
def list_playbooks(identity: Reader, db: Db) -> PlaybookList:
    """What can be started, with every step."""
    takers = [Taker(user_id=one.user_id, display_name=one.display_name) for one in service.takers(db)]
    return PlaybookList(items=service.list_playbooks(db), takers=takers)


@router.get("/runs")
def list_playbook_runs(
    identity: Reader,
    db: Db,
    account_key: Annotated[Text | None, Query(max_length=64)] = None,
    only_running: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> RunList:
    """Starts of playbooks, of one account or of all."""
    found = service.runs(db, account_key=account_key, only_running=only_running, limit=limit)
    return RunList(items=[RunAnswer.of(run) for run in found])


@router.get("/runs/{run_id}")
def get_playbook_run(run_id: UUID, identity: Reader, db: Db) -> RunAnswer:
    """One start with its actions as they are now."""
    return RunAnswer.of(service.get_run(db, run_id))


@router.post("/runs/{run_id}/stop")
def stop_playbook_run(
    run_id: UUID, body: Stop, identity: PlaybookStarter, db: Db, now: Now, key: IdempotencyKey
) -> RunAnswer:
    """End it before its steps have; what has not ended is cancelled or kept."""
    run = service.stop(
        db,
        actor=identity,
        now=now,
        run_id=run_id,
        expected_version=body.version,
        reason=body.reason,
        open_steps=body.open_steps,
        idempotency_key=key,
    )
    return RunAnswer.of(run)


@router.post("/{playbook_id}/preview")
def preview_playbook(
    playbook_id: Text, body: Start, identity: PlaybookStarter, db: Db, now: Now, key: IdempotencyKey
) -> Plan:
    """The actions a start would make, with dates and owners; writes nothing."""
    steps = service.preview(
        db,
        actor=identity,
        now=now,
        playbook_id=playbook_id,
        account_key=body.account_key,
        starts_on=body.starts_on,
        taker_user_id=body.taker_user_id,
    )
    return Plan(steps=list(steps))


@router.post("/{playbook_id}/start", status_code=201)
def start_playbook(
    playbook_id: Text, body: Start, identity: PlaybookStarter, db: Db, now: Now, key: IdempotencyKey
) -> RunAnswer:
    """Make the linked actions. One run of a playbook at a time on an account."""
    run = service.start(
        db,
        actor=identity,
        now=now,
        playbook_id=playbook_id,
        account_key=body.account_key,
        starts_on=body.starts_on,
        taker_user_id=body.taker_user_id,
        idempotency_key=key,
    )
    return RunAnswer.of(run)
