"""The row of an action rebuilt from its events: what they tell, what follows from it, and what is no story at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions import bulk, queue, repository, service
from app.actions.history import fold, state_at
from app.actions.model import Action, ActionEvent
from app.actions.vocabulary import ActorKind, EventKind
from app.auth import Identity, Role
from tests.app.factories import NOW, Estate, a_key, an_outcome

ACTION_ID = uuid4()
FIRST = {"title": "Call", "status": "new", "version": 1, "updated_at": "2026-11-20T09:30:00Z", "closed_at": None}


def event(version: int, minutes: int = 0, **values: Any) -> ActionEvent:
    """An event of one action, `minutes` after it was made."""
    defaults: dict[str, Any] = {
        "event_id": version,
        "action_id": ACTION_ID,
        "at": NOW + timedelta(minutes=minutes),
        "actor_user_id": None,
        "actor_name": "Snooze",
        "actor_kind": ActorKind.JOB,
        "kind": EventKind.FIELD_CHANGED,
        "field": None,
        "before": None,
        "after": None,
        "reason": None,
    }
    return ActionEvent(**(defaults | values), version=version)


def created(**row: Any) -> ActionEvent:
    return event(1, kind=EventKind.CREATED, after=FIRST | row)


def status(version: int, before: str, after: str, minutes: int = 0) -> ActionEvent:
    return event(version, minutes, kind=EventKind.STATUS_CHANGED, field="status", before=before, after=after)


def test_an_action_older_than_a_column_has_its_default() -> None:
    row = fold([created()])

    assert (row["escalation_level"], row["archived_at"], row["playbook_run_id"]) == (0, None, None)
    assert fold([created(escalation_level=2)])["escalation_level"] == 2


def test_a_status_brings_the_time_of_the_end_and_where_a_snooze_goes_back_to() -> None:
    story = [
        created(),
        status(2, "new", "snoozed", 1),
        status(3, "snoozed", "new", 2),
        status(4, "new", "cancelled", 3),
        status(5, "cancelled", "in_progress", 4),
    ]

    told = [fold(story[: count + 1]) for count in range(5)]

    assert [row["status_before_snooze"] for row in told[1:]] == ["new", None, None, None]
    assert [row["closed_at"] for row in told] == [None, None, None, "2026-11-20T09:33:00Z", None]


def test_a_note_changes_neither_version_nor_time() -> None:
    story = [created(), event(1, 5, kind=EventKind.NOTE_ADDED, after={"note_id": "x"})]

    assert fold(story) == fold(story[:1])


def test_times_are_written_as_the_row_writes_them_whatever_zone_they_came_in() -> None:
    at = datetime(2026, 6, 1, 9, 0, 0, 120, tzinfo=timezone(timedelta(hours=1)))

    row = fold([created(), replace(status(2, "new", "cancelled"), at=at)])

    assert row["closed_at"] == row["updated_at"] == "2026-06-01T08:00:00.000120Z"


@pytest.mark.parametrize(
    "story",
    [
        [],
        [status(1, "new", "closed")],
        [created(), created()],
        [created(), status(3, "new", "closed")],
        [created(), status(2, "new", "in_progress"), status(1, "in_progress", "closed")],
    ],
)
def test_a_story_without_its_beginning_or_with_a_gap_is_refused(story: list[ActionEvent]) -> None:
    with pytest.raises(ValueError, match="story"):
        fold(story)


def test_before_the_first_event_there_was_nothing() -> None:
    assert state_at([created()], NOW - timedelta(seconds=1)) is None
    assert state_at([], NOW) is None


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(-5, 30))
def test_whatever_the_clocks_of_the_writers_the_past_is_a_row_that_was(steps: list[int], moment: int) -> None:
    minutes, story = 0, [created()]
    for number, step in enumerate(steps):
        minutes += step
        story.append(event(number + 2, minutes, field="title", before=None, after=f"Title {number}"))
    was = [None, *(fold(story[: count + 1]) for count in range(len(story)))]

    assert state_at(story, NOW + timedelta(minutes=moment)) in was
    assert state_at(story, datetime.max.replace(tzinfo=UTC)) == was[-1]


# --- against the database --------------------------------------------------------------------------------------------


def test_every_state_of_a_long_life_can_be_told_again(estate: Estate, maya: Identity) -> None:
    admin, tom = estate.user("Harriet Cole", Role.ADMIN), estate.user("Tom Okafor")
    action = estate.action(actor=maya)
    states = [(NOW, repository.as_json(action))]
    tomorrow = NOW.date() + timedelta(days=1)
    steps: list[tuple[Any, dict[str, Any]]] = [
        (service.edit_action, {"changes": {"title": "Second", "due_date": tomorrow, "stakeholder": "Jo"}}),
        (service.transition, {"to_status": "in_progress"}),
        (service.transition, {"to_status": "snoozed", "reason": "holiday", "snoozed_until": tomorrow}),
        (service.transition, {"to_status": "in_progress"}),
        (service.close_action, {"outcome": an_outcome(result="too_early")}),
        (service.transition, {"to_status": "in_progress", "reason": "again"}),
        (service.edit_action, {"changes": {"owner_user_id": None}}),
        (queue.claim, {"actor": tom}),
        (service.transition, {"to_status": "cancelled", "reason": "duplicate"}),
        (service.transition, {"to_status": "in_progress", "reason": "not so"}),
    ]

    def record(number: int) -> tuple[ActionEvent, ...]:
        with estate.work() as db:
            detail = service.get_action(db, action.action_id)
        states.append((NOW + timedelta(minutes=number), repository.as_json(detail.action)))
        return detail.events

    for number, (work, more) in enumerate(steps, start=1):
        common = {"actor": admin, "now": NOW + timedelta(minutes=number), "idempotency_key": a_key()}
        with estate.work() as db:
            work(db, **(common | {"action_id": action.action_id, "expected_version": number} | more))
        record(number)
    with estate.work() as db:
        given: dict[str, Any] = {"actor": admin, "now": NOW + timedelta(minutes=11), "idempotency_key": a_key()}
        change = bulk.Cancel(reason="duplicate")
        made = bulk.apply(db, **given, change=change, items=[(action.action_id, len(steps) + 1)])
    record(11)
    with estate.work() as db:
        given = {"actor": admin, "now": NOW + timedelta(minutes=12), "idempotency_key": a_key()}
        assert isinstance(made.bulk_id, UUID)
        bulk.undo(db, **given, bulk_id=made.bulk_id)
    events = record(12)

    assert fold(events) == states[-1][1]
    assert [row["version"] for _, row in states] == list(range(1, 14))
    for moment, row in states:
        assert state_at(events, moment) == row
        assert state_at(events, moment + timedelta(seconds=59)) == row


def test_a_row_read_back_from_its_json_is_the_same_action(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=NOW.date())

    again = repository.from_json(repository.as_json(action))

    assert again == action
    assert isinstance(again, Action)
