"""The shapes that suggestions travel in. A suggestion is its own thing, never an action until somebody accepts it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.actions.model import Action
from app.actions.vocabulary import ActionType, ActorKind, Intervention, Priority


class SuggestionStatus(StrEnum):
    """Where a suggestion stands."""

    GENERATED = "generated"
    HELD_OUT = "held_out"
    SHOWN = "shown"
    VIEWED = "viewed"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_EDITS = "accepted_with_edits"
    DISMISSED = "dismissed"
    SNOOZED = "snoozed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    AUTO_RESOLVED = "auto_resolved"
    BLOCKED_STALE_DATA = "blocked_stale_data"


class DismissalReason(StrEnum):
    """Why somebody did not want it: data for the rule's own report card."""

    ALREADY_HANDLED = "already_handled"
    WRONG_DATA = "wrong_data"
    NOT_A_REAL_RISK = "not_a_real_risk"
    KNOWN_AND_ACCEPTED = "known_and_accepted"
    BAD_TIMING = "bad_timing"
    NO_CONTACT_ASKED = "no_contact_asked"
    WRONG_OWNER = "wrong_owner"
    BETTER_ACTION_CHOSEN = "better_action_chosen"
    DUPLICATE = "duplicate"


# waiting for an answer, in front of the CSM
OPEN_STATUSES = (SuggestionStatus.GENERATED, SuggestionStatus.SHOWN, SuggestionStatus.VIEWED)
ANSWERABLE = (*OPEN_STATUSES, SuggestionStatus.SNOOZED)
REFRESHED = "refreshed"  # the kind of event that says what a newer build changed of an open suggestion
ANSWERED_AS_SEEN = "answered_as_seen"  # beside an answer to a card whose figures were renewed in between
ANSWER_UNDONE = "answer_undone"
ACCEPTED_STATUSES = (SuggestionStatus.ACCEPTED, SuggestionStatus.ACCEPTED_WITH_EDITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One row of app.suggestions, with the name of whoever answered.

    `evidence` holds series ([[ISO date, value], ...] oldest first), series_name, unit, baseline, figures, as_of and
    inputs ([[mart, ISO date], ...]). `score` orders them, in weighted EUR at risk a month. `due_offset_bd` counts
    business days. Being shown or viewed does not change `version`; a newer build's facts do, and yet refuse no answer.
    """

    suggestion_id: UUID
    account_key: str
    account_name: str
    rule_id: str
    rule_version: int
    action_type: ActionType
    reason: str
    title: str
    priority: Priority
    intervention: Intervention
    due_offset_bd: int
    status: SuggestionStatus
    sentence: str
    evidence: dict[str, Any]
    score: float
    dedupe_key: str
    csm_email: str | None
    decision_id: UUID | None
    build_id: int
    generated_at: datetime
    answered_at: datetime | None
    answered_by: UUID | None
    answered_by_name: str | None
    dismissal_reason: DismissalReason | None
    snoozed_until: date | None
    action_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionEvent:
    """One thing that happened to a suggestion.

    `before` and `after` are statuses; for `refreshed` the columns that changed, for `answered_as_seen` the version that
    the person had before them and the one that it was by then.
    """

    event_id: int
    suggestion_id: UUID
    at: datetime
    actor_user_id: UUID | None
    actor_name: str
    actor_kind: ActorKind
    kind: str
    before: Any
    after: Any
    reason: str | None
    version: int


@dataclass(frozen=True, kw_only=True)
class AcceptedAction(Action):
    """The action of an accepted suggestion; the last two fields say who had accepted it before, when somebody had."""

    already_accepted_by: str | None = None
    already_accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedRule:
    """A rule that did not fire because its input is too old; `message` says so in a sentence."""

    rule_id: str
    input: str
    as_of: date | None
    max_age_days: int
    account_count: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """What one evaluation did, in counts. `over_budget` fired and waits for another day; `refreshed` were open; those
    `held_out` are shown to nobody."""

    build_id: int
    generated: int
    held_out: int
    refreshed: int
    over_budget: int
    auto_resolved: int
    cancelled_actions: int
    expired: int
    woken: int
    blocked: tuple[BlockedRule, ...]
