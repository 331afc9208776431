"""Editing an action: only what the person changed is changed, whatever else the form shows."""

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.actions import service
from app.actions.model import Action
from app.auth import Identity, Role
from app.ui.text import escaped
from tests.app.factories import NOW, Estate, a_key
from tests.pages.conftest import Browser, texts

LATE = NOW.date() - timedelta(days=9)


def _editing(browser: Browser, action: Action, who: Identity) -> AppTest:
    """The action with its form open."""
    page = browser.sign_in(who).open("actions", action=str(action.action_id))
    page.session_state[f"edit_{action.action_id.hex}_popover"] = True
    page.run()
    return browser.checked()


def _save(page: AppTest) -> None:
    next(button for button in page.button if str(button.key).endswith("_reason:send")).click().run()


def _stored(estate: Estate, *columns: str) -> Any:
    return estate.admin.execute(f"select {', '.join(columns)} from app.actions".encode()).fetchone()


@pytest.mark.parametrize("due", [LATE, None])
def test_a_corrected_title_leaves_an_overdue_or_missing_date_alone(
    browser: Browser, estate: Estate, maya: Identity, due: date | None
) -> None:
    action = estate.action(actor=maya, due_date=None)
    estate.admin.execute("update app.actions set due_date = %s, version = version + 1", [due])
    page = _editing(browser, action, maya)

    page.text_input(key=f"edit_{action.action_id.hex}_title").set_value("Call the new champion")
    _save(page)

    browser.checked()
    assert _stored(estate, "title", "due_date", "version") == ("Call the new champion", due, 3)


@pytest.fixture
def harriet(estate: Estate) -> Identity:
    return estate.user("Harriet Cole", Role.ADMIN)


def _meanwhile(estate: Estate, action: Action, who: Identity, version: int = 1, **changes: Any) -> None:
    """Somebody else's edit, at 10:05."""
    with estate.work() as db:
        service.edit_action(
            db,
            actor=who,
            now=NOW + timedelta(minutes=35),
            action_id=action.action_id,
            expected_version=version,
            changes=changes,
            idempotency_key=a_key(),
        )


def test_what_only_the_other_changed_stays_in_the_same_click_and_is_named(
    browser: Browser, estate: Estate, maya: Identity, harriet: Identity
) -> None:
    action = estate.action(actor=maya, priority="medium")
    page = _editing(browser, action, maya)
    _meanwhile(estate, action, harriet, priority="critical", due_date=None)
    page.text_input(key=f"edit_{action.action_id.hex}_title").set_value("Mine")

    _save(page)

    browser.checked()
    assert _stored(estate, "title", "priority", "version") == ("Mine", "critical", 3)
    assert any("Harriet changed priority to Critical; that stays." in toast.value for toast in page.toast)


def test_what_both_changed_stands_side_by_side_and_waits_for_a_choice(
    browser: Browser, estate: Estate, maya: Identity, harriet: Identity
) -> None:
    action = estate.action(actor=maya, priority="medium", reason="Their call")
    page, key = _editing(browser, action, maya), f"edit_{action.action_id.hex}"
    _meanwhile(
        estate, action, harriet, title="Theirs [x](y)", priority="critical", reason="Her reason", stakeholder="Jo"
    )
    page.text_input(key=f"{key}_title").set_value("Mine")
    page.selectbox(key=f"{key}_priority").set_value("high")
    page.text_area(key=f"{key}_reason:box").set_value("My reason")

    _save(page)

    browser.checked()
    assert _stored(estate, "title", "version") == ("Theirs [x](y)", 2)
    shown = texts(page)
    assert "**Harriet changed the same meanwhile.** Choose what stays, then save." in shown
    assert f":small[:gray[Harriet, 10:05:]]  \n{escaped('Theirs [x](y)')}" in shown
    assert ":small[:gray[yours:]]  \nMine" in shown
    assert "Harriet changed stakeholder to Jo; that stays." in shown
    assert page.selectbox(key=f"{key}_stakeholder").value == "Jo"
    assert page.text_input(key=f"{key}_title").value == "Mine"
    send = next(button for button in page.button if str(button.key) == f"{key}_reason:send")
    assert (send.disabled, send.help) == (True, "choose first: priority, title, why now")

    page.segmented_control(key=f"{key}_pick_title").set_value("Keep mine").run()
    page.segmented_control(key=f"{key}_pick_priority").set_value("Take theirs").run()
    assert page.selectbox(key=f"{key}_priority").value == "critical"
    page.segmented_control(key=f"{key}_pick_reason").set_value("Take theirs").run()
    assert page.text_area(key=f"{key}_reason_instead:box").value == "Her reason"
    page.button(key=f"{key}_reason_instead:send").click().run()

    browser.checked()
    assert _stored(estate, "title", "priority", "reason", "stakeholder", "version") == (
        "Mine",
        "critical",
        "Her reason",
        "Jo",
        3,
    )


def test_a_choice_can_be_changed_and_what_was_typed_comes_back(
    browser: Browser, estate: Estate, maya: Identity, harriet: Identity
) -> None:
    action = estate.action(actor=maya)
    page, key = _editing(browser, action, maya), f"edit_{action.action_id.hex}"
    _meanwhile(estate, action, harriet, title="Theirs")
    page.text_input(key=f"{key}_title").set_value("Mine")
    _save(page)

    page.text_input(key=f"{key}_title").set_value("Mine, better").run()
    page.segmented_control(key=f"{key}_pick_title").set_value("Take theirs").run()
    assert page.text_input(key=f"{key}_title").value == "Theirs"
    page.segmented_control(key=f"{key}_pick_title").set_value("Keep mine").run()

    assert page.text_input(key=f"{key}_title").value == "Mine, better"


def test_a_second_conflict_is_met_like_the_first(
    browser: Browser, estate: Estate, maya: Identity, harriet: Identity
) -> None:
    action = estate.action(actor=maya, priority="medium")
    page, key = _editing(browser, action, maya), f"edit_{action.action_id.hex}"
    _meanwhile(estate, action, harriet, title="Theirs")
    page.text_input(key=f"{key}_title").set_value("Mine")
    _save(page)
    page.segmented_control(key=f"{key}_pick_title").set_value("Keep mine").run()
    _meanwhile(estate, action, estate.user("Ben Amos", Role.ADMIN), 2, title="A third")

    _save(page)

    assert _stored(estate, "title") == ("A third",)
    assert "Ben, 10:05:]]  \nA third" in texts(browser.checked())
    assert page.segmented_control(key=f"{key}_pick_title").value is None
    page.segmented_control(key=f"{key}_pick_title").set_value("Keep mine").run()
    _meanwhile(estate, action, harriet, 3, priority="low")
    _save(page)
    assert _stored(estate, "title", "priority", "version") == ("Mine", "low", 5)


def test_the_other_may_be_oneself_in_another_window(browser: Browser, estate: Estate, maya: Identity) -> None:
    action = estate.action(actor=maya)
    page, key = _editing(browser, action, maya), f"edit_{action.action_id.hex}"
    _meanwhile(estate, action, maya, title="Elsewhere")
    page.text_input(key=f"{key}_title").set_value("Here")

    _save(page)

    assert "You, in another window, 10:05:]]  \nElsewhere" in texts(browser.checked())


def test_an_edit_outlives_a_reload_and_meets_what_was_changed_meanwhile(
    browser: Browser, estate: Estate, maya: Identity, harriet: Identity
) -> None:
    action = estate.action(actor=maya, priority="medium")
    page, key = _editing(browser, action, maya), f"edit_{action.action_id.hex}"
    page.text_input(key=f"{key}_title").set_value("Mine").run()
    _meanwhile(estate, action, harriet, title="Theirs", priority="low")

    page = browser.reload("actions", action=str(action.action_id))
    page.session_state[f"{key}_popover"] = True
    page.run()
    browser.give_back(f"edit-action:{action.action_id}")

    assert page.text_input(key=f"{key}_title").value == "Mine"
    assert page.selectbox(key=f"{key}_priority").value == "low"
    _save(page)
    assert "Harriet, 10:05:]]  \nTheirs" in texts(browser.checked())
    page.segmented_control(key=f"{key}_pick_title").set_value("Keep mine").run()
    _save(page)
    browser.checked()
    assert _stored(estate, "title", "priority") == ("Mine", "low")
    assert browser.kept == {}


def test_a_cut_off_link_says_so_and_opens_nobody_elses_action(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, title="Somebody else's worry")

    page = browser.sign_in(maya).open("actions", action="7f3c-cut-off")

    assert "does not exist" in texts(page)
