"""`make screenshots`: every page of the running demo as a person of its role sees it, for the README."""

import sys
from pathlib import Path

from bench.browser import CSM, chromium, framed, settle, sign_in
from local.state import Environment, State

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screens"
ADMIN = "harriet.cole@force24.example"
# name, person, address, text that shows that the page is complete
SHOTS = (
    ("my-day", CSM, "/pages/my-day", "Changed since yesterday"),
    ("accounts", CSM, "/pages/accounts?view=All", "In this selection"),
    ("account", CSM, "/pages/account?account={account}", "What moved it"),
    ("actions", CSM, "/pages/actions", "Measured outcome"),
    ("assignments", ADMIN, "/pages/assignments", "Load"),
)


def main(account_key: str) -> None:
    """Take all pictures at 1440 x 900; `account_key` is the account to show."""
    environment = Environment.existing(State.default())
    if environment is None:
        raise SystemExit("Nothing to photograph: make demo DETACH=1 first.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, person, path, complete in SHOTS:
            page = sign_in(browser, environment, person)
            page.goto(environment.variables["SITE"] + path.format(account=account_key))
            framed(page).get_by_text(complete).first.wait_for()
            settle(framed(page))
            page.wait_for_timeout(2_000)  # charts draw after their text
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(
            "Which account is to be shown? make screenshots ACCOUNT=<its key, from the address of its page>"
        )
    main(sys.argv[1])
