"""How fast it feels: page switches and writes in Chromium on the running demo, from click to content."""

import itertools
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from bench.report import Figure
from local.state import Environment


@dataclass(frozen=True)
class Target:
    """A page: what is clicked to go there, in a round of a number, and what stands only in its loaded content."""

    link: Callable[[Page, int], Locator]
    content: Callable[[Page], Locator]


def _in_navigation(name: str) -> Callable[[Page, int], Locator]:
    return lambda page, _: page.get_by_role("link", name=name, exact=True)


def _an_account(page: Page, number: int) -> Locator:
    """One of the accounts that My day names, another one each round."""
    links = page.locator("a[href*='account?account=']")
    links.first.wait_for()
    return links.nth(number % links.count())


# in the order of a round: the links to accounts stand on My day
PAGES: dict[str, Target] = {
    "My day": Target(_in_navigation("My day"), lambda page: page.get_by_text("Changed since yesterday").first),
    "Account": Target(_an_account, lambda page: page.get_by_text("Health over time").first),
    "Accounts": Target(_in_navigation("Accounts"), lambda page: page.get_by_text("In this selection").first),
    "Actions": Target(_in_navigation("Actions"), lambda page: page.get_by_placeholder("Search actions")),
}
ROUNDS = 15
CLOSINGS = 5  # each ends an action of the demo for good
WRITE_PROMISE = 0.7
CSM = "maya.lind@force24.example"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of the system's that asks nobody but us for anything: here, and in the end-to-end tests."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=quiet)
        yield browser
        browser.close()


def sign_in(browser: Browser, environment: Environment, person: str) -> Page:
    """A page of its own for `person`, signed in, at the size of an ordinary laptop."""
    url = environment.variables
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
    page.set_default_timeout(30_000)
    page.goto(url["STREAMLIT_URL"])
    page.get_by_label("E-mail").fill(person)
    page.get_by_label("Password", exact=True).fill(url["DEMO_PASSWORD"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Accounts", exact=True).wait_for()
    return page


def _timed(act: Callable[[], None], shown: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    shown()
    return time.perf_counter() - began


def _figure(name: str, seconds: list[float], promise: float) -> Figure:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    text = f"median {statistics.median(ordered):.2f} s, 95th percentile {p95:.2f} s of {len(ordered)}"
    return Figure(name, text, f"{promise:.1f} s", p95 / promise)


def page_switches(page: Page) -> list[Figure]:
    """From a click on a link to the content of the page."""
    for target in PAGES.values():  # imports and caches of a fresh server are not a page switch
        target.link(page, 0).click()
        target.content(page).wait_for()
    seconds: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(ROUNDS):
        for name, target in PAGES.items():
            seconds[name].append(_timed(target.link(page, number).click, target.content(page).wait_for))
            time.sleep(0.3)
    return [_figure(f"page switch to {name}", taken, 1.0) for name, taken in seconds.items()]


def _toast(page: Page, text: str) -> Locator:
    return page.get_by_test_id("stToast").filter(has_text=text)


def _confirmed(page: Page, button: Locator, confirmation: str) -> float:
    """From the click to the confirmation, with none of an earlier click left on the screen."""
    expect(page.get_by_test_id("stToast")).to_have_count(0, timeout=30_000)
    return _timed(button.click, _toast(page, confirmation).first.wait_for)


def acceptances(page: Page, environment: Environment) -> list[Figure]:
    """From the click on *Accept* to its confirmation, for every suggestion on My day; nothing when none waits."""
    page.goto(f"{environment.variables['STREAMLIT_URL']}/my-day")
    PAGES["My day"].content(page).wait_for()
    buttons = page.get_by_role("button", name="Accept", exact=False)
    taken: list[float] = []
    while len(taken) < ROUNDS and buttons.count():
        taken.append(_confirmed(page, buttons.first, "Accepted:"))
        time.sleep(1.5)  # the list is drawn anew
    if not taken:
        print("No suggestion waits: accepting one was not measured.", file=sys.stderr)
    return [_figure("a suggestion accepted", taken, WRITE_PROMISE)] if taken else []


def moves(page: Page, environment: Environment, action_id: str) -> list[Figure]:
    """From the click on a status to its confirmation, to and fro on one action."""
    page.goto(f"{environment.variables['STREAMLIT_URL']}/actions?action={action_id}")
    taken: list[float] = []
    for name in itertools.islice(itertools.cycle(["In progress", "Blocked"]), ROUNDS + 1):
        button = page.get_by_role("button", name=name, exact=True)
        button.wait_for()
        taken.append(_confirmed(page, button, f"Now {name.lower()}"))
    return [_figure("a status moved", taken[1:] or taken, WRITE_PROMISE)]


def closings(page: Page, environment: Environment, action_ids: Sequence[str]) -> list[Figure]:
    """From the click on *Close action* to its confirmation, one action each."""
    taken: list[float] = []
    for action_id in action_ids:
        page.goto(f"{environment.variables['STREAMLIT_URL']}/actions?action={action_id}")
        for layer in ("As planned", "Positive", "Successful"):
            page.get_by_role("radio", name=layer, exact=True).click()
        page.get_by_label("Closing note", exact=True).fill("Measuring how fast an action is closed.")
        taken.append(_confirmed(page, page.get_by_role("button", name="Close action"), "Closed."))
    return [_figure("an action closed", taken, WRITE_PROMISE)] if taken else []


def notes(page: Page, environment: Environment, action_id: str) -> list[Figure]:
    """From the click on *Save note* to its confirmation, on one action."""
    page.goto(f"{environment.variables['STREAMLIT_URL']}/actions?action={action_id}")
    box = page.get_by_label("Note", exact=True)
    box.wait_for()
    taken = []
    for number in range(ROUNDS + 1):
        text = f"Measuring how fast a note is saved, number {number} at {time.time():.0f}"
        box.fill(text)
        save = page.get_by_role("button", name="Save note")
        taken.append(_timed(save.click, page.get_by_text(text, exact=False).first.wait_for))
        time.sleep(0.3)
    return [_figure("a note saved and shown", taken[1:], WRITE_PROMISE)]
