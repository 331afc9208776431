"""The shapes that playbooks travel in. Frozen; timestamps are UTC, dates those of Europe/London."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from app.actions.lifecycle import CancelReason, Result, Status, is_open
from app.actions.vocabulary import ActionType, Intervention, Priority


class StepOwner(StrEnum):
    """Who gets the action of a step; the taker, who takes the account over, is named at the start."""

    ACCOUNT_OWNER = "account_owner"
    STARTER = "starter"
    TAKER = "taker"


class RunState(StrEnum):
    """Where a run stands; `completed` follows from its actions and is stored nowhere."""

    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"


class OpenSteps(StrEnum):
    """What stopping a run does to the actions that have not ended."""

    CANCELLED = "cancelled"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `number` counts from 1; `offset_bd` is business days from the start of a run to the due date."""

    number: int
    title: str
    intervention: Intervention
    priority: Priority
    offset_bd: int
    owner: StepOwner
    guidance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """One version of a playbook, its steps in order. `created_by_name` None: it came with the product.

    `is_active` is true of the version that starts now; of a retired playbook it is true of none.
    """

    playbook_id: str
    version: int
    name: str
    description: str
    action_type: ActionType
    steps: tuple[Step, ...]
    is_active: bool
    created_by: UUID | None
    created_by_name: str | None
    created_at: datetime

    @property
    def has_taker(self) -> bool:
        """Whether somebody must be named who takes over: they get steps."""
        return any(step.owner is StepOwner.TAKER for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """A step as typed. Steps have no numbers until they are checked: their days decide the order."""

    title: str
    intervention: str
    priority: str = Priority.MEDIUM.value
    offset_bd: int | None = 0
    owner: str = StepOwner.ACCOUNT_OWNER.value
    guidance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookDraft:
    """A playbook as typed; closed-list fields may be plain strings. `playbook_id` None makes a new one, named after
    `name`."""

    playbook_id: str | None
    name: str
    description: str
    action_type: str
    steps: tuple[StepDraft, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step with its date and its person, before anything is made."""

    number: int
    title: str
    due_date: date
    owner_user_id: UUID
    owner_name: str
    intervention: Intervention
    priority: Priority
    guidance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """A step of a run with its action as it is now; `guidance` is that of the version the run was started with."""

    number: int
    title: str
    action_id: UUID
    status: Status
    due_date: date | None
    owner_user_id: UUID | None
    owner_name: str | None
    result: Result | None
    cancel_reason: CancelReason | None
    guidance: str

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return is_open(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One start of a playbook on an account, its steps in order. `version` counts changes of the run itself (its stop),
    not of its actions."""

    run_id: UUID
    playbook_id: str
    playbook_version: int
    playbook_name: str
    account_key: str
    account_name: str
    started_by: UUID
    started_by_name: str
    started_at: datetime
    starts_on: date
    stopped_by: UUID | None
    stopped_at: datetime | None
    stop_reason: str | None
    open_steps: OpenSteps | None
    version: int
    steps: tuple[RunStep, ...]

    @property
    def open(self) -> tuple[RunStep, ...]:
        """The steps whose actions have not ended."""
        return tuple(step for step in self.steps if step.is_open)

    @property
    def done(self) -> int:
        """How many steps have ended, carried out or cancelled."""
        return len(self.steps) - len(self.open)

    @property
    def cancelled(self) -> int:
        """How many steps were cancelled."""
        return sum(step.status is Status.CANCELLED for step in self.steps)

    @property
    def total(self) -> int:
        """How many steps there are."""
        return len(self.steps)

    @property
    def state(self) -> RunState:
        """Stopped by somebody, completed when every action has ended, else running."""
        if self.stopped_at is not None:
            return RunState.STOPPED
        return RunState.RUNNING if self.open else RunState.COMPLETED
