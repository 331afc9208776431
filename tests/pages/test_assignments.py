"""Assignments: the queues, moves seen before they are made and undone after, loads, and books in other hands."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from app.actions import queue, service
from app.actions.model import ActionFilter, Workload
from app.auth import Identity, Role
from app.handovers import service as handovers
from app.handovers.model import HandoverDraft
from app.ui import assignment_data, assignment_load, data
from tests.app.factories import NOW, Estate, a_key, key_of
from tests.pages.conftest import Browser, labels, texts

TODAY = NOW.date()


@pytest.fixture
def harriet(estate: Estate) -> Identity:
    """An admin over one published account."""
    estate.publish()
    estate.account()
    return estate.user("Harriet Cole", Role.ADMIN)


def _ticking(monkeypatch: pytest.MonkeyPatch, *rows: int) -> None:
    """AppTest cannot tick rows."""
    monkeypatch.setattr(st, "dataframe", lambda *_, **__: {"selection": {"rows": list(rows)}})


def _undo(page: AppTest) -> Any:
    """The one way back that the page offers: two would wait for the same key."""
    (button,) = [button for button in page.button if button.label == "Undo"]
    return button


def _leaving_out(monkeypatch: pytest.MonkeyPatch, *rows: int) -> None:
    """A plan in which the tick of some lines is taken away."""

    def edited(given: pd.DataFrame, **_: Any) -> pd.DataFrame:
        changed = given.copy()
        changed.loc[list(rows), "take"] = False
        return changed

    monkeypatch.setattr(st, "data_editor", edited)


def test_the_queues_hold_what_nobody_owns_what_is_late_and_what_must_be_decided(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya = estate.user("Maya Lind")
    estate.action(actor=harriet, title="For nobody yet")
    late = estate.action(actor=maya, title="Late already", due_date=TODAY)
    worse = estate.action(actor=maya, title="Late for long", due_date=TODAY)
    for action, days, level in ((late, 2, 0), (worse, 20, 3)):
        estate.admin.execute(
            "update app.actions set due_date = %s, escalation_level = %s, version = version + 1 where action_id = %s",
            [TODAY - timedelta(days=days), level, action.action_id],
        )

    page = browser.sign_in(harriet).open("assignments")

    assert page.dataframe[0].value["title"].tolist() == ["For nobody yet"]
    page.segmented_control(key="queue").set_value("Overdue").run()
    assert page.dataframe[0].value["title"].tolist() == ["Late for long", "Late already"]
    page.segmented_control(key="queue").set_value("Needs a decision").run()
    assert page.dataframe[0].value["title"].tolist() == ["Late for long"]


def test_a_queue_says_its_order(browser: Browser, estate: Estate, harriet: Identity) -> None:
    estate.action(actor=harriet)
    page = browser.sign_in(harriet).open("assignments")
    assert "gravest first, then oldest" in texts(page)

    page.segmented_control(key="queue").set_value("All open").run()
    assert "soonest due first" in texts(browser.checked())
    assert "gravest first, then oldest" in texts(browser.open("actions", who="unassigned"))


def test_an_empty_queue_is_said(browser: Browser, harriet: Identity) -> None:
    assert "Nothing is unassigned" in texts(browser.sign_in(harriet).open("assignments"))


def test_before_the_first_build_there_are_loads_and_no_revenue(browser: Browser, estate: Estate) -> None:
    page = browser.sign_in(estate.user("Harriet Cole", Role.ADMIN)).open("assignments")

    assert page.segmented_control(key="measure").options == ["Actions", "Hours"]
    assert not page.error


def test_ticked_actions_go_to_the_person_chosen_and_come_back_by_undo(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    tom = estate.user("Tom Okafor")
    for title in ("First", "Second"):
        estate.action(actor=harriet, title=title, due_date=TODAY)
    _ticking(monkeypatch, 0, 1)
    page = browser.sign_in(harriet).open("assignments")
    assert "Move 2 actions" not in labels(page)

    page.selectbox(key="give_to").select(str(tom.user_id)).run()
    assert "2 actions to **Tom Okafor**: 2 from the queue. Open: 0 → **2**." in texts(page)
    page.button(key="reassign").click().run()

    browser.checked()
    assert estate.one("select count(*) from app.actions where owner_user_id = %s", tom.user_id) == 2
    assert "2 actions moved." in texts(page)
    _undo(page).click().run()
    browser.checked()
    assert any("Undone: 2 actions are as before" in one.value for one in page.success)
    assert estate.one("select count(*) from app.actions where owner_user_id is null") == 2


def test_what_needs_a_decision_can_be_re_dated_where_it_stands_and_put_back(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = estate.action(actor=estate.user("Maya Lind"), title="Late for long", due_date=TODAY)
    estate.admin.execute(
        "update app.actions set due_date = %s, escalation_level = 3, version = version + 1 where action_id = %s",
        [TODAY - timedelta(days=20), late.action_id],
    )
    _ticking(monkeypatch, 0)
    page = browser.sign_in(harriet).open("assignments")
    page.segmented_control(key="queue").set_value("Needs a decision").run()

    page.segmented_control(key="desk_do").set_value("Re-date, snooze or cancel").run()
    assert page.segmented_control(key="bulk_kind").options == ["Re-date", "Snooze", "Cancel actions"]
    page.button(key="bulk_apply").click().run()

    browser.checked()
    due, level = estate.admin.execute("select due_date, escalation_level from app.actions").fetchone() or (None, None)
    assert due is not None
    assert (due > TODAY, level) == (True, 0)
    _undo(page).click().run()
    browser.checked()
    assert estate.one("select due_date from app.actions") == TODAY - timedelta(days=20)


def test_a_plan_says_why_for_each_line_and_moves_only_those_that_keep_their_tick(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Maya Lind", "Tom Okafor"):
        estate.user(name)
    for title in ("First", "Second"):
        estate.action(actor=harriet, title=title, due_date=TODAY)
    _ticking(monkeypatch, 0, 1)
    _leaving_out(monkeypatch, 1)
    page = browser.sign_in(harriet).open("assignments")

    page.segmented_control(key="how").set_value("In turn").run()
    assert "Maya Lind 0 → **1** open" in texts(page)
    assert "with the 1 line left out" in texts(page)
    page.button(key="reassign").click().run()

    browser.checked()
    assert estate.one("select count(*) from app.actions where owner_user_id is not null") == 1


def test_what_was_shared_out_to_several_comes_back_with_one_click_and_a_later_change_is_the_only_one_offered(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Maya Lind", "Tom Okafor"):
        estate.user(name)
    for title in ("First", "Second"):
        estate.action(actor=harriet, title=title, due_date=TODAY)
    _ticking(monkeypatch, 0, 1)
    page = browser.sign_in(harriet).open("assignments")
    page.segmented_control(key="how").set_value("In turn").run()
    page.button(key="reassign").click().run()
    assert estate.one("select count(distinct owner_user_id) from app.actions") == 2

    _undo(page).click().run()

    browser.checked()
    assert estate.one("select count(*) from app.actions where owner_user_id is null") == 2
    page.segmented_control(key="how").set_value("In turn").run()
    page.button(key="reassign").click().run()
    page.segmented_control(key="queue").set_value("All open").run()
    page.segmented_control(key="desk_do").set_value("Re-date, snooze or cancel").run()
    page.button(key="bulk_apply").click().run()
    _undo(page).click().run()
    browser.checked()
    assert estate.one("select count(distinct owner_user_id) from app.actions where due_date = %s", TODAY) == 2


def test_an_action_changed_since_it_was_shown_stays_and_the_others_move(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    tom = estate.user("Tom Okafor")
    first = estate.action(actor=harriet, title="First", due_date=TODAY)
    estate.action(actor=harriet, title="Second", due_date=TODAY)
    _ticking(monkeypatch, 0, 1)
    page = browser.sign_in(harriet).open("assignments")
    page.selectbox(key="give_to").select(str(tom.user_id)).run()
    with estate.work() as db:
        service.edit_action(
            db,
            actor=harriet,
            now=NOW,
            action_id=first.action_id,
            expected_version=1,
            changes={"priority": "low"},
            idempotency_key=a_key(),
        )

    page.button(key="reassign").click().run()

    browser.checked()
    assert "1 action moved." in texts(page)
    told = page.error[0].value.replace("\\", "")
    assert told.startswith("First stayed: ")
    assert "It has no owner." in told
    assert estate.one("select title from app.actions where owner_user_id is not null") == "Second"


@pytest.mark.usefixtures("browser")
def test_a_queue_that_a_colleague_took_from_says_who_has_it_now(estate: Estate, harriet: Identity) -> None:
    tom = estate.user("Tom Okafor")
    estate.action(actor=harriet, title="First", priority="critical")
    second = estate.action(actor=harriet, title="Second")
    unassigned = ActionFilter(is_unassigned=True)
    drawn = data.actions(unassigned)
    assert assignment_data.news(drawn, data.actions(unassigned)) is None

    with estate.work() as db:
        queue.claim_next(db, actor=tom, now=NOW, idempotency_key=a_key())

    assert assignment_data.news(drawn, data.actions(unassigned)) == "Tom Okafor has **First** now."
    left = data.actions(unassigned)
    estate.edit(harriet, second, priority="low")
    assert "1 action changed" in str(assignment_data.news(left, data.actions(unassigned)))
    estate.action(actor=harriet)
    assert "1 action came in" in str(assignment_data.news(data.actions(unassigned)[:1], data.actions(unassigned)))


def _workload(**values: Any) -> Workload:
    defaults = {
        "display_name": "<b>Maya</b>",
        "owner_email": None,
        "weekly_capacity_minutes": 600,
        "open_count": 5,
        "started_count": 0,
        "snoozed_count": 0,
        "overdue_count": 2,
        "due_this_week_count": 0,
        "closed_this_week_count": 0,
        "minutes_this_week": 0,
        "booked_minutes": 720,
        "away_until": None,
        "covered_by": None,
    }
    return Workload(**(defaults | {"user_id": key_of("maya")} | values))  # pyright: ignore[reportArgumentType]


def test_hours_over_capacity_are_drawn_apart_and_the_capacity_is_a_line() -> None:
    figure = assignment_load.bars([_workload()], {}, "Hours", dark=False)

    assert [list(bar["x"]) for bar in figure.to_dict()["data"]] == [[2.0], [10.0]]
    assert figure.layout.shapes[0].x0 == 10
    assert figure.layout.annotations[0].text == "12 of 10 h"
    assert "<b>" not in figure.layout.yaxis.ticktext[0]


def test_who_is_away_is_said_with_whom_their_book_is() -> None:
    assert assignment_load.away(_workload(), TODAY) == "–"
    away = _workload(covered_by="Tom Okafor", away_until=date(2026, 11, 30))
    assert assignment_load.away(away, TODAY) == "with Tom Okafor to Mon 30 Nov"


def test_a_book_is_handed_over_after_what_would_move_was_shown(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    estate.action(actor=maya, title="Call the champion")
    page = browser.sign_in(harriet).open("assignments", desk="Hand-overs")
    assert "No book is in other hands" in texts(page)
    page.selectbox(key="handover_from").select(str(maya.user_id)).run()
    page.selectbox(key="handover_to").select(str(tom.user_id)).run()
    assert "**1 account**" in texts(page)
    assert page.dataframe[-1].value["title"].tolist() == ["Call the champion"]
    assert page.button(key="handover_begin").disabled
    assert "missing: why" in texts(page)

    page.text_input(key="handover_reason").set_value("Annual *leave*").run()
    page.button(key="handover_begin").click().run()

    browser.checked()
    assert estate.one("select owner_user_id from app.actions") == tom.user_id
    assert "**Maya Lind** → **Tom Okafor** :blue-badge[Running]" in texts(page)
    assert "Annual \\*leave\\*" in texts(page)


def test_the_form_of_a_hand_over_outlives_a_reload_until_it_begins(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    page = browser.sign_in(harriet).open("assignments", desk="Hand-overs")
    page.selectbox(key="handover_from").select(str(maya.user_id)).run()
    page.selectbox(key="handover_to").select(str(tom.user_id))
    page.toggle(key="handover_good").set_value(True)
    page.text_input(key="handover_reason").set_value("Leaves us").run()

    page = browser.reload("assignments", desk="Hand-overs")
    browser.give_back("handover")

    assert page.text_input(key="handover_reason").value == "Leaves us"
    page.button(key="handover_begin").click().run()
    browser.checked()
    assert estate.one("select ends_on is null and reason = 'Leaves us' from app.handovers") is True
    assert browser.kept == {}


def test_a_snoozed_action_is_not_late_in_the_preview_of_a_hand_over(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    estate.action(actor=maya, title="Waits for January")
    estate.action(actor=maya, title="Due sooner", due_date=TODAY)
    estate.admin.execute(
        "update app.actions set status = 'snoozed', snoozed_until = %s, status_before_snooze = 'new', due_date = %s,"
        " snooze_reason = 'closed', version = version + 1 where title = 'Waits for January'",
        [TODAY + timedelta(days=5), TODAY - timedelta(days=9)],
    )
    page = browser.sign_in(harriet).open("assignments", desk="Hand-overs")

    page.selectbox(key="handover_from").select(str(maya.user_id)).run()
    page.selectbox(key="handover_to").select(str(tom.user_id)).run()

    moving = browser.checked().dataframe[-1].value
    assert moving.values.tolist() == [
        ["Today", "Ashford Media", "Due sooner"],
        ["back Wed 25 Nov", "Ashford Media", "Waits for January"],
    ]


def test_a_hand_over_shows_every_action_that_moves_and_amounts_in_one_spelling(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    for number in range(11):
        estate.action(actor=maya, title=f"Number {number}")
    page = browser.sign_in(harriet).open("assignments", desk="Hand-overs")

    page.selectbox(key="handover_from").select(str(maya.user_id)).run()
    page.selectbox(key="handover_to").select(str(tom.user_id)).run()

    accounts, moving = browser.checked().dataframe
    assert sorted(moving.value["title"]) == sorted(f"Number {number}" for number in range(11))
    spelled = convert_arrow_bytes_to_pandas_df(accounts.proto.arrow_data.styler.display_values)
    assert f"({spelled['mrr'].item()} a month)" in texts(page)


def test_a_cover_ended_by_hand_gives_back_what_it_moved(browser: Browser, estate: Estate, harriet: Identity) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    estate.action(actor=maya)
    with estate.work() as db:
        made = handovers.begin(
            db,
            actor=harriet,
            now=NOW,
            draft=HandoverDraft(
                from_user_id=maya.user_id, to_user_id=tom.user_id, starts_on=TODAY, reason="Leave", moves="all_open"
            ),
            idempotency_key=a_key(),
        )
    page = browser.sign_in(harriet).open("assignments", desk="Hand-overs")
    assert "1 open action of what it moved goes back to Maya Lind" in texts(page)
    assert "**Ashford Media** · Call the champion :gray[· new]" in texts(page)

    page.button(key=f"end_it_{made.handover_id.hex}").click().run()

    browser.checked()
    assert estate.one("select owner_user_id from app.actions") == maya.user_id
    assert ":gray-badge[Ended]" in texts(page)


def test_a_hand_over_that_is_refused_says_why_and_keeps_the_form(
    browser: Browser, estate: Estate, harriet: Identity
) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    page = browser.sign_in(harriet).open("assignments", desk="Hand-overs")
    page.selectbox(key="handover_from").select(str(maya.user_id)).run()
    page.selectbox(key="handover_to").select(str(tom.user_id)).run()

    page.date_input(key="handover_ends").set_value(TODAY - timedelta(days=3)).run()

    assert "last day lies before the first" in page.warning[-1].value.replace("\\", "")
    assert page.selectbox(key="handover_to").value == str(tom.user_id)
    assert "Hand over now" not in labels(page)
