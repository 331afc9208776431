"""Nothing lost, nothing doubled: request keys, lost updates, races, and many at once who do what they like."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.actions import bulk, contacts, queue, repository, service
from app.actions.history import fold
from app.actions.lifecycle import Status, legal_moves
from app.actions.model import Action, ActionEvent, ContactDraft
from app.auth import Identity, Role
from app.errors import AppError, Busy, IdempotencyConflict, InvalidInput, NotFound, StaleVersion
from tests.app.factories import NOW, Estate, a_draft, a_key, an_outcome


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


def lock_soon(estate: Estate, action: Action) -> None:
    with estate.work() as db:
        db.execute(text("set local lock_timeout = '20ms'"))
        repository.lock(db, action.action_id)


def test_who_waits_in_vain_for_a_colleague_is_told_to_try_again(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)

    with estate.work() as holder:
        repository.lock(holder, action.action_id)
        with pytest.raises(Busy):
            lock_soon(estate, action)

    assert estate.move(maya, action, "in_progress").version == 2


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


# --- many at once, each by their own will ----------------------------------------------------------------------------


@dataclass
class Walker:
    """Somebody who does what comes to mind with a few actions, on what they saw last, for a number of steps."""

    estate: Estate
    actor: Identity
    ids: list[UUID]
    random: Random
    written: list[tuple[UUID, int]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    bulk_ids: list[UUID] = field(default_factory=list)

    def walk(self, steps: int) -> "Walker":
        for _ in range(steps):
            try:
                self._step()
            except AppError as error:
                self.refusals[type(error).__name__] += 1
        return self

    def _common(self) -> dict[str, Any]:
        return {"actor": self.actor, "now": NOW, "idempotency_key": a_key()}

    def _step(self) -> None:
        likely = [self._move, self._move, self._edit, self._tell, self._claim, self._bulk, self._undo]
        self.random.choice(likely)()

    def _seen(self) -> Action:
        with self.estate.work() as db:
            return service.get_action(db, self.random.choice(self.ids)).action

    def _wrote(self, before: int, after: Action) -> None:
        if after.version != before:
            self.written.append((after.action_id, after.version))

    def _move(self) -> None:
        seen = self._seen()
        legal = legal_moves(seen.status, status_before_snooze=seen.status_before_snooze)
        there = self.random.choice(legal)
        given = self._common() | {"action_id": seen.action_id, "expected_version": seen.version}
        with self.estate.work() as db:
            if there is Status.CLOSED:
                after = service.close_action(db, **given, outcome=an_outcome())
            else:
                reason = "duplicate" if there is Status.CANCELLED else "because"
                until = date(2026, 12, 1) if there is Status.SNOOZED else None
                after = service.transition(db, **given, to_status=there, reason=reason, snoozed_until=until)
        self._wrote(seen.version, after)

    def _edit(self) -> None:
        seen = self._seen()
        changes = {"title": f"Title {self.random.random()}", "priority": self.random.choice(["low", "critical"])}
        given = self._common() | {"action_id": seen.action_id, "expected_version": seen.version}
        with self.estate.work() as db:
            self._wrote(seen.version, service.edit_action(db, **given, changes=changes))

    def _tell(self) -> None:
        given: dict[str, Any] = {**self._common(), "action_id": self.random.choice(self.ids)}
        with self.estate.work() as db:
            if self.random.random() < 0.5:
                service.add_note(db, **given, body="seen")
            else:
                contacts.log_contact(db, **given, contact=ContactDraft(channel="call", was_reached=True))

    def _claim(self) -> None:
        with self.estate.work() as db:
            claimed = queue.claim_next(db, **self._common())
        if claimed:
            self._wrote(0, claimed)

    def _bulk(self) -> None:
        seen = {action.action_id: action.version for action in (self._seen() for _ in range(4))}
        changes: list[bulk.BulkChange] = [
            bulk.Snooze(until=date(2026, 12, 1), reason="later"),
            bulk.Redate(due_date=date(2026, 12, 1) + timedelta(days=self.random.randrange(50))),
            bulk.Cancel(reason="no_longer_relevant"),
            bulk.Assign(owner_user_id=None),
        ]
        change = self.random.choice(changes if self.actor.role is Role.ADMIN else changes[:3])
        with self.estate.work() as db:
            made = bulk.apply(db, **self._common(), change=change, items=list(seen.items()))
        self.written += [(action.action_id, action.version) for action in made.changed]
        self.bulk_ids += [made.bulk_id] if made.bulk_id else []

    def _undo(self) -> None:
        if self.bulk_ids:
            with self.estate.work() as db:
                undone = bulk.undo(db, **self._common(), bulk_id=self.bulk_ids.pop())
            self.written += [(action.action_id, action.version) for action in undone.changed]


def illegal_steps(events: tuple[ActionEvent, ...]) -> list[ActionEvent]:
    """Moves that the lifecycle does not know, but those that put back what was undone."""
    before_snooze: Status | None = None
    wrong: list[ActionEvent] = []
    for event in events:
        if event.field != "status":
            continue
        was = Status(event.before)
        if event.reason != "Undone" and event.after not in legal_moves(was, status_before_snooze=before_snooze):
            wrong.append(event)
        before_snooze = was if event.after == Status.SNOOZED else None
    return wrong


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_eight_people_do_at_once_every_write_counts_once_and_the_story_tells_the_row(
    estate: Estate, maya: Identity, seed: int
) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    ids = [create(estate, admin, a_key()).action_id for _ in range(2)]
    ids += [create(estate, maya, a_key()).action_id for _ in range(3)]
    people = [admin, maya, admin, maya, admin, estate.user("Tom Okafor"), admin, estate.user("Ann Weir")]
    walkers = [Walker(estate, person, ids, Random(seed * 100 + place)) for place, person in enumerate(people)]

    with ThreadPoolExecutor(max_workers=len(walkers)) as pool:
        list(pool.map(lambda walker: walker.walk(40), walkers))

    written = Counter(write for walker in walkers for write in walker.written)
    assert set(written.values()) == {1}, "two writers were told that they made the same version"
    for action_id in ids:
        with estate.work() as db:
            detail = service.get_action(db, action_id)
        versions = {version for of, version in written if of == action_id}
        assert versions == set(range(2, detail.action.version + 1)), "a version is missing, or a write was lost"
        assert fold(detail.events) == repository.as_json(detail.action)
        assert not illegal_steps(detail.events)
    met = sum((walker.refusals for walker in walkers), Counter())
    assert met["StaleVersion"] > 0, "nobody met anybody: the walk proves nothing"


def test_two_who_undo_the_same_change_at_once_undo_it_once(estate: Estate, maya: Identity) -> None:
    action = create(estate, maya, a_key())
    with estate.work() as db:
        made = bulk.apply(
            db,
            actor=maya,
            now=NOW,
            change=bulk.Cancel(reason="duplicate"),
            items=[(action.action_id, 1)],
            idempotency_key=a_key(),
        )
    assert made.bulk_id
    bulk_id = made.bulk_id

    def undo(_: int) -> Any:
        with estate.work() as db:
            return bulk.undo(db, actor=maya, now=NOW, bulk_id=bulk_id, idempotency_key=a_key())

    answers = together(6, undo)

    assert sorted(type(answer).__name__ for answer in answers) == ["BulkResult"] + ["InvalidInput"] * 5
    assert estate.one("select version from app.actions") == 3


def test_a_queue_drained_by_ten_gives_every_action_once(estate: Estate, maya: Identity) -> None:
    admin = estate.user("Harriet Cole", Role.ADMIN)
    people = [estate.user(f"Person {number}") for number in range(10)]
    waiting = {create(estate, admin, a_key()).action_id for _ in range(30)}

    def drain(number: int) -> list[UUID]:
        got: list[UUID] = []
        while True:
            with estate.work() as db:
                claimed = queue.claim_next(db, actor=people[number], now=NOW, idempotency_key=a_key())
            if claimed is None:
                return got
            got.append(claimed.action_id)

    claimed = [action_id for got in together(10, drain) for action_id in got]

    assert len(claimed) == len(set(claimed))
    assert set(claimed) == waiting
