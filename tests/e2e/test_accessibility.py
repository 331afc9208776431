"""Every page, for who uses it, in both themes: no violation of axe's rules that keeps somebody out."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ADMIN, ANALYST, CSM, System

ACCOUNT = "account?account={account}"
PAGES = {
    CSM: (ACCOUNT, "my-day", "accounts", "actions", "actions?as=board", "actions?as=calendar", "inbox", "preferences"),
    ADMIN: (ACCOUNT, "assignments", "settings", "settings?part=types", "settings?part=audit"),
    ANALYST: ("outcomes", "trust", "explore", "sql", "proof?mart=dim_accounts&column=mrr_eur&key={account}"),
}


def barriers(page: Page, scheme: str) -> list[dict[str, Any]]:
    """What axe finds beyond a nuisance: rule, gravity, and where. In the dark only colours differ."""
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
    return [
        {"rule": one["id"], "impact": one["impact"], "where": [node["target"] for node in one["nodes"][:3]]}
        for one in Axe().run(page, options=rules).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("email", PAGES)
def test_no_page_keeps_anybody_out(system: System, chromium: Browser, email: str, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    page = context.new_page()
    page.goto(system.url)
    page.get_by_label("E-mail").wait_for()
    found = {"sign-in": barriers(page, scheme)}
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Actions", exact=True).first).to_be_visible()
    (account_key,) = system.sql("select account_key from marts.dim_accounts where is_active order by 1 limit 1")[0]

    for path in PAGES[email]:
        page.goto(f"{system.url}/{path.format(account=account_key)}")
        page.get_by_test_id("stAppViewContainer").wait_for()
        expect(page.locator("[data-test-script-state='notRunning']")).to_be_attached()
        page.wait_for_timeout(1_500)  # tables and pictures are drawn after the script has ended
        found[path] = barriers(page, scheme)
    context.close()

    assert {path: list_ for path, list_ in found.items() if list_} == {}
