"""The one address that `make demo` prints: sign-in, pages in their frame, and the orchestrator for admins."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ADMIN, CSM, System

pytestmark = pytest.mark.e2e


def enter(browser: Browser, system: System, email: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
    page.goto(system.variables["SITE"])
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(system.password)
    page.keyboard.press("Enter")
    page.locator("iframe.is-ready").wait_for()
    return page


def test_one_address_serves_shell_pages_and_api(system: System, chromium: Browser) -> None:
    page = enter(chromium, system, CSM)
    expect(page.frame_locator("iframe").get_by_role("heading", name="My day")).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="Accounts").click()
    expect(page.frame_locator("iframe").get_by_text("In this selection")).to_be_visible()
    page.go_back()

    expect(page.frame_locator("iframe").get_by_role("heading", name="My day")).to_be_visible()
    assert page.evaluate("fetch('/api/session').then(answer => answer.json()).then(me => me.email)") == CSM
    refused = page.request.get(system.variables["ORCHESTRATOR_SITE"])
    assert refused.status == 401
    page.context.close()


def test_an_admin_gets_to_the_orchestrator_from_the_menu(system: System, chromium: Browser) -> None:
    page = enter(chromium, system, ADMIN)
    page.get_by_role("button", name="You: Harriet Cole").click()
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Orchestrator").click()
    orchestrator = opening.value  # straight on: who has just signed in has proven who they are

    orchestrator.wait_for_url(f"{system.variables['ORCHESTRATOR_SITE']}/**")
    expect(orchestrator.get_by_text("account_intelligence").first).to_be_visible(timeout=40_000)
    page.context.close()
