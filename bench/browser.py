"""How fast it feels: page switches and writes in Chromium on the running demo, from click to content.

Through the front door, as people come: the shell, and the pages in its frame.
"""

import itertools
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect, sync_playwright

from bench.report import Figure, percentile
from local.state import Environment


@dataclass(frozen=True)
class Target:
    """A page: what is clicked to go there, in a round of a number, and what stands only in its loaded content."""

    link: Callable[[Page, int], Locator]
    content: Callable[[FrameLocator], Locator]


def _in_navigation(name: str) -> Callable[[Page, int], Locator]:
    return lambda page, _: page.get_by_role("navigation").get_by_role("link", name=name, exact=True)


def framed(page: Page) -> FrameLocator:
    """The pages, in the frame that the shell holds them in."""
    return page.frame_locator("iframe")


def _an_account(page: Page, number: int) -> Locator:
    """One of the accounts that My day names, another one each round."""
    links = framed(page).locator("a[href*='account?account=']")
    links.first.wait_for()
    return links.nth(number % links.count())


# in the order of a round: the links to accounts stand on My day
PAGES: dict[str, Target] = {
    "My day": Target(_in_navigation("My day"), lambda shown: shown.get_by_text("Changed since yesterday").first),
    "Account": Target(_an_account, lambda shown: shown.get_by_text("Health over time").first),
    "Accounts": Target(_in_navigation("Accounts"), lambda shown: shown.get_by_text("In this selection").first),
    "Actions": Target(_in_navigation("Actions"), lambda shown: shown.get_by_placeholder("Search actions")),
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
    """A page of its own for `person`, signed in at the front door, at the size of an ordinary laptop."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
    page.set_default_timeout(30_000)
    page.goto(environment.variables["SITE"])
    page.get_by_label("E-mail").fill(person)
    page.get_by_label("Password", exact=True).fill(environment.variables["DEMO_PASSWORD"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator("iframe.is-ready").wait_for()
    return page


def settle(shown: FrameLocator) -> None:
    """Wait until nothing on the page stands for what is still to come: its texts are there before its buttons."""
    expect(shown.get_by_test_id("stSkeleton")).to_have_count(0, timeout=30_000)


def _opened(page: Page, environment: Environment, path: str) -> FrameLocator:
    """A page by its address; from there on everything happens in the frame."""
    page.goto(f"{environment.variables['SITE']}/pages/{path}")
    return framed(page)


def _timed(act: Callable[[], None], shown: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    shown()
    return time.perf_counter() - began


def _figure(name: str, seconds: list[float], promise: float) -> Figure:
    p95 = percentile(seconds, 0.95)
    text = f"median {statistics.median(seconds):.2f} s, 95th percentile {p95:.2f} s of {len(seconds)}"
    return Figure(name, text, f"{promise:.1f} s", p95 / promise)


def page_switches(page: Page) -> list[Figure]:
    """From a click on a link to the content of the page."""
    for target in PAGES.values():  # imports and caches of a fresh server are not a page switch
        target.link(page, 0).click()
        target.content(framed(page)).wait_for()
    seconds: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(ROUNDS):
        for name, target in PAGES.items():
            seconds[name].append(_timed(target.link(page, number).click, target.content(framed(page)).wait_for))
            time.sleep(0.3)
    return [_figure(f"page switch to {name}", taken, 1.0) for name, taken in seconds.items()]


def _toast(shown: FrameLocator, text: str) -> Locator:
    return shown.get_by_test_id("stToast").filter(has_text=text)


def _confirmed(shown: FrameLocator, button: Locator, confirmation: str) -> float:
    """From the click to the confirmation, with none of an earlier click left on the screen."""
    expect(shown.get_by_test_id("stToast")).to_have_count(0, timeout=30_000)
    return _timed(button.click, _toast(shown, confirmation).first.wait_for)


def acceptances(page: Page, environment: Environment) -> list[Figure]:
    """From the click on *Accept* to its confirmation, for every suggestion on My day; nothing when none waits."""
    shown = _opened(page, environment, "my-day")
    PAGES["My day"].content(shown).wait_for()
    settle(shown)
    for asked in ("Skip all", "Skip"):  # how the account feels, before a card is shown
        if (button := shown.get_by_role("button", name=asked, exact=True)).count():
            button.first.click()
            settle(shown)
    buttons = shown.get_by_role("button", name="Accept", exact=False)
    taken: list[float] = []
    while len(taken) < ROUNDS and buttons.count():
        taken.append(_confirmed(shown, buttons.first, "Accepted:"))
        time.sleep(1.5)  # the list is drawn anew
        settle(shown)
    if not taken:
        print("No suggestion waits: accepting one was not measured.", file=sys.stderr)
    return [_figure("a suggestion accepted", taken, WRITE_PROMISE)] if taken else []


def moves(page: Page, environment: Environment, action_id: str) -> list[Figure]:
    """From the click on a status to its confirmation, to and fro on one action."""
    shown = _opened(page, environment, f"actions?action={action_id}")
    taken: list[float] = []
    for name in itertools.islice(itertools.cycle(["In progress", "Blocked"]), ROUNDS + 1):
        button = shown.get_by_role("button", name=name, exact=True)
        button.wait_for()
        taken.append(_confirmed(shown, button, f"Now {name.lower()}"))
    return [_figure("a status moved", taken[1:] or taken, WRITE_PROMISE)]


def closings(page: Page, environment: Environment, action_ids: Sequence[str]) -> list[Figure]:
    """From the click on *Close action* to its confirmation, one action each."""
    taken: list[float] = []
    for action_id in action_ids:
        shown = _opened(page, environment, f"actions?action={action_id}")
        for layer in ("As planned", "Positive", "Successful"):
            shown.get_by_role("radio", name=layer, exact=True).click()
        shown.get_by_label("Closing note", exact=True).fill("Measuring how fast an action is closed.")
        taken.append(_confirmed(shown, shown.get_by_role("button", name="Close action"), "Closed."))
    return [_figure("an action closed", taken, WRITE_PROMISE)] if taken else []


def notes(page: Page, environment: Environment, action_id: str) -> list[Figure]:
    """From the click on *Save note* to its confirmation, on one action."""
    shown = _opened(page, environment, f"actions?action={action_id}")
    box = shown.get_by_label("Note", exact=True)
    box.wait_for()
    taken = []
    for number in range(ROUNDS + 1):
        text = f"Measuring how fast a note is saved, number {number} at {time.time():.0f}"
        box.fill(text)
        save = shown.get_by_role("button", name="Save note")
        taken.append(_timed(save.click, shown.get_by_text(text, exact=False).first.wait_for))
        time.sleep(0.3)
    return [_figure("a note saved and shown", taken[1:], WRITE_PROMISE)]
