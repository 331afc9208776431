"""One change to many actions: what a preview says, what is applied, and the way back."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from app import clock
from app.actions import service
from app.actions.model import Action
from app.auth import Identity, Role
from app.ui import action_bulk
from tests.app.factories import NOW, Estate, a_key
from tests.pages.conftest import Browser, labels, texts

TODAY = NOW.date()


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM with one published account."""
    estate.publish()
    estate.account()
    return estate.user("Maya Lind")


def _tick(page: AppTest, *rows: int) -> AppTest:
    """Tick rows of the list, as a click on their boxes does."""
    key = page.dataframe[0].proto.id[page.dataframe[0].proto.id.index("action_list_") :]
    page.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    page.run()
    assert not page.exception
    return page


def _two(estate: Estate, maya: Identity) -> list[Action]:
    return [
        estate.action(actor=maya, title=f"Number {number}", due_date=TODAY + timedelta(days=number))
        for number in (0, 3)
    ]


def _snooze_them(page: AppTest) -> None:
    page.text_area(key="bulk_why:box").set_value("Their migration")
    page.button(key="bulk_why:send").click().run()


def _statuses(estate: Estate) -> list[str]:
    rows = estate.admin.execute("select status from app.actions order by title").fetchall()
    return [row[0] for row in rows]


def test_what_is_previewed_is_applied_and_undone(browser: Browser, estate: Estate, maya: Identity) -> None:
    _two(estate, maya)
    page = _tick(browser.sign_in(maya).open("actions"), 0, 1)
    assert "**2 actions ticked**" in texts(page)
    assert "Assign" not in page.segmented_control(key="bulk_kind").options
    assert page.dataframe[1].value["after"].tolist() == ["→ Snoozed until 27 Nov 2026"] * 2
    assert "Snooze 2 actions" in labels(page)

    _snooze_them(page)

    browser.checked()
    assert _statuses(estate) == ["snoozed", "snoozed"]
    assert "2 actions snoozed until Fri 27 Nov" in texts(page)
    next(button for button in page.button if button.label == "Undo").click().run()
    browser.checked()
    assert _statuses(estate) == ["new", "new"]


def test_an_action_that_cannot_change_is_named_before_and_left_alone(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    _two(estate, maya)
    estate.action(actor=estate.user("Tom Okafor"), title="Of Tom", due_date=TODAY + timedelta(days=9))
    page = _tick(browser.sign_in(maya).open("actions", who="all"), 0, 1, 2)
    page.segmented_control(key="bulk_kind").set_value("redate").run()

    said = page.dataframe[1].value["after"].tolist()
    assert said[0] == "→ 27 Nov 2026"
    assert said[2] == "stays: Only the owner of this action, who covers for them, or an admin may change it."
    page.button(key="bulk_apply").click().run()

    browser.checked()
    dues = estate.admin.execute("select due_date - %s from app.actions order by due_date", [TODAY]).fetchall()
    assert [days for (days,) in dues] == [7, 9, 10]


def test_what_somebody_changed_after_the_preview_stays_as_they_left_it(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    first, _ = _two(estate, maya)
    page = _tick(browser.sign_in(maya).open("actions"), 0, 1)
    page.segmented_control(key="bulk_kind").set_value("cancel").run()
    page.selectbox(key="bulk_reason").set_value("duplicate").run()
    with estate.work() as db:
        service.transition(
            db,
            actor=maya,
            now=NOW,
            action_id=first.action_id,
            expected_version=1,
            to_status="in_progress",
            idempotency_key=a_key(),
        )

    page.button(key="bulk_apply").click().run()

    assert _statuses(estate) == ["in_progress", "cancelled"]
    assert "1 stayed:" in texts(browser.checked())


def test_an_admin_gives_many_to_one_person(browser: Browser, estate: Estate, maya: Identity) -> None:
    _two(estate, maya)
    tom = estate.user("Tom Okafor")
    page = _tick(browser.sign_in(estate.user("Harriet Cole", Role.ADMIN)).open("actions"), 0, 1)
    page.segmented_control(key="bulk_kind").set_value("assign").run()
    page.selectbox(key="bulk_owner").set_value("Tom Okafor").run()

    page.button(key="bulk_apply").click().run()

    browser.checked()
    assert estate.one("select count(*) from app.actions where owner_user_id = %s", tom.user_id) == 2


def test_the_offer_to_undo_ends_with_its_minute(
    browser: Browser, estate: Estate, maya: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two(estate, maya)
    page = _tick(browser.sign_in(maya).open("actions"), 0, 1)
    _snooze_them(page)
    assert "Undo" in labels(page)

    monkeypatch.setattr(clock, "real_now", lambda: NOW + timedelta(seconds=61))
    page.run()

    assert "Undo" not in labels(browser.checked())


def test_a_single_new_date_has_the_same_undo(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya, due_date=TODAY)
    page = browser.sign_in(maya).open("actions")
    key = f"move_{action.action_id.hex}_1"
    page.date_input(key=f"{key}_due").set_value(TODAY + timedelta(days=5))
    next(button for button in page.button if button.label == "Re-date it").click().run()
    assert estate.one("select due_date - %s from app.actions", TODAY) == 5

    next(button for button in page.button if button.label == "Undo").click().run()

    browser.checked()
    assert estate.one("select due_date - %s from app.actions", TODAY) == 0


def test_a_single_snooze_that_came_too_late_tells_what_changed(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya)
    page = browser.sign_in(maya).open("actions")
    with estate.work() as db:
        service.edit_action(
            db,
            actor=estate.user("Harriet Cole", Role.ADMIN),
            now=NOW,
            action_id=action.action_id,
            expected_version=1,
            changes={"priority": "critical"},
            idempotency_key=a_key(),
        )
    key = f"move_{action.action_id.hex}_1"
    page.text_area(key=f"{key}_snooze_why:box").set_value("Their migration")

    next(button for button in page.button if button.label == "Snooze it").click().run()

    assert "priority is now critical" in page.warning[0].value.replace("\\", "")
    assert _statuses(estate) == ["new"]


@pytest.mark.parametrize("room", [355, 400, 560, 800, 1000])
def test_what_then_is_stands_in_sight_however_narrow_the_preview(room: int) -> None:
    wide = action_bulk.widths(room)

    assert list(wide)[-1] == "after"
    assert sum(wide.values()) <= room
    assert wide["after"] >= 130
    assert ("account" in wide) is (room >= 560)


def test_taking_the_next_gives_the_gravest_opens_it_and_can_be_undone(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    harriet = estate.user("Harriet Cole", Role.ADMIN)
    estate.action(actor=harriet, title="Low one", priority="low")
    estate.action(actor=harriet, title="Grave one", priority="critical")
    page = browser.sign_in(maya).open("actions", who="unassigned")

    page.button(key="claim_next").click().run()

    browser.checked()
    assert estate.one("select title from app.actions where owner_user_id = %s", maya.user_id) == "Grave one"
    assert any("Yours now" in one.value and "Grave one" in one.value for one in page.markdown)
    assert "**Grave one**" in texts(page)
    next(button for button in page.button if button.label == "Undo").click().run()
    assert any("Undone" in one.value for one in browser.checked().success)
    assert estate.one("select count(*) from app.actions where owner_user_id is not null") == 0
    for _ in range(3):
        page.button(key="claim_next").click().run()
    assert any("queue is empty" in one.value for one in browser.checked().success)


def test_one_action_of_the_queue_can_be_taken_where_it_is_open(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=estate.user("Harriet Cole", Role.ADMIN))
    page = browser.sign_in(maya).open("actions", action=str(action.action_id))

    next(button for button in page.button if button.label == "Take it").click().run()

    browser.checked()
    assert estate.one("select owner_user_id from app.actions") == maya.user_id
    assert "Take it" not in labels(page)


def test_a_row_that_is_ticked_alone_can_be_opened_without_a_mouse(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    _two(estate, maya)
    page = _tick(browser.sign_in(maya).open("actions"), 1)

    page.button(key="bulk_open").click().run()

    browser.checked()
    assert "**Number 3**" in texts(page)
    assert "ticked" not in texts(page)
