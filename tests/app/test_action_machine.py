"""Whatever anybody tries with an action, in any order: only what is declared happens, and the database agrees."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.actions import service
from app.actions.lifecycle import Status, is_open, legal_moves
from app.actions.model import Action, ActionDetail
from app.auth import Identity, Role
from app.errors import IllegalTransition, InvalidInput, NotPermitted, StaleVersion
from tests.app.factories import NOW, Estate, a_draft, a_key, an_outcome

STATUSES = st.sampled_from(list(Status))
ROLES = st.sampled_from(["Maya Lind", "Tom Okafor", "Harriet Cole", "Alex Stone"])


def machine(estate: Estate) -> type[RuleBasedStateMachine]:
    """A machine over one action at a time on an estate with an owner, another CSM, an admin and an analyst."""

    class Life(RuleBasedStateMachine):
        action: Action
        closings = 0
        note_count = 0
        clock = NOW

        @initialize()
        def create(self) -> None:
            self.clock = NOW
            with estate.work() as db:
                self.action = service.create_action(
                    db, actor=estate.people["Maya Lind"], now=NOW, draft=a_draft(), idempotency_key=a_key()
                )

        def _row(self) -> ActionDetail:
            with estate.work() as db:
                return service.get_action(db, self.action.action_id)

        def _try(self, who: str, work: Callable[..., Action], *, is_stale: bool, may: type[Exception] | None) -> bool:
            """Do it; True when it happened. Refusals must be the expected kind, and must change nothing."""
            actor: Identity = estate.people[who]
            self.clock += timedelta(minutes=1)
            before = self._row()
            is_allowed = actor.role is Role.ADMIN or (
                actor.role is Role.CSM and before.action.owner_user_id == actor.user_id
            )
            version = before.action.version - 1 if is_stale else before.action.version
            expected = NotPermitted if not is_allowed else StaleVersion if is_stale else may
            given: dict[str, Any] = {
                "actor": actor,
                "now": self.clock,
                "action_id": self.action.action_id,
                "expected_version": version,
                "idempotency_key": a_key(),
            }
            if expected is not None:
                with pytest.raises(expected), estate.work() as db:
                    work(db, **given)
                assert self._row() == before
                return False
            with estate.work() as db:
                after = work(db, **given)
            assert after.version == before.action.version + 1
            return True

        @rule(who=ROLES, there=STATUSES, is_stale=st.booleans())
        def move(self, who: str, there: Status, is_stale: bool) -> None:
            row = self._row().action
            legal = legal_moves(row.status, status_before_snooze=row.status_before_snooze)
            may = None if there in legal else IllegalTransition
            if there is Status.CLOSED and may is None:
                may = InvalidInput
            reason = "duplicate" if there is Status.CANCELLED else "because"
            until = date(2026, 12, 1) if there is Status.SNOOZED else None

            self._try(
                who,
                lambda db, **given: service.transition(
                    db, **given, to_status=there, reason=reason, snoozed_until=until
                ),
                is_stale=is_stale,
                may=may,
            )

        @rule(who=ROLES, is_stale=st.booleans())
        def close(self, who: str, is_stale: bool) -> None:
            row = self._row().action
            legal = legal_moves(row.status, status_before_snooze=row.status_before_snooze)
            happened = self._try(
                who,
                lambda db, **given: service.close_action(db, **given, outcome=an_outcome()),
                is_stale=is_stale,
                may=None if Status.CLOSED in legal else IllegalTransition,
            )
            self.closings += happened

        @rule(who=ROLES, is_stale=st.booleans(), number=st.integers(0, 10**9))
        def edit(self, who: str, is_stale: bool, number: int) -> None:
            self._try(
                who,
                lambda db, **given: service.edit_action(db, **given, changes={"title": f"Title {number} {a_key()}"}),
                is_stale=is_stale,
                may=None if is_open(self._row().action.status) else InvalidInput,
            )

        @rule(body=st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1))
        def note(self, body: str) -> None:
            if not body.strip():
                return
            with estate.work() as db:
                service.add_note(
                    db,
                    actor=estate.people["Tom Okafor"],
                    now=self.clock,
                    action_id=self.action.action_id,
                    body=body,
                    idempotency_key=a_key(),
                )
            self.note_count += 1

        @rule()
        def wake(self) -> None:
            self.clock += timedelta(minutes=1)
            with estate.work() as db:
                service.wake_snoozed(db, now=NOW + timedelta(days=20))
            assert self._row().action.status is not Status.SNOOZED

        @invariant()
        def nothing_is_lost(self) -> None:
            if not hasattr(self, "action"):
                return
            story = self._row()
            row = story.action
            assert len(story.outcomes) == self.closings
            assert len(story.notes) == row.note_count == self.note_count
            assert (row.status is Status.CLOSED) == (row.result is not None)
            assert (row.status is Status.SNOOZED) == (row.snoozed_until is not None)
            assert {event.version for event in story.events} == set(range(1, row.version + 1))
            statuses = [event.after for event in story.events if event.field == "status"]
            assert row.status == (statuses[-1] if statuses else "new")

    return Life


def test_no_order_of_attempts_breaks_the_life_of_an_action(estate: Estate) -> None:
    estate.account()
    estate.publish()
    for name, role in (
        ("Maya Lind", Role.CSM),
        ("Tom Okafor", Role.CSM),
        ("Harriet Cole", Role.ADMIN),
        ("Alex Stone", Role.ANALYST),
    ):
        estate.user(name, role)

    run_state_machine_as_test(
        machine(estate),
        settings=settings(
            max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
