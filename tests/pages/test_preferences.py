"""Preferences: stored as they are chosen, refused with the choice put back, and a password that ends other sessions."""

import pytest

from app.auth import Identity, Role, resolve
from app.ui import preferences, regions
from tests.app.factories import NOW, PASSWORD, Estate
from tests.pages.conftest import Browser, texts

NEW_PASSWORD = "other words in a row"


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM before the first build."""
    return estate.user("Maya Lind")


def test_a_choice_is_stored_at_once_and_said(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = browser.sign_in(maya).open("preferences")

    page.segmented_control(key="digest").set_value("weekly").run()
    page.selectbox(key="holiday_region").select("DE-BY").run()
    page.selectbox(key="time_zone").select("Europe/Berlin").run()
    page.toggle(key="has_notice_mail").set_value(False).run()

    browser.checked()
    stored = estate.admin.execute(
        "select digest, holiday_region, time_zone, has_notice_mail from app.users where user_id = %s", [maya.user_id]
    ).fetchone()
    assert stored == ("weekly", "DE-BY", "Europe/Berlin", False)
    assert any("Saved" in toast.value for toast in page.toast)
    assert "10:30 on Friday" in texts(page)


def test_everybody_has_preferences_analysts_too(browser: Browser, estate: Estate) -> None:
    alex = estate.user("Alex Stone", Role.ANALYST)

    page = browser.sign_in(alex).open("preferences")

    assert "What you are told" in texts(page)


def test_the_menu_of_the_person_leads_there(browser: Browser, maya: Identity) -> None:
    page = browser.sign_in(maya).open("accounts")

    page.menu_button(key="person_menu").click("Preferences").run()

    assert "# Preferences" in texts(browser.checked())


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    elsewhere = Browser(estate).sign_in(maya).token
    page = browser.sign_in(maya).open("preferences")
    page.text_input(key="password_now").set_value(PASSWORD)
    page.text_input(key="password_new").set_value(NEW_PASSWORD)
    page.text_input(key="password_again").set_value(NEW_PASSWORD)

    next(button for button in page.button if button.label == "Change password").click().run()

    browser.checked()
    assert any("password is changed" in toast.value for toast in page.toast)
    assert page.text_input(key="password_new").value == ""
    with estate.work() as db:
        assert resolve(db, token=elsewhere, now=NOW) is None
        assert resolve(db, token=browser.token, now=NOW) is not None


@pytest.mark.parametrize(
    ("now", "new", "again", "told"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "current password is wrong"),
        (PASSWORD, NEW_PASSWORD, "something else here", "two new passwords differ"),
        (PASSWORD, "short", "short", "needs at least"),
    ],
)
def test_a_password_that_cannot_be_taken_is_told_and_what_was_typed_stays(
    browser: Browser, maya: Identity, now: str, new: str, again: str, told: str
) -> None:
    page = browser.sign_in(maya).open("preferences")
    for key, value in (("password_now", now), ("password_new", new), ("password_again", again)):
        page.text_input(key=key).set_value(value)

    next(button for button in page.button if button.label == "Change password").click().run()

    browser.checked()
    assert told in texts(page).replace("\\", "")
    assert page.text_input(key="password_new").value == new


def test_regions_are_called_by_their_names() -> None:
    assert regions.region_name("GB-SCT") == "United Kingdom: Scotland (GB-SCT)"
    assert regions.region_name("US") == "United States (US)"
    assert regions.region_name("XX") == "XX"
    assert [name for _, name in regions.next_holidays("GB-ENG", after=NOW.date(), count=1)] == ["Christmas Day"]


def test_a_button_pressed_by_hand_without_its_fields_is_refused_in_words(
    browser: Browser, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.sign_in(estate.user()).open("preferences")
    monkeypatch.setattr(preferences.st, "text_input", lambda *_, **__: None)
    page.run()

    next(button for button in page.button if button.label == "Change password").click().run()

    assert page.error
    browser.checked()
