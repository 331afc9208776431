"""What the story of a suggestion says about its answers: which still stand, and what was there before them. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from app.actions.vocabulary import Priority
from app.suggestions.model import ACCEPTED_STATUSES, ANSWER_UNDONE, REFRESHED, Suggestion, SuggestionEvent
from app.suggestions.model import SuggestionStatus as Status

_ANSWERS = (*ACCEPTED_STATUSES, Status.DISMISSED, Status.SNOOZED)
_NEWS = (REFRESHED, Status.SHOWN, Status.VIEWED)


def is_only_news(changes: Sequence[SuggestionEvent]) -> bool:
    """Whether newer figures, and who looked at them, are all that happened; nothing at all is not."""
    return bool(changes) and all(change.kind in _NEWS for change in changes)


def as_seen(suggestion: Suggestion, changes: Sequence[SuggestionEvent]) -> Suggestion:
    """The suggestion with the priority it had before these changes; of all they renew, an action takes only that."""
    before = [change.before for change in changes if change.kind == REFRESHED and "priority" in change.before]
    return replace(suggestion, priority=Priority(before[0]["priority"])) if before else suggestion


def standing_answers(events: Sequence[SuggestionEvent]) -> list[SuggestionEvent]:
    """The answers that nobody took back, of a story; both oldest first."""
    standing: list[SuggestionEvent] = []
    for event in events:
        if event.kind == ANSWER_UNDONE:
            standing.pop()
        elif event.kind in _ANSWERS:
            standing.append(event)
    return standing


def state_before(events: Sequence[SuggestionEvent]) -> dict[str, object]:
    """The columns that the newest standing answer of a story changed, as they were before it."""
    *earlier, last = standing_answers(events)
    previous = earlier[-1] if earlier else None
    was_snoozed = last.before == Status.SNOOZED
    return {
        "status": last.before,
        "answered_at": previous.at if previous else None,
        "answered_by": previous.actor_user_id if previous else None,
        "dismissal_reason": None,
        "action_id": None,
        "snoozed_until": date.fromisoformat(previous.reason) if was_snoozed and previous and previous.reason else None,
    }
