"""Editing an action: only what the person changed is changed, whatever else the form shows."""

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.actions import service
from app.actions.model import Action
from app.auth import Identity, Role
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


def test_after_a_conflict_saving_again_changes_only_what_the_person_typed(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    action = estate.action(actor=maya, priority="medium")
    page = _editing(browser, action, maya)
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
    page.text_input(key=f"edit_{action.action_id.hex}_title").set_value("Mine")

    _save(page)
    assert _stored(estate, "title", "priority") == ("Call the champion", "critical")
    assert page.selectbox(key=f"edit_{action.action_id.hex}_priority").value == "critical"
    assert page.text_input(key=f"edit_{action.action_id.hex}_title").value == "Mine"
    _save(page)

    browser.checked()
    assert _stored(estate, "title", "priority", "version") == ("Mine", "critical", 3)


def test_a_cut_off_link_says_so_and_opens_nobody_elses_action(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.action(actor=maya, title="Somebody else's worry")

    page = browser.sign_in(maya).open("actions", action="7f3c-cut-off")

    assert "does not exist" in texts(page)
