"""The shared queue: the gravest first, and never one action for two people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from app.actions import queue, undoing
from app.actions.lifecycle import Status
from app.actions.model import Action, ActionFilter
from app.actions.writing import UNDOABLE_FOR
from app.auth import Identity, Role
from app.errors import InvalidInput, NotPermitted, StaleVersion
from tests.app.factories import NOW, Estate, a_key


def claim_next(estate: Estate, actor: Identity, key: str | None = None) -> Action | None:
    with estate.work() as db:
        return queue.claim_next(db, actor=actor, now=NOW, idempotency_key=key or a_key())


def claim(estate: Estate, actor: Identity, action: Action, **more: Any) -> Action:
    with estate.work() as db:
        return queue.claim(
            db,
            actor=actor,
            now=NOW,
            action_id=action.action_id,
            expected_version=more.get("expected_version", action.version),
            idempotency_key=a_key(),
        )


def test_the_gravest_is_claimed_first_and_of_those_the_oldest(estate: Estate, admin: Identity, maya: Identity) -> None:
    low = estate.action(actor=admin, priority="low", now=NOW - timedelta(days=9))
    young = estate.action(actor=admin, priority="critical", now=NOW - timedelta(days=1))
    old = estate.action(actor=admin, priority="critical", now=NOW - timedelta(days=2))
    estate.action(actor=maya, priority="critical", now=NOW - timedelta(days=30))

    claimed = [claim_next(estate, maya) for _ in range(4)]

    assert [action and action.action_id for action in claimed] == [old.action_id, young.action_id, low.action_id, None]
    assert claimed[0] is not None
    assert (claimed[0].owner_user_id, claimed[0].version) == (maya.user_id, 2)


def test_the_queue_is_listed_as_it_is_taken(estate: Estate, admin: Identity, maya: Identity) -> None:
    for priority, days in (("low", 9), ("critical", 1), ("medium", 3), ("critical", 2), ("high", 5), ("medium", 4)):
        estate.action(actor=admin, priority=priority, now=NOW - timedelta(days=days))
    asleep = estate.action(actor=admin, priority="critical", now=NOW - timedelta(days=40))
    estate.move(admin, asleep, "snoozed", reason="holiday", snoozed_until=date(2026, 12, 1))
    with estate.work() as db:
        listed = queue.list_queue(db, filter=ActionFilter(is_unassigned=True))

    taken = [action.action_id for action in iter(lambda: claim_next(estate, maya), None)]

    assert [row.action_id for row in listed] == [*taken, asleep.action_id]


def test_what_is_snoozed_or_has_ended_is_not_in_the_queue(estate: Estate, admin: Identity, maya: Identity) -> None:
    estate.move(admin, estate.action(actor=admin), "snoozed", reason="holiday", snoozed_until=date(2026, 12, 1))
    estate.move(admin, estate.action(actor=admin), "cancelled", reason="duplicate")

    assert claim_next(estate, maya) is None


def test_a_double_click_claims_one_action(estate: Estate, admin: Identity, maya: Identity) -> None:
    for _ in range(2):
        estate.action(actor=admin)
    key = a_key()

    assert claim_next(estate, maya, key) == claim_next(estate, maya, key)

    assert estate.one("select count(*) from app.actions where owner_user_id is null") == 1


def test_who_claims_second_is_told_who_was_first(estate: Estate, admin: Identity, maya: Identity) -> None:
    tom = estate.user("Tom Okafor")
    action = estate.action(actor=admin)
    claimed = claim(estate, maya, action)

    with pytest.raises(StaleVersion) as late:
        claim(estate, tom, action)
    with pytest.raises(InvalidInput, match="Somebody has this action already"):
        claim(estate, tom, claimed)
    with pytest.raises(InvalidInput, match="yours already"):
        claim(estate, maya, claimed)

    assert late.value.message.startswith("Maya Lind")
    assert estate.one("select owner_user_id from app.actions") == maya.user_id


def test_an_ended_action_is_claimed_by_nobody(estate: Estate, admin: Identity, maya: Identity) -> None:
    ended = estate.move(admin, estate.action(actor=admin), "cancelled", reason="duplicate")

    with pytest.raises(InvalidInput, match="has ended"):
        claim(estate, maya, ended)


def test_an_analyst_claims_nothing(estate: Estate, admin: Identity) -> None:
    action = estate.action(actor=admin)
    analyst = estate.user("Alex Stone", Role.ANALYST)

    with pytest.raises(NotPermitted):
        claim_next(estate, analyst)
    with pytest.raises(NotPermitted):
        claim(estate, analyst, action)


def test_twelve_who_claim_at_once_never_get_the_same_action(estate: Estate, admin: Identity) -> None:
    people = [estate.user(f"Person {number}") for number in range(12)]
    waiting = {estate.action(actor=admin, priority="high").action_id for _ in range(20)}

    with ThreadPoolExecutor(max_workers=12) as pool:
        claimed = [action for action in pool.map(lambda person: claim_next(estate, person), people) if action]

    assert len(claimed) == len({action.action_id for action in claimed}) == 12
    assert {action.action_id for action in claimed} <= waiting
    assert len({action.owner_user_id for action in claimed}) == 12


def test_a_claim_passes_over_what_somebody_is_just_taking(estate: Estate, admin: Identity, maya: Identity) -> None:
    first = estate.action(actor=admin, now=NOW - timedelta(days=1))
    second = estate.action(actor=admin)

    with estate.work() as db:
        taken = queue.claim_next(db, actor=maya, now=NOW, idempotency_key=a_key())
        other = claim_next(estate, estate.user("Tom Okafor"))

    assert (taken and taken.action_id, other and other.action_id) == (first.action_id, second.action_id)


def undo(estate: Estate, actor: Identity, action: Action, *, after: timedelta = timedelta()) -> Action:
    with estate.work() as db:
        return undoing.undo_last(
            db,
            actor=actor,
            now=NOW + after,
            action_id=action.action_id,
            expected_version=action.version,
            idempotency_key=a_key(),
        )


def test_what_was_taken_from_the_queue_goes_back_with_its_lateness_for_a_minute(
    estate: Estate, admin: Identity, maya: Identity
) -> None:
    late = estate.action(actor=admin)
    estate.admin.execute(
        "update app.actions set escalation_level = 2, version = 2 where action_id = %s", [late.action_id]
    )
    estate.admin.execute(
        "insert into app.action_events (action_id, at, actor_name, actor_kind, kind, field, before, after, version)"
        " values (%s, %s, 'Escalation', 'job', 'field_changed', 'escalation_level', '0', '2', 2)",
        [late.action_id, NOW],
    )
    taken = claim_next(estate, maya)
    assert taken is not None
    assert taken.escalation_level == 0

    with pytest.raises(InvalidInput, match="minute"):
        undo(estate, maya, taken, after=UNDOABLE_FOR + timedelta(seconds=1))
    back = undo(estate, maya, taken, after=timedelta(seconds=59))

    assert (back.owner_user_id, back.escalation_level, back.version) == (None, 2, taken.version + 1)
    assert claim_next(estate, admin) is not None


def test_only_ones_own_newest_change_of_what_is_open_is_taken_back(
    estate: Estate, admin: Identity, maya: Identity
) -> None:
    made = estate.action(actor=maya)
    with pytest.raises(InvalidInput, match="cannot be undone"):
        undo(estate, maya, made)
    begun = estate.move(maya, made, "in_progress")
    with pytest.raises(NotPermitted):
        undo(estate, admin, begun)
    snoozed = estate.move(maya, begun, "snoozed", reason="holiday", snoozed_until=date(2026, 12, 1))
    with pytest.raises(StaleVersion):
        undo(estate, maya, begun)

    awake = undo(estate, maya, snoozed)

    assert (awake.status, awake.status_before_snooze, awake.snoozed_until) == (Status.IN_PROGRESS, None, None)
    again = estate.move(maya, estate.close(maya, awake), "in_progress", reason="not over")
    with pytest.raises(InvalidInput, match="cannot be undone"):
        undo(estate, maya, again)
