"""Assignments: the queue, the plan, and moving work."""

from datetime import timedelta

import pytest
import streamlit as st

from app.actions import service
from app.actions.model import ActionFilter
from app.auth import Identity, Role
from app.ui import assignment
from tests.app.factories import NOW, Estate
from tests.pages.conftest import Browser, texts


@pytest.fixture
def harriet(estate: Estate) -> Identity:
    """An admin over one published account."""
    estate.publish()
    estate.account()
    return estate.user("Harriet Cole", Role.ADMIN)


def test_the_queue_holds_what_nobody_owns_and_what_is_late(browser: Browser, estate: Estate, harriet: Identity) -> None:
    maya = estate.user("Maya Lind")
    estate.action(actor=harriet, title="For nobody yet")
    late = estate.action(actor=maya, title="Late already", due_date=NOW.date())
    estate.admin.execute(
        "update app.actions set due_date = %s where action_id = %s", [NOW.date() - timedelta(days=7), late.action_id]
    )

    page = browser.sign_in(harriet).open("assignments")

    assert page.dataframe[0].value["title"].tolist() == ["For nobody yet"]
    page.segmented_control(key="queue").set_value("overdue").run()
    assert page.dataframe[0].value["title"].tolist() == ["Late already"]


def test_an_empty_queue_is_said(browser: Browser, harriet: Identity) -> None:
    assert "Nothing is unassigned" in texts(browser.sign_in(harriet).open("assignments"))


def test_the_plan_shows_the_load_before_and_after_for_both_sides(estate: Estate, harriet: Identity) -> None:
    maya, tom = estate.user("Maya Lind"), estate.user("Tom Okafor")
    for _ in range(3):
        estate.action(actor=maya)
    with estate.work() as db:
        load = service.workload(db, now=NOW)
        ticked = service.list_actions(db, filter=ActionFilter(owner_user_id=maya.user_id))[:2]

    lines = assignment.preview(ticked, load, tom.user_id, "Tom Okafor")

    assert lines == ["**Tom Okafor** 0 → **2** open", "Maya Lind 3 → **1** open"]
    assert assignment.preview(ticked, load, maya.user_id, "Maya Lind")[-1] == ":gray[2 actions already there]"


def test_ticked_actions_go_to_the_person_chosen(
    browser: Browser, estate: Estate, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    tom = estate.user("Tom Okafor")
    for title in ("First", "Second"):
        estate.action(actor=harriet, title=title, due_date=NOW.date())
    # AppTest cannot tick rows
    monkeypatch.setattr(st, "dataframe", lambda *_, **__: {"selection": {"rows": [0, 1]}})
    page = browser.sign_in(harriet).open("assignments")

    page.selectbox(key="give_to").select(str(tom.user_id)).run()
    assert "**Tom Okafor** 0 → **2** open" in texts(page)
    page.button(key="reassign").click().run()

    browser.checked()
    assert estate.one("select count(*) from app.actions where owner_user_id = %s", tom.user_id) == 2
    assert any("2 actions reassigned" in toast.value for toast in page.toast)
