"""Nothing lost, nothing doubled: request keys, lost updates, races, and a model that the rows are checked against."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.actions import repository, service
from app.actions.lifecycle import Status, is_open
from app.actions.model import Action, ActionEvent
from app.auth import Identity, Role
from app.errors import AppError, IdempotencyConflict, InvalidInput, NotFound, StaleVersion
from tests.app.factories import NOW, Estate, a_draft, a_key, an_outcome


@pytest.fixture
def maya(estate: Estate) -> Identity:
    estate.account()
    estate.publish()
    return estate.user()


def create(estate: Estate, actor: Identity, key: str, **draft: Any) -> Action:
    with estate.work() as db:
        return service.create_action(db, actor=actor, now=NOW, draft=a_draft(**draft), idempotency_key=key)


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `count` callers got at once, errors as values."""

    def attempt(number: int) -> Any:
        try:
            return work(number)
        except AppError as error:
            return error

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(attempt, range(count)))


def test_fifty_parallel_requests_with_one_key_make_one_action_and_one_answer(estate: Estate, maya: Identity) -> None:
    key = a_key()

    answers = together(50, lambda _: create(estate, maya, key))

    assert isinstance(answers[0], Action)
    assert all(answer == answers[0] for answer in answers)
    for table in ("actions", "action_events", "decisions", "context_snapshots", "idempotency_keys"):
        assert estate.one(f"select count(*) from app.{table}") == 1


def test_a_repeated_request_gets_the_first_answer_even_when_the_row_has_moved_on(
    estate: Estate, maya: Identity
) -> None:
    key = a_key()
    first = create(estate, maya, key)
    with estate.work() as db:
        service.edit_action(
            db,
            actor=maya,
            now=NOW,
            action_id=first.action_id,
            expected_version=1,
            changes={"title": "Another"},
            idempotency_key=a_key(),
        )

    assert create(estate, maya, key) == first


def test_the_same_key_with_another_body_writes_nothing(estate: Estate, maya: Identity) -> None:
    key = a_key()
    first = create(estate, maya, key)

    with pytest.raises(IdempotencyConflict):
        create(estate, maya, key, title="Something else")
    with estate.work() as db, pytest.raises(IdempotencyConflict):
        service.add_note(db, actor=maya, now=NOW, action_id=first.action_id, body="hi", idempotency_key=key)

    assert estate.one("select count(*) from app.actions") == 1
    assert estate.one("select count(*) from app.action_notes") == 0


def test_two_people_may_use_the_same_key(estate: Estate, maya: Identity) -> None:
    key = a_key()

    first, second = create(estate, maya, key), create(estate, estate.user("Tom Okafor"), key)

    assert first.action_id != second.action_id


def test_a_refused_request_leaves_its_key_free_even_when_the_caller_goes_on(estate: Estate, maya: Identity) -> None:
    key = a_key()
    with estate.work() as db:
        with pytest.raises(InvalidInput):
            service.create_action(db, actor=maya, now=NOW, draft=a_draft(title=""), idempotency_key=key)
        with pytest.raises(NotFound):
            service.create_action(db, actor=maya, now=NOW, draft=a_draft(account_key="x"), idempotency_key=key)
        made = service.create_action(db, actor=maya, now=NOW, draft=a_draft(), idempotency_key=key)

    assert estate.one("select action_id from app.actions") == made.action_id


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "line\nbreak"])
def test_an_unusable_key_is_refused(estate: Estate, maya: Identity, key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(estate, maya, key)

    assert refused.value.field == "idempotency_key"


def test_of_twenty_editors_from_one_version_one_wins_and_all_others_are_told(estate: Estate, maya: Identity) -> None:
    action = create(estate, maya, a_key())

    def edit(number: int) -> Action:
        with estate.work() as db:
            return service.edit_action(
                db,
                actor=maya,
                now=NOW,
                action_id=action.action_id,
                expected_version=1,
                changes={"title": f"Title {number}"},
                idempotency_key=a_key(),
            )

    answers = together(20, edit)

    won = [answer for answer in answers if isinstance(answer, Action)]
    lost = [answer for answer in answers if isinstance(answer, StaleVersion)]
    assert (len(won), len(lost)) == (1, 19)
    assert all(answer.current.title == won[0].title and answer.changes[0].after == won[0].title for answer in lost)


def test_bulk_moves_in_opposite_order_wait_for_each_other_and_never_deadlock(estate: Estate, maya: Identity) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    people = [maya.user_id, estate.user("Tom Okafor").user_id]
    ids = [create(estate, maya, a_key()).action_id for _ in range(6)]

    def move(number: int) -> Any:
        with estate.work() as db:
            return service.reassign(
                db,
                actor=admin,
                now=NOW,
                action_ids=ids if number % 2 else ids[::-1],
                owner_user_id=people[number % 2],
                idempotency_key=a_key(),
            )

    answers = together(8, move)

    assert all(len(answer.changed) + len(answer.refused) == 6 for answer in answers)
    assert estate.one("select count(distinct owner_user_id) from app.actions") == 1
    gaps = """
        select count(*) from app.actions as a
        where version <> (select count(*) from app.action_events as e where e.action_id = a.action_id)
    """
    assert estate.one(gaps) == 0


def test_a_note_and_an_edit_at_once_do_not_disturb_each_other(estate: Estate, maya: Identity) -> None:
    action = create(estate, maya, a_key())

    def write(number: int) -> Any:
        with estate.work() as db:
            if number:
                return service.add_note(
                    db, actor=maya, now=NOW, action_id=action.action_id, body=f"n{number}", idempotency_key=a_key()
                )
            return service.edit_action(
                db,
                actor=maya,
                now=NOW,
                action_id=action.action_id,
                expected_version=1,
                changes={"priority": "critical"},
                idempotency_key=a_key(),
            )

    answers = together(9, write)

    assert not [answer for answer in answers if isinstance(answer, AppError)]
    assert estate.one("select count(*) from app.action_notes") == 8


# --- the story tells the row -----------------------------------------------------------------------------------------


def fold(story: tuple[ActionEvent, ...]) -> dict[str, Any]:
    """The row that the events tell, with what follows from them: version, times, and the status before a snooze."""
    row: dict[str, Any] = dict(story[0].after)
    for event in story[1:]:
        row["version"] = event.version
        if event.kind == "note_added":
            continue
        row["updated_at"] = repository.plain(event.at)
        if event.field == "status":
            row["status_before_snooze"] = event.before if event.after == "snoozed" else None
            row["closed_at"] = None if is_open(Status(event.after)) else repository.plain(event.at)
        row[str(event.field)] = event.after
    return row


def told(action: Action) -> dict[str, Any]:
    return {name: repository.plain(value) for name, value in asdict(action).items()}


def same_moment(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.replace("Z", "+00:00") if str(name).endswith("_at") and value else value
        for name, value in row.items()
    }


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("edit", {"title": "Second", "due_date": date(2026, 12, 1)}),
    ("in_progress", {}),
    ("snoozed", {"reason": "holiday", "snoozed_until": date(2026, 12, 1)}),
    ("in_progress", {}),
    ("waiting_on_customer", {}),
    ("note", {}),
    ("close", {"result": "too_early"}),
    ("in_progress", {"reason": "again"}),
    ("edit", {"stakeholder": "Jo", "reason": "renewal talk"}),
    ("cancelled", {"reason": "no_longer_relevant"}),
    ("in_progress", {"reason": "not so"}),
    ("owner", {}),
    ("close", {"result": "successful"}),
]


def test_the_events_of_an_action_add_up_to_its_row_at_every_step(estate: Estate, maya: Identity) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    tom = estate.user("Tom Okafor")
    action = create(estate, maya, a_key())
    versions: list[int] = []

    for number, (what, more) in enumerate(STEPS):
        now = NOW + timedelta(minutes=number + 1)
        with estate.work() as db:
            given: dict[str, Any] = {
                "actor": admin,
                "now": now,
                "action_id": action.action_id,
                "idempotency_key": a_key(),
            }
            version = service.get_action(db, action.action_id).action.version
            if what == "edit":
                service.edit_action(db, **given, expected_version=version, changes=more)
            elif what == "note":
                service.add_note(db, **given, body="seen")
            elif what == "close":
                service.close_action(db, **given, expected_version=version, outcome=an_outcome(**more))
            elif what == "owner":
                service.edit_action(db, **given, expected_version=version, changes={"owner_user_id": tom.user_id})
            else:
                service.transition(db, **given, expected_version=version, to_status=what, **more)
        with estate.work() as db:
            detail = service.get_action(db, action.action_id)
            row = {name: told(detail.action)[name] for name in told(action)}
        assert same_moment(fold(detail.events)) == same_moment(row), what
        versions.append(detail.action.version)

    assert versions == sorted(versions)
    assert set(range(1, versions[-1] + 1)) == {1, *versions}
    assert isinstance(action.action_id, UUID)
