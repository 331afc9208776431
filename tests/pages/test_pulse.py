"""The pulse before a card: one tap, or none; nobody is asked twice, and only who is asked waits."""

import pytest
from streamlit.testing.v1 import AppTest

from app.auth import Role
from app.suggestions import service as suggestions
from tests.app.factories import NOW, Estate, key_of
from tests.pages.conftest import Browser, texts

KEY = key_of("Ashford Media")
QUESTION = "How does this account feel to you?"


@pytest.fixture
def suggested(estate: Estate) -> Estate:
    """Two suggestions on Maya's account: an invoice 40 days overdue, and nobody has spoken to them."""
    build = estate.publish()
    key = estate.account(overdue_invoice_count=1, oldest_overdue_days=40)
    estate.health(key, [80.0] * 10 + [60.0] * 3)
    estate.invoice(key)
    estate.user("Maya Lind")
    with estate.work() as db:
        suggestions.evaluate(db, now=NOW, build_id=build)
    assert estate.one("select count(*) from app.suggestions where status = 'generated'") == 2
    return estate


def accepts(page: AppTest) -> int:
    return [button.label for button in page.button].count("Accept")


def statuses(estate: Estate) -> set[str]:
    return {row[0] for row in estate.admin.execute("select status from app.suggestions")}


def test_one_tap_is_kept_and_shows_the_cards_of_the_account(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")
    assert texts(page).count(QUESTION) == 1, "once for an account, however much is suggested for it"
    assert (accepts(page), statuses(suggested)) == (0, {"generated"})

    page.segmented_control(key=f"pulse_{KEY}").set_value(4).run()

    assert accepts(browser.checked()) == 2
    assert QUESTION not in texts(page)
    assert statuses(suggested) == {"shown"}
    assert suggested.one("select score from app.account_pulses") == 4
    assert suggested.one("select answer from app.pulse_asks") == "given"
    page = browser.open("account", account=KEY)
    assert "pulse 4 of 5, today" in texts(page)


def test_skipping_shows_the_cards_at_once_and_a_reload_asks_no_more(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("my_day")

    page.button(key=f"pulse_skip_{KEY}").click().run()

    assert accepts(browser.checked()) == 2
    assert suggested.one("select count(*) from app.account_pulses") == 0
    assert accepts(browser.reload("my_day")) == 2


def test_who_walks_past_is_not_asked_again_that_day(browser: Browser, suggested: Estate) -> None:
    assert QUESTION in texts(browser.sign_in(suggested.user("Maya Lind")).open("account", account=KEY))

    assert accepts(browser.reload("my_day")) == 2
    assert suggested.one("select answer is null from app.pulse_asks")


def test_somebody_elses_account_asks_nobody(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Harriet Cole", Role.ADMIN)).open("my_day")

    assert accepts(page) == 2
    assert suggested.one("select count(*) from app.pulse_asks") == 0


def test_it_can_be_turned_off(browser: Browser, suggested: Estate) -> None:
    page = browser.sign_in(suggested.user("Maya Lind")).open("preferences")

    page.toggle(key="is_asked_pulse").set_value(False).run()

    browser.checked()
    assert accepts(browser.open("my_day")) == 2
