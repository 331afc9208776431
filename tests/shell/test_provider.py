"""Sign-in by the company's identity provider in a real Chromium, through the front door: away, and back."""

import time

from playwright.sync_api import Page, expect

from app.auth import Identity
from tests.api.provider import Provider
from tests.app.factories import Estate
from tests.shell.conftest import Opened
from tests.shell.test_shell import shows

BUTTON = "Sign in with Example SSO"


def goes_to_the_provider(page: Page, provider: Provider) -> None:
    page.get_by_role("link", name=BUTTON).click()
    page.wait_for_url(f"{provider.address}/**")


def test_who_signs_in_by_the_provider_comes_back_to_the_page_they_asked_for(
    opened: Opened, provider: Provider, maya: Identity
) -> None:
    provider.claims = {"email": maya.email, "auth_time": int(time.time()) - 3_600}
    page = opened(None, "/pages/accounts?band=R")

    goes_to_the_provider(page, provider)
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    page.get_by_role("button", name="Continue").click()

    shows(page, "Accounts", "/pages/accounts?band=R")
    expect(page.get_by_role("button", name="You: Maya Lind")).to_be_visible()
    kept = {one.get("name"): one for one in page.context.cookies() if "account_intelligence" in one.get("name", "")}
    assert "account_intelligence_attempt" not in kept
    assert kept["account_intelligence_session"].get("httpOnly")
    assert "account_intelligence_session" not in page.evaluate("document.cookie")


def test_a_fresh_proof_by_the_provider_leads_back_to_what_needed_it(
    opened: Opened, origin: str, provider: Provider, estate: Estate
) -> None:
    who = estate.user("Paula Proof")
    provider.claims = {"email": who.email, "auth_time": int(time.time()) - 3_600}
    page = opened(None, "/security")
    goes_to_the_provider(page, provider)
    page.get_by_role("button", name="Continue").click()

    def makes_a_token() -> None:
        page.get_by_label("New token for").fill("Reporting")
        page.get_by_role("button", name="Make a token").click()

    makes_a_token()  # signed in there an hour ago: not recent here
    goes_to_the_provider(page, provider)
    expect(page.get_by_role("heading", name="Prove that it is you")).to_be_visible()
    provider.claims = {"email": who.email, "auth_time": int(time.time())}
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{origin}/security")
    makes_a_token()

    expect(page.locator("app-tokens .secret")).to_contain_text("ait_")


def test_somebody_the_provider_knows_and_we_do_not_is_told_so(opened: Opened, provider: Provider) -> None:
    provider.claims = {"email": "stranger@elsewhere.example"}
    page = opened(None, "/pages/accounts")

    goes_to_the_provider(page, provider)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("alert")).to_contain_text("Nobody here has the address")
    assert "account_intelligence_session" not in {one.get("name") for one in page.context.cookies()}
