"""Whatever anybody tries with an action, in any order: only what is declared happens, the database agrees, and the
events alone tell every state there ever was."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.actions import bulk, contacts, queue, repository, service, upkeep
from app.actions.history import fold, state_at
from app.actions.lifecycle import Status, is_open, legal_moves
from app.actions.model import Action, ActionDetail, ContactDraft
from app.auth import Role
from app.calendar import display_date
from app.errors import IllegalTransition, InvalidInput, NotPermitted, StaleVersion
from tests.app.factories import NOW, Estate, a_draft, a_key, an_outcome

PEOPLE = {"Maya Lind": Role.CSM, "Tom Okafor": Role.CSM, "Harriet Cole": Role.ADMIN, "Alex Stone": Role.ANALYST}
STATUSES = st.sampled_from(list(Status))
# most attempts by who may, on what is there: a history of refusals alone would prove little
WHO = st.sampled_from(
    ["Harriet Cole", "Maya Lind", "Harriet Cole", "Maya Lind", "Harriet Cole", "Tom Okafor", "Alex Stone"]
)
STALE = st.sampled_from([False, False, False, False, True])
RECEIVERS = st.sampled_from(["Maya Lind", "Tom Okafor", None])
TEXTS = st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=200)
EDITS = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXTS.filter(str.strip),
        "reason": st.none() | TEXTS,
        "stakeholder": st.none() | TEXTS,
        "priority": st.sampled_from(["low", "critical"]),
        "action_type": st.sampled_from(["renewal", "risk"]),
        "intervention": st.sampled_from(["training", "billing_fix"]),
        "due_date": st.none() | st.dates(NOW.date() - timedelta(days=400), NOW.date() + timedelta(days=400)),
    },
)
CHANGES = st.sampled_from(["snooze", "redate", "push", "cancel", "assign"])


def machine(estate: Estate) -> type[RuleBasedStateMachine]:
    """A machine over one action at a time on an estate with an owner, another CSM, an admin and an analyst."""

    class Life(RuleBasedStateMachine):
        action: Action

        @initialize(is_queued=st.booleans())
        def create(self, is_queued: bool) -> None:
            self.clock = NOW
            self.closings = self.note_count = self.contact_count = 0
            self.states: list[tuple[datetime, dict[str, Any]]] = []
            self.made: tuple[UUID, str, datetime, dict[str, Any], int] | None = None
            with estate.work() as db:
                self.action = service.create_action(
                    db,
                    actor=estate.people["Harriet Cole" if is_queued else "Maya Lind"],
                    now=NOW,
                    draft=a_draft(),
                    idempotency_key=a_key(),
                )

        def _detail(self) -> ActionDetail:
            with estate.work() as db:
                return service.get_action(db, self.action.action_id)

        def _row(self) -> Action:
            with estate.work() as db:
                return repository.lock(db, self.action.action_id)

        def _may(self, who: str, row: Action) -> bool:
            actor = estate.people[who]
            return actor.role is Role.ADMIN or (actor.role is Role.CSM and row.owner_user_id == actor.user_id)

        def _legal(self, row: Action) -> tuple[Status, ...]:
            return legal_moves(row.status, status_before_snooze=row.status_before_snooze)

        def _given(self, who: str, **more: Any) -> dict[str, Any]:
            self.clock += timedelta(seconds=5)
            return {"actor": estate.people[who], "now": self.clock, "idempotency_key": a_key(), **more}

        def _refused(self, work: Callable[..., object], given: dict[str, Any], error: type[Exception]) -> None:
            """It raises what it should, and changes nothing."""
            before = self._detail()
            with pytest.raises(error), estate.work() as db:
                work(db, **given)
            assert self._detail() == before

        def _try(self, who: str, work: Callable[..., Action], *, is_stale: bool, may: type[Exception] | None) -> bool:
            """Do it; True when it happened. Refusals must be the expected kind, and must change nothing."""
            row = self._row()
            expected = NotPermitted if not self._may(who, row) else StaleVersion if is_stale else may
            version = row.version - 1 if is_stale else row.version
            given = self._given(who, action_id=row.action_id, expected_version=version)
            if expected is not None:
                self._refused(work, given, expected)
                return False
            with estate.work() as db:
                after = work(db, **given)
            assert after == self._row()
            assert after.version - row.version in (0, 1)
            return after.version > row.version

        @rule(who=WHO, is_stale=STALE, number=st.integers(0, 2**16))
        def move_on(self, who: str, is_stale: bool, number: int) -> None:
            there = [status for status in self._legal(self._row()) if status is not Status.CLOSED]
            self._move(who, there[number % len(there)], is_stale)

        @rule(who=WHO, there=STATUSES, is_stale=STALE)
        def move_anywhere(self, who: str, there: Status, is_stale: bool) -> None:
            self._move(who, there, is_stale)

        def _move(self, who: str, there: Status, is_stale: bool) -> None:
            may = None if there in self._legal(self._row()) else IllegalTransition
            if there is Status.CLOSED and may is None:
                may = InvalidInput
            reason = "duplicate" if there is Status.CANCELLED else "because"
            until = self.clock.date() + timedelta(days=5) if there is Status.SNOOZED else None

            self._try(
                who,
                lambda db, **given: service.transition(
                    db, **given, to_status=there, reason=reason, snoozed_until=until
                ),
                is_stale=is_stale,
                may=may,
            )

        @rule(who=WHO, is_stale=STALE)
        def close(self, who: str, is_stale: bool) -> None:
            self.closings += self._try(
                who,
                lambda db, **given: service.close_action(db, **given, outcome=an_outcome()),
                is_stale=is_stale,
                may=None if Status.CLOSED in self._legal(self._row()) else IllegalTransition,
            )

        @rule(who=WHO, is_stale=STALE, changes=EDITS)
        def edit(self, who: str, is_stale: bool, changes: dict[str, Any]) -> None:
            self._try(
                who,
                lambda db, **given: service.edit_action(db, **given, changes=changes),
                is_stale=is_stale,
                may=None if is_open(self._row().status) else InvalidInput,
            )

        @rule(who=WHO, body=TEXTS.filter(str.strip), is_contact=st.booleans())
        def tell(self, who: str, body: str, is_contact: bool) -> None:
            given = self._given(who, action_id=self.action.action_id)
            given |= {"contact": ContactDraft(channel="call", was_reached=False)} if is_contact else {"body": body}
            work = contacts.log_contact if is_contact else service.add_note
            if PEOPLE[who] is Role.ANALYST:
                self._refused(work, given, NotPermitted)
                return
            with estate.work() as db:
                work(db, **given)
            self.contact_count += is_contact
            self.note_count += not is_contact

        @rule(who=WHO, is_stale=STALE)
        def claim(self, who: str, is_stale: bool) -> None:
            row = self._row()
            version = row.version - is_stale
            given = self._given(who, action_id=row.action_id, expected_version=version)
            expected = (
                NotPermitted
                if who == "Alex Stone"
                else StaleVersion
                if is_stale
                else InvalidInput
                if row.owner_user_id or not is_open(row.status)
                else None
            )
            if expected:
                self._refused(queue.claim, given, expected)
                return
            with estate.work() as db:
                assert queue.claim(db, **given).owner_user_id == estate.people[who].user_id

        @rule(who=st.sampled_from(["Maya Lind", "Tom Okafor", "Harriet Cole"]))
        def claim_next(self, who: str) -> None:
            row = self._row()
            is_waiting = row.owner_user_id is None and is_open(row.status) and row.status is not Status.SNOOZED
            with estate.work() as db:
                claimed = queue.claim_next(db, **self._given(who))

            # other lives may have left their action in the queue
            assert claimed is not None or not is_waiting
            if claimed is not None and claimed.action_id == row.action_id:
                assert is_waiting
                assert (claimed.owner_user_id, claimed.version) == (estate.people[who].user_id, row.version + 1)

        @rule(who=WHO, to=RECEIVERS)
        def reassign(self, who: str, to: str | None) -> None:
            row = self._row()
            owner = estate.people[to].user_id if to else None
            given = self._given(who, action_ids=[row.action_id], owner_user_id=owner)
            if PEOPLE[who] is not Role.ADMIN:
                self._refused(service.reassign, given, NotPermitted)
                return
            with estate.work() as db:
                result = service.reassign(db, **given)
            assert bool(result.changed) == (is_open(row.status) and row.owner_user_id != owner)

        @rule(who=WHO, what=CHANGES, to=RECEIVERS, days=st.integers(1, 250), is_stale=STALE, is_regretted=st.booleans())
        def change_in_bulk(
            self, who: str, what: str, to: str | None, days: int, is_stale: bool, is_regretted: bool
        ) -> None:
            row, today = self._row(), display_date(self.clock)
            owner = estate.people[to].user_id if to else None
            change: bulk.BulkChange = {
                "snooze": bulk.Snooze(until=today + timedelta(days=days), reason="later"),
                "redate": bulk.Redate(due_date=today + timedelta(days=days)),
                "push": bulk.Redate(shift_business_days=days),
                "cancel": bulk.Cancel(reason="no_longer_relevant"),
                "assign": bulk.Assign(owner_user_id=owner),
            }[what]
            given = self._given(who, change=change, items=[(row.action_id, row.version - is_stale)])
            if PEOPLE[who] is Role.ANALYST or (what == "assign" and PEOPLE[who] is not Role.ADMIN):
                self._refused(bulk.apply, given, NotPermitted)
                return
            with estate.work() as db:
                (line,) = bulk.preview(
                    db, actor=given["actor"], now=given["now"], change=change, action_ids=[row.action_id]
                ).lines
            with estate.work() as db:
                result = bulk.apply(db, **given)

            assert bool(result.changed) == (line.refusal is None and not is_stale)
            if line.refusal is None:
                assert self._may(who, row)
                assert is_open(row.status)
            if result.bulk_id is None:
                assert self._row() == row
            else:
                self.made = (result.bulk_id, who, self.clock, repository.as_json(row), row.version + 1)
                if is_regretted:
                    self._undo(who)

        @precondition(lambda self: getattr(self, "made", None) is not None)
        @rule(who=WHO, is_late=st.booleans())
        def undo(self, who: str, is_late: bool) -> None:
            if is_late:
                self.clock += timedelta(seconds=70)
            self._undo(who)

        def _undo(self, who: str) -> None:
            assert self.made
            bulk_id, author, made_at, before, version = self.made
            given = self._given(who, bulk_id=bulk_id)
            if given["actor"] is not estate.people[author]:
                self._refused(bulk.undo, given, NotPermitted)
                return
            if self.clock - made_at > timedelta(seconds=65):
                self._refused(bulk.undo, given, InvalidInput)
                return
            row = self._row()
            with estate.work() as db:
                result = bulk.undo(db, **given)
            after = repository.as_json(self._row())
            if row.version == version:
                assert len(result.changed) == 1
                assert after == before | {"version": version + 1, "updated_at": after["updated_at"]}
            else:
                assert len(result.refused) == 1
                assert after == repository.as_json(row)
            again = {**given, "idempotency_key": a_key()}
            self._refused(bulk.undo, again, InvalidInput)
            self.made = None

        @rule(days=st.sampled_from([1, 20]))
        def pass_time(self, days: int) -> None:
            self.clock += timedelta(days=days)
            with estate.work() as db:
                service.wake_snoozed(db, now=self.clock)
                upkeep.archive(db, now=self.clock, after_days=10)
            row = self._row()
            assert row.snoozed_until is None or row.snoozed_until > display_date(self.clock)
            assert row.closed_at is None or row.archived_at or row.closed_at >= self.clock - timedelta(days=10)

        @invariant()
        def nothing_is_lost_and_the_events_tell_every_state_there_was(self) -> None:
            if not hasattr(self, "action"):
                return
            story = self._detail()
            row = story.action
            now = repository.as_json(row)
            assert len(story.outcomes) == self.closings
            assert len(story.contacts) == self.contact_count
            assert len(story.notes) == row.note_count == self.note_count
            assert (row.status is Status.CLOSED) == (row.result is not None)
            assert (row.status is Status.SNOOZED) == (row.snoozed_until is not None)
            assert {event.version for event in story.events} == set(range(1, row.version + 1))
            assert fold(story.events) == now
            self.states.append((self.clock, now))
            for moment, state in self.states:
                assert state_at(story.events, moment) == state

    return Life


def test_no_order_of_attempts_breaks_the_life_of_an_action(estate: Estate) -> None:
    estate.account()
    estate.publish()
    for name, role in PEOPLE.items():
        estate.user(name, role)

    run_state_machine_as_test(
        machine(estate),
        settings=settings(
            max_examples=20, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
