"""Outcomes: the funnel, the table by what is chosen, and what is not said for want of cases."""

from app.auth import Identity
from app.suggestions.rates import Rate
from app.ui.figures import rate
from tests.app.factories import Estate, key_of
from tests.app.test_suggestions import DROP, accept, evaluate, raised
from tests.pages.conftest import Browser, texts


def test_what_was_suggested_is_counted_by_rule_and_by_what_is_chosen(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    estate.account("Birch Logistics", segment="Mid-market")
    estate.health(key_of("Birch Logistics"), DROP)
    estate.publish()
    evaluate(estate)
    accept(estate, maya, raised(estate, maya)[0])

    page = browser.sign_in(maya).open("outcomes")

    (table,) = [one.value for one in page.dataframe]
    assert table.loc[0, ["group", "raised", "accepted"]].tolist() == ["R1 Health drop", 1, 1]
    assert table.loc[0, "acceptance"] == "1 of 30 needed"
    assert "held out to compare with" in texts(page)

    page.segmented_control(key="by").set_value("segment").run()
    assert browser.checked().dataframe[0].value.loc[0, "group"] == "Mid-market"


def test_before_anything_was_decided_the_page_says_what_comes(browser: Browser, estate: Estate, maya: Identity) -> None:
    estate.publish()

    page = browser.sign_in(maya).open("outcomes")

    assert "Nothing was suggested or closed in the last 90 days" in texts(page)
    assert not page.dataframe


def test_a_share_of_too_few_says_how_many_are_missing() -> None:
    assert rate(Rate(5, 12)) == "12 of 30 needed"
    assert rate(Rate(0, 0)) == "–"
    assert rate(Rate(30, 60)) == "50% (38–62%)"
