"""`make screenshots`: every page of the running demo as a person of its role sees it, for the README."""

import sys
from pathlib import Path

from PIL import Image

from app.explore.question import Dimension, Function, Measure, Question, Unit, View
from bench.browser import CSM, chromium, framed, settle, sign_in
from local.state import Environment, State

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screens"
ADMIN = "harriet.cole@force24.example"
OTHER_CSM = "jonas.weber@force24.example"  # with suggestions of several rules
REVENUE = Question(
    mart="fct_mrr_movements",
    groups=(Dimension(column="movement_month", unit=Unit.MONTH),),
    measures=(Measure(function=Function.SUM, column="amount_eur"),),
    split=Dimension(column="movement_type"),
    view=View.BAR,
)
# name, person, address, text that shows that the page is complete
SHOTS = (
    ("my-day", OTHER_CSM, "/pages/my-day", "Changed since yesterday"),
    ("accounts", CSM, "/pages/accounts?view=All", "In this selection"),
    ("explore", ADMIN, f"/pages/explore?question={REVENUE.token()}", "Click a mark"),
    ("report", ADMIN, "/pages/reports?report=bridge", "NRR of the period"),
    ("rules", ADMIN, "/pages/settings?part=Rules&rule=R2", "What did it do"),
    ("trust", ADMIN, "/pages/trust", "What rests on what"),
    ("account", CSM, "/pages/account?account={account}", "What moved it"),
    ("actions", CSM, "/pages/actions", "Measured outcome"),
    ("assignments", ADMIN, "/pages/assignments?queue=All+open", "Load"),
)


def main(account_key: str) -> None:
    """Take all pictures at 1440 x 900, in 256 colours; `account_key` is the account to show."""
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
            taken = FOLDER / f"{name}.png"
            page.screenshot(path=taken)
            with Image.open(taken) as picture:
                picture.convert("RGB").quantize(256).save(taken, optimize=True)
            page.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(
            "Which account is to be shown? make screenshots ACCOUNT=<its key, from the address of its page>"
        )
    main(sys.argv[1])
