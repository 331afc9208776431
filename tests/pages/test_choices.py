"""What an address means is taken in any case of its letters, and by code or by what is shown."""

import ast

from app.auth import Identity, Role
from tests.app.factories import Estate, key_of
from tests.pages.conftest import Browser, texts
from tests.pages.test_rules_of_the_room import FACE


def test_an_address_in_other_letters_opens_the_same_rows(browser: Browser, estate: Estate) -> None:
    estate.publish()
    estate.account("Ashford Media", health_band="R", last_contact_date=None)
    estate.account("Borea Energy", health_band="R", csm_email="tom.okafor@force24.example", csm_name="Tom Okafor")
    browser.sign_in(estate.user("Alex Stone", Role.ANALYST))

    page = browser.open("accounts", view="SILENT", band=["r", "–"], owner="maya lind")

    assert page.segmented_control(key="view").value == "silent"
    assert page.session_state["band"] == ["R", "–"]
    assert page.dataframe[0].value["account"].tolist() == ["Ashford Media"]


def test_a_choice_is_not_taken_back_by_the_address_that_was_opened(browser: Browser, maya: Identity) -> None:
    page = browser.sign_in(maya).open("actions", **{"as": "BOARD", "due": "OVERDUE"})
    opened = page.segmented_control(key="as").value

    page.segmented_control(key="as").set_value("calendar").run()
    page.run()

    assert (opened, page.segmented_control(key="as").value) == ("board", "calendar")
    assert page.session_state["due"] == "Overdue"


def test_a_tab_is_opened_by_its_name_in_any_letters(browser: Browser, maya: Identity) -> None:
    page = browser.sign_in(maya).open("account", account=key_of("Ashford Media"), tab="money")

    assert "Next renewal" in texts(page)


def test_no_choice_of_an_address_is_drawn_past_this() -> None:
    drawn = {
        f"{path.stem}: {call.func.attr}"
        for path in FACE
        if path.stem != "choices"
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("segmented_control", "pills", "tabs", "radio", "multiselect")
        and "bind" in {keyword.arg for keyword in call.keywords}
    }

    assert drawn == set()
