"""`make screenshots`: every page of the running demo as a person of its role sees it, for the README."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.browser import CSM
from local.state import Environment, State

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screens"
ADMIN = "harriet.cole@force24.example"
# name, person, address, text that shows that the page is complete
SHOTS = (
    ("my-day", CSM, "/", "Changed since yesterday"),
    ("accounts", CSM, "/accounts?view=All", "In this selection"),
    ("account", CSM, "/account?account={account}", "What moved it"),
    ("actions", CSM, "/actions", "Measured outcome"),
    ("assignments", ADMIN, "/assignments", "Load"),
)


def main(account_key: str) -> None:
    """Take all pictures at 1440 x 900; `account_key` is the account to show."""
    environment = Environment.existing(State.default())
    if environment is None:
        raise SystemExit("Nothing to photograph: make demo DETACH=1 first.")
    url = environment.variables
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for name, person, path, complete in SHOTS:
            page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
            page.set_default_timeout(30_000)
            page.goto(url["STREAMLIT_URL"])
            page.get_by_label("E-mail").fill(person)
            page.get_by_label("Password", exact=True).fill(url["DEMO_PASSWORD"])
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("link", name="Accounts", exact=True).wait_for()
            page.goto(url["STREAMLIT_URL"] + path.format(account=account_key))
            page.get_by_text(complete).first.wait_for()
            page.wait_for_timeout(2_000)  # charts draw after their text
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
