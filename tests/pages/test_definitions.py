"""The definitions of all numbers, to search and to link to."""

from app.auth import Role
from tests.app.factories import Estate
from tests.pages.conftest import Browser, texts


def test_a_definition_that_the_address_names_stands_first_and_a_search_narrows_the_list(
    browser: Browser, estate: Estate
) -> None:
    tab = browser.sign_in(estate.user("Alex Stone", Role.ANALYST))
    tab.page.query_params["metric"] = "nrr"

    page = tab.open_address("definitions")

    [named] = [one.value for one in page.markdown if one.value.startswith("**NRR** ")]
    order = [one.value for one in page.markdown]
    assert order.index(named) < next(place for place, text in enumerate(order) if text.startswith("| Number"))
    assert "fct_revenue_retention_monthly.nrr_ratio" in texts(page)
    assert "Seat use" in texts(page)

    page.text_input(key="find").set_value("held out").run()

    assert "Cleared, held out" in texts(page)
    assert "Seat use" not in texts(page)


def test_a_search_that_finds_nothing_says_so(browser: Browser, estate: Estate) -> None:
    tab = browser.sign_in(estate.user("Maya Lind", Role.CSM))
    page = tab.open_address("definitions")

    page.text_input(key="find").set_value("<b>zebra</b>").run()

    assert "No definition has" in texts(page)
