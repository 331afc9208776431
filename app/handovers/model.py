"""The shapes that hand-overs travel in. Dates are days of the person whose book it is, in their own zone."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from app.actions.lifecycle import Status
from app.actions.vocabulary import Priority


class Moves(StrEnum):
    """Which open actions of a person move with their book."""

    NONE = "none"
    SUGGESTED = "suggested"
    ALL_OPEN = "all_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDraft:
    """Who gives their book to whom, from when to when (None: until somebody ends it), and what moves.

    `moves` suggested means the actions of accepted suggestions that nobody has started.
    """

    from_user_id: UUID
    to_user_id: UUID
    starts_on: date
    reason: str
    moves: str
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverItem:
    """An action that a hand-over moved, as it stands now; `returned_at` when the end of the cover gave it back."""

    action_id: UUID
    title: str
    account_key: str
    account_name: str
    due_date: date | None
    status: Status
    moved_at: datetime
    returned_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One hand-over with what it moved, by due date. It waits until `started_at`, and runs until `ended_at`."""

    handover_id: UUID
    from_user_id: UUID
    from_name: str
    to_user_id: UUID
    to_name: str
    starts_on: date
    ends_on: date | None
    moves: Moves
    reason: str
    created_by: UUID
    created_by_name: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int
    items: tuple[HandoverItem, ...]

    @property
    def is_running(self) -> bool:
        """Whether the book is in the other's hands now."""
        return self.started_at is not None and self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingAction:
    """An open action that would move; `snoozed_until` while it is snoozed: until then nobody waits for it."""

    action_id: UUID
    title: str
    account_key: str
    account_name: str
    priority: Priority
    status: Status
    due_date: date | None
    snoozed_until: date | None

    @property
    def next_on(self) -> date | None:
        """When it asks for somebody: the day a snoozed one is back, else the due date."""
        return self.snoozed_until or self.due_date


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingAccount:
    """An account of the book: recurring revenue in EUR a month, and what is open there, whoever has it."""

    account_key: str
    account_name: str
    mrr_eur: float
    open_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLoad:
    """What somebody looks after: accounts, their revenue in EUR a month, open actions, minutes booked this week."""

    account_count: int
    mrr_eur: float
    open_count: int
    booked_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverPreview:
    """What a hand-over would mean: the accounts, most revenue first; the actions by the day they ask for somebody; the
    load of who receives as it is and as it would be; and what to think of first, a sentence each."""

    accounts: tuple[MovingAccount, ...]
    actions: tuple[MovingAction, ...]
    receiver_name: str
    before: BookLoad
    after: BookLoad
    warnings: tuple[str, ...]

    @property
    def mrr_eur(self) -> float:
        """Revenue of the book, in EUR a month."""
        return sum(account.mrr_eur for account in self.accounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverReport:
    """What one run did, in counts; `problems` are sentences about hand-overs that cannot go on as planned."""

    started: int
    ended: int
    moved: int
    returned: int
    problems: tuple[str, ...]
