"""Every page, for who uses it, in both themes: no violation of axe's rules that keeps somebody out."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ADMIN, ANALYST, CSM, System

ACCOUNT = "account?account={account}"
PAGES = {
    CSM: (ACCOUNT, "my-day", "accounts", "actions", "actions?as=board", "actions?as=calendar", "inbox", "preferences"),
    ADMIN: (ACCOUNT, "assignments", "settings", "settings?part=types", "settings?part=audit"),
    ANALYST: (
        "outcomes",
        "reports",
        "reports?report=migration",
        "trust",
        "explore",
        "sql",
        "definitions",
        "proof?mart=dim_accounts&column=mrr_eur&key={account}",
    ),
}


def barriers(page: Page, path: str, *, scheme: Literal["light", "dark"] = "light") -> list[dict[str, Any]]:
    """What axe finds beyond a nuisance: page, rule, and where. In the dark only colours differ."""
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
    return [
        {"page": path, "scheme": scheme, "rule": one["id"], "where": [node["target"] for node in one["nodes"][:3]]}
        for one in Axe().run(page, options=rules).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def drawn(page: Page) -> None:
    """Wait until tables and pictures stand: they are drawn after the script has ended."""
    expect(page.locator("[data-test-script-state='notRunning']")).to_be_attached()
    page.wait_for_timeout(1_200)


@pytest.mark.parametrize("email", PAGES)
def test_no_page_keeps_anybody_out(system: System, chromium: Browser, email: str) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, color_scheme="light")
    page = context.new_page()
    page.goto(system.url)
    page.get_by_label("E-mail").wait_for()
    found = barriers(page, "sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Actions", exact=True).first).to_be_visible()
    (account_key,) = system.sql("select account_key from marts.dim_accounts where is_active order by 1 limit 1")[0]

    for path in PAGES[email]:
        page.goto(f"{system.url}/{path.format(account=account_key)}")
        page.get_by_test_id("stAppViewContainer").wait_for()
        drawn(page)
        found += barriers(page, path)
        if "?" in path and email != CSM:
            continue  # what is drawn otherwise only by what it is about has been looked at in the dark already
        page.emulate_media(color_scheme="dark")
        page.reload()
        page.get_by_test_id("stAppViewContainer").wait_for()
        drawn(page)
        dark = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        assert sum(map(int, re.findall(r"\d+", page.evaluate(dark))[:3])) < 200, "the page did not turn dark"
        found += barriers(page, path, scheme="dark")
        page.emulate_media(color_scheme="light")
    context.close()

    assert found == []
