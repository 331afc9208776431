"""What the screens of playbooks read. Nothing of it is cached: people write it."""

from datetime import date
from uuid import UUID

from app.db import read
from app.playbooks import service
from app.playbooks.model import PlannedStep, Playbook, Run
from app.ui.visit import Visit


def playbooks(*, with_retired: bool = False) -> list[Playbook]:
    """The active version of each playbook by name, then the last one of those retired."""
    with read() as db:
        return service.list_playbooks(db, with_retired=with_retired)


def versions(playbook_id: str) -> list[Playbook]:
    """Every version of a playbook, newest first. Raises NotFound."""
    with read() as db:
        return service.versions(db, playbook_id)


def running_counts() -> dict[str, int]:
    """How often each playbook is running now."""
    with read() as db:
        return service.running_counts(db)


def runs(account_key: str) -> list[Run]:
    """Runs of an account, those still running first."""
    with read() as db:
        return service.runs(db, account_key=account_key, limit=50)


def run(run_id: UUID) -> Run:
    """One run. Raises NotFound."""
    with read() as db:
        return service.get_run(db, run_id)


def may_stop(found: Run, here: Visit) -> bool:
    """Whether the person here may stop this run."""
    with read() as db:
        return service.may_stop(db, actor=here.identity, now=here.now, run=found)


def preview(
    playbook_id: str, account_key: str, starts_on: date, taker: UUID | None, here: Visit
) -> tuple[PlannedStep, ...]:
    """What starting would make. Raises as the service does."""
    with read() as db:
        return service.preview(
            db,
            actor=here.identity,
            now=here.now,
            playbook_id=playbook_id,
            account_key=account_key,
            starts_on=starts_on,
            taker_user_id=taker,
        )
