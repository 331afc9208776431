"""Nobody sees a page without a live session, and the session is asked for on every rerun."""

import pytest

from app import auth, tickets
from app.auth import Door, Role
from app.ui import navigation
from tests.app.factories import NOW, PASSWORD, Estate
from tests.pages.conftest import Browser, labels, texts


@pytest.mark.parametrize("address", [place.address for place in navigation.PLACES])
def test_z02_an_anonymous_visitor_sees_only_the_sign_in_form_at_every_address(
    browser: Browser, estate: Estate, address: str
) -> None:
    estate.publish()
    estate.account("Ashford Media")

    browser.page.query_params["account"] = "anything"
    page = browser.open_address(address)

    assert labels(page) == ["Sign in"]
    assert not page.dataframe
    assert "Ashford" not in texts(page)


def test_a15_wrong_credentials_give_one_sentence_that_does_not_tell_which_half_was_wrong(
    browser: Browser, estate: Estate
) -> None:
    estate.user("Maya Lind")
    said = []

    for email, password in (("maya.lind@force24.example", "wrong"), ("nobody@force24.example", PASSWORD)):
        page = browser.page.run()
        page.text_input[0].set_value(email)
        page.text_input[1].set_value(password)
        page.button[0].click().run()
        said.append(page.error[0].value)

    assert said[0] == said[1]
    assert "wrong" in said[0]


def test_right_credentials_hand_the_browser_a_ticket_for_a_session_that_is_in_the_table(
    browser: Browser, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.user("Maya Lind")
    handed = []
    monkeypatch.setattr("app.ui.session_component._component", lambda: lambda **given: handed.append(given["data"]))
    page = browser.page.run()

    page.text_input[0].set_value("Maya.Lind@force24.example")
    page.text_input[1].set_value(PASSWORD)
    page.button[0].click().run()

    assert [data["step"] for data in handed] == ["redeem"]
    with estate.work() as db:
        token = tickets.redeem(db, ticket=handed[0]["ticket"], door=Door.PRODUCT, now=NOW)
        identity = auth.resolve(db, token=token, now=NOW)
        again = tickets.redeem(db, ticket=handed[0]["ticket"], door=Door.PRODUCT, now=NOW)
    assert identity is not None
    assert identity.display_name == "Maya Lind"
    assert again is None


def test_a_password_is_checked_exactly_as_typed_spaces_included(browser: Browser, estate: Estate) -> None:
    estate.user("Maya Lind")
    page = browser.page.run()

    page.text_input[0].set_value("maya.lind@force24.example")
    page.text_input[1].set_value(f" {PASSWORD}")
    page.button[0].click().run()

    assert page.error


def test_a05_a_session_that_is_ended_elsewhere_is_gone_at_the_next_rerun(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    page = browser.sign_in(maya).open("my_day")
    assert "My day" in texts(page)

    with estate.work() as db:
        auth.end_sessions(db, user_id=maya.user_id, now=NOW)
    page.run()

    assert labels(page) == ["Sign in"]


def test_a05_a_click_on_a_dead_session_writes_nothing(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    estate.account()
    action = estate.action(actor=maya)
    page = browser.sign_in(maya).open("actions", action=str(action.action_id))
    move = next(button for button in page.button if button.label == "In progress")

    with estate.work() as db:
        auth.end_sessions(db, user_id=maya.user_id, now=NOW)
    move.click().run()

    assert estate.one("select status from app.actions") == "new"
    assert labels(page) == ["Sign in"]


def test_signing_out_ends_the_session_on_the_server(browser: Browser, estate: Estate) -> None:
    maya = estate.user("Maya Lind")
    estate.publish()
    page = browser.sign_in(maya).open("my_day")

    page.menu_button(key="person_menu").click("Sign out").run()

    assert estate.one("select count(*) from app.sessions where revoked_at is null") == 0


def test_z13_a_page_of_another_role_is_a_sentence_and_not_its_content(browser: Browser, estate: Estate) -> None:
    estate.publish()
    page = browser.sign_in(estate.user("Maya Lind")).open("assignments")

    assert "administrators" in texts(page)
    assert not page.dataframe


def test_each_role_lands_on_its_own_page(browser: Browser, estate: Estate) -> None:
    estate.publish()
    for name, role, heading in (
        ("Maya Lind", Role.CSM, "# My day"),
        ("Harriet Cole", Role.ADMIN, "# Assignments"),
        ("Alex Stone", Role.ANALYST, "# Accounts"),
    ):
        tab = Browser(estate).sign_in(estate.user(name, role))
        browser.token = tab.token
        page = tab.page.run()
        assert any(str(element.value).startswith(heading) for element in page.markdown), name
