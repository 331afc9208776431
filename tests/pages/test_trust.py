"""Trust: the verdict, each source with what rests on it, and what was refused."""

from datetime import timedelta

from app.auth import Identity
from tests.app.factories import NOW, Estate
from tests.pages.conftest import Browser, texts


def test_a_source_behind_its_promise_is_named_with_the_rules_that_wait_for_it(
    browser: Browser, estate: Estate, maya: Identity
) -> None:
    estate.loads()
    estate.load("stripe", "invoices", "succeeded", NOW - timedelta(hours=2))
    estate.load("zendesk", "tickets", "succeeded", NOW - timedelta(hours=80))
    estate.load("zendesk", "tickets", "failed", NOW)

    page = browser.sign_in(maya).open("trust")

    assert "**Zendesk \\(support\\)** is behind the promise of 26 hours" in texts(page)
    sources = page.dataframe[0].value.set_index("source")
    assert sources.loc["Zendesk (support)", ["state", "rules"]].tolist() == [["Stale"], "R5"]
    assert sources.loc["Stripe (billing)", ["state", "rules"]].tolist() == [["Fresh"], "R7, R8, R10, R12"]
    assert "Nothing waits in quarantine" in texts(page)

    page.segmented_control(key="source").set_value("stripe").run()
    streams = browser.checked().dataframe[1].value
    assert streams["stream"].tolist() == ["Stripe (billing), invoices"]


def test_before_the_first_load_the_page_says_so(browser: Browser, estate: Estate, maya: Identity) -> None:
    page = browser.sign_in(maya).open("trust")

    assert "not been" in texts(page) or "No " in texts(page)
    assert not page.dataframe
