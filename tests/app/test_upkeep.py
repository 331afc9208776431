"""What lists lose by themselves, and what they must not."""

from datetime import date, timedelta

import pytest

from app.actions import escalation, service, upkeep
from app.actions.lifecycle import Status
from app.actions.model import ActionFilter
from app.auth import Identity
from tests.app.factories import NOW, Estate, a_key

QUARTER = timedelta(days=91)


def run(estate: Estate, *, after: timedelta) -> upkeep.UpkeepReport:
    with estate.work() as db:
        return upkeep.run(db, now=NOW + after)


def test_what_ended_a_quarter_ago_leaves_the_lists_and_is_still_found_by_its_id(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    estate.close(maya, action)

    assert run(estate, after=timedelta(days=89)).archived == 0
    assert run(estate, after=QUARTER).archived == 1
    assert run(estate, after=QUARTER).archived == 0
    with estate.work() as db:
        assert service.list_actions(db, filter=ActionFilter()) == []
        assert [row.action_id for row in service.list_actions(db, filter=ActionFilter(with_archived=True))]
        assert service.list_actions(db, filter=ActionFilter(action_ids=(action.action_id,)))
    assert estate.detail(action.action_id).events[-1].field == "archived_at"
    assert estate.detail(action.action_id).events[-1].actor_name == "Upkeep"


def test_an_archived_action_that_is_reopened_is_back_in_the_lists(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    estate.close(maya, action)
    run(estate, after=QUARTER)

    with estate.work() as db:
        service.transition(
            db,
            actor=maya,
            now=NOW + QUARTER,
            action_id=action.action_id,
            expected_version=3,
            to_status="in_progress",
            reason="It came back.",
            idempotency_key=a_key(),
        )
        assert [row.action_id for row in service.list_actions(db, filter=ActionFilter())] == [action.action_id]


def test_what_nobody_touched_for_two_months_after_its_due_date_expires(estate: Estate, maya: Identity) -> None:
    forgotten = estate.action(actor=maya, due_date=date(2026, 11, 23))
    undated = estate.action(actor=maya, due_date=None)

    assert run(estate, after=timedelta(days=63)).expired == 0
    assert run(estate, after=timedelta(days=65)).expired == 1
    ended = estate.detail(forgotten.action_id)
    assert (ended.action.status, ended.action.cancel_reason) == (Status.CANCELLED, "no_longer_relevant")
    assert any("Nobody touched it in the 60 days" in (event.reason or "") for event in ended.events)
    assert estate.detail(undated.action_id).action.status is Status.NEW


def test_a_note_keeps_an_overdue_action_from_expiring(estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=date(2026, 11, 23))
    with estate.work() as db:
        service.add_note(
            db,
            actor=maya,
            now=NOW + timedelta(days=40),
            action_id=action.action_id,
            body="They answer after the summer.",
            idempotency_key=a_key(),
        )

    assert run(estate, after=timedelta(days=65)).expired == 0


def test_what_only_jobs_touched_expires_all_the_same(estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, due_date=date(2026, 11, 23))
    with estate.work() as db:
        assert escalation.escalate(db, now=NOW + timedelta(days=60)).for_decision == 1

    assert run(estate, after=timedelta(days=65)).expired == 1


def test_an_account_that_leaves_calls_off_what_was_not_begun_and_only_that(estate: Estate, maya: Identity) -> None:
    key = estate.account("Brook Retail", is_active=True)
    waiting = estate.action(actor=maya, account_key=key)
    begun = estate.action(actor=maya, account_key=key)
    with estate.work() as db:
        service.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=begun.action_id,
            expected_version=1,
            to_status="in_progress",
            idempotency_key=a_key(),
        )

    assert run(estate, after=timedelta(days=1)).account_churned == 0
    estate.set("dim_accounts", key, is_active=False, churned_date=NOW.date() + timedelta(days=3))
    assert run(estate, after=timedelta(days=4)).account_churned == 1
    won_back = estate.action(actor=maya, account_key=key, now=NOW + timedelta(days=5), due_date=None)
    assert run(estate, after=timedelta(days=6)).account_churned == 0

    ended = estate.detail(waiting.action_id).action
    assert (ended.status, ended.cancel_reason, ended.result) == (Status.CANCELLED, "account_churned", None)
    assert estate.detail(begun.action_id).action.status is Status.IN_PROGRESS
    assert estate.detail(won_back.action_id).action.status is Status.NEW


def test_without_a_published_build_no_account_has_left(estate: Estate) -> None:
    for mart in ("dim_accounts",):
        estate.transformer.execute(f"drop table marts.{mart}")

    assert run(estate, after=QUARTER) == upkeep.UpkeepReport(archived=0, expired=0, account_churned=0)


def test_a_run_calls_off_no_more_than_a_batch_and_the_next_goes_on(
    estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = estate.account("Brook Retail")
    for _ in range(3):
        estate.action(actor=maya, account_key=key)
    estate.set("dim_accounts", key, is_active=False, churned_date=NOW.date() + timedelta(days=3))
    monkeypatch.setattr(upkeep, "BATCH", 2)

    assert [run(estate, after=timedelta(days=4)).account_churned for _ in range(3)] == [2, 1, 0]
