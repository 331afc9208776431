"""The life of an action as a table: every pair of statuses, and what each move needs."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions.lifecycle import (
    CATEGORY,
    OPEN,
    SNOOZABLE,
    CancelReason,
    Category,
    Closing,
    Result,
    Standing,
    Status,
    is_open,
    legal_moves,
    plan_move,
)
from app.errors import IllegalTransition, InvalidInput

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 20)
CLOSING = Closing(result="successful", done_intervention="training", note="Done.")

# The table of the handbook, written out a second time by hand: category by category, not status by status.
DECLARED = {
    **{(Status.NEW, to): True for to in (Status.IN_PROGRESS, Status.SNOOZED, Status.CLOSED, Status.CANCELLED)},
    **{
        (a, b): True
        for a, b in product((Status.IN_PROGRESS, Status.BLOCKED, Status.WAITING_ON_CUSTOMER), repeat=2)
        if a != b
    },
    **{
        (a, b): True
        for a in (Status.IN_PROGRESS, Status.BLOCKED, Status.WAITING_ON_CUSTOMER)
        for b in (Status.SNOOZED, Status.CLOSED, Status.CANCELLED)
    },
    (Status.CLOSED, Status.IN_PROGRESS): True,
    (Status.CANCELLED, Status.IN_PROGRESS): True,
}


def needed(to: Status) -> dict:
    if to is Status.SNOOZED:
        return {"reason": "on holiday", "snoozed_until": TODAY + timedelta(days=3)}
    if to is Status.CANCELLED:
        return {"reason": "duplicate"}
    if to is Status.CLOSED:
        return {"closing": CLOSING}
    return {"reason": "it came back"}


@pytest.mark.parametrize(("here", "there"), list(product(Status, Status)))
def test_every_pair_of_statuses_is_as_declared(here: Status, there: Status) -> None:
    before = Status.BLOCKED if here is Status.SNOOZED else None
    standing = Standing(status=here, status_before_snooze=before)
    is_legal = there is before if here is Status.SNOOZED else DECLARED.get((here, there), False)

    if is_legal:
        assert plan_move(standing, there, now=NOW, today=TODAY, **needed(there)).changes["status"] is there
    else:
        with pytest.raises(IllegalTransition) as refused:
            plan_move(standing, there, now=NOW, today=TODAY, **needed(there))
        assert refused.value.legal == legal_moves(here, status_before_snooze=before)


@pytest.mark.parametrize("before", SNOOZABLE)
def test_a_snoozed_action_goes_back_exactly_where_it_was(before: Status) -> None:
    snoozed = plan_move(Standing(status=before), Status.SNOOZED, now=NOW, today=TODAY, **needed(Status.SNOOZED))
    assert snoozed.changes["status_before_snooze"] is before

    back = plan_move(Standing(status=Status.SNOOZED, status_before_snooze=before), before, now=NOW, today=TODAY)

    assert back.changes == {
        "status": before,
        "status_before_snooze": None,
        "snoozed_until": None,
        "snooze_reason": None,
    }


def test_every_status_has_a_category_and_only_ended_ones_are_not_open() -> None:
    assert set(CATEGORY) == set(Status)
    assert {status for status in Status if is_open(status)} == OPEN
    assert {CATEGORY[status] for status in Status if not is_open(status)} == {Category.CLOSED, Category.CANCELLED}


@pytest.mark.parametrize(
    ("closing", "field"),
    [
        (None, "outcome"),
        (Closing(result="", done_intervention="training", note="Done."), "result"),
        (Closing(result="great", done_intervention="training", note="Done."), "result"),
        (Closing(result="successful", done_intervention="", note="Done."), "done_intervention"),
        (Closing(result="successful", done_intervention="training", note=" \n"), "closing_note"),
    ],
)
def test_closing_names_what_is_missing(closing: Closing | None, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan_move(Standing(status=Status.NEW), Status.CLOSED, now=NOW, today=TODAY, closing=closing)

    assert refused.value.field == field


@pytest.mark.parametrize("result", Result)
def test_closing_keeps_the_result_and_the_time(result: Result) -> None:
    closing = Closing(result=result, done_intervention="training", note="Done.")

    move = plan_move(Standing(status=Status.BLOCKED), Status.CLOSED, now=NOW, today=TODAY, closing=closing)

    assert move.changes == {"status": Status.CLOSED, "result": result, "closed_at": NOW}


@pytest.mark.parametrize("reason", CancelReason)
def test_cancelling_keeps_a_reason_of_the_list(reason: CancelReason) -> None:
    move = plan_move(Standing(status=Status.NEW), Status.CANCELLED, now=NOW, today=TODAY, reason=reason)

    assert move.changes["cancel_reason"] is reason


@pytest.mark.parametrize("reason", [None, "", "because", "successful"])
def test_cancelling_without_a_reason_of_the_list_is_refused(reason: str | None) -> None:
    with pytest.raises(InvalidInput, match="reason from the list"):
        plan_move(Standing(status=Status.NEW), Status.CANCELLED, now=NOW, today=TODAY, reason=reason)


@pytest.mark.parametrize("days", [-1, 0, 366, 10_000])
def test_a_snooze_ends_after_today_and_within_a_year(days: int) -> None:
    with pytest.raises(InvalidInput):
        plan_move(
            Standing(status=Status.NEW),
            Status.SNOOZED,
            now=NOW,
            today=TODAY,
            reason="later",
            snoozed_until=TODAY + timedelta(days=days),
        )


@pytest.mark.parametrize("ended", [Status.CLOSED, Status.CANCELLED])
def test_reopening_needs_a_reason_and_forgets_the_ending(ended: Status) -> None:
    with pytest.raises(InvalidInput, match="Reopening needs a reason"):
        plan_move(Standing(status=ended), Status.IN_PROGRESS, now=NOW, today=TODAY)

    move = plan_move(Standing(status=ended), Status.IN_PROGRESS, now=NOW, today=TODAY, reason=" it came back ")

    assert move.reason == "it came back"
    assert move.changes == {
        "status": Status.IN_PROGRESS,
        "result": None,
        "cancel_reason": None,
        "closed_at": None,
        "archived_at": None,
    }


@given(path=st.lists(st.sampled_from(list(Status)), max_size=30))
def test_whatever_is_tried_an_ended_action_has_its_reason_and_an_open_one_has_none(path: list[Status]) -> None:
    row: dict = {"status": Status.NEW}
    for there in path:
        standing = Standing(status=row["status"], status_before_snooze=row.get("status_before_snooze"))
        try:
            row |= plan_move(standing, there, now=NOW, today=TODAY, **needed(there)).changes
        except IllegalTransition:
            continue

        assert (row["status"] is Status.CLOSED) == (row.get("result") is not None)
        assert (row["status"] is Status.CANCELLED) == (row.get("cancel_reason") is not None)
        assert (row["status"] is Status.SNOOZED) == (row.get("snoozed_until") is not None)
        assert is_open(row["status"]) == (row.get("closed_at") is None)
