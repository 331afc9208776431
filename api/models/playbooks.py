"""Bodies and answers of /playbooks."""

from uuid import UUID

from pydantic import BaseModel

from api.models.actions import Body, Version
from api.models.values import Day, Text
from app.playbooks.model import OpenSteps, PlannedStep, Playbook, Run, RunState


class Taker(BaseModel):
    """Somebody who may take an account over."""

    user_id: UUID
    display_name: str


class PlaybookList(BaseModel):
    """What can be started now, by name, and who may be named as who takes over."""

    items: list[Playbook]
    takers: list[Taker]


class Start(Body):
    """An account, the day to count from (null is today), and who takes over, for a playbook that gives them steps."""

    account_key: Text
    starts_on: Day | None = None
    taker_user_id: UUID | None = None


class Plan(BaseModel):
    """What a start would make, in order."""

    steps: list[PlannedStep]


class RunAnswer(BaseModel):
    """A run with its actions as they are, and how far it has come."""

    run: Run
    state: RunState
    done: int
    total: int

    @classmethod
    def of(cls, run: Run) -> "RunAnswer":
        """As the service gave it."""
        return cls(run=run, state=run.state, done=run.done, total=run.total)


class RunList(BaseModel):
    """Runs, those still running first, then the newest."""

    items: list[RunAnswer]


class Stop(Body):
    """Why, and what happens to the steps that have not ended."""

    version: Version
    reason: str
    open_steps: OpenSteps
