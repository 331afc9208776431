"""How fast it feels: page switches and writes in Chromium on the running demo, from click to content."""

import itertools
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bench.report import Figure
from local.state import Environment

# page in the navigation, and what stands only in its loaded content
PAGES: dict[str, Callable[[Page], Locator]] = {
    "My day": lambda page: page.get_by_text("Changed since yesterday").first,
    "Accounts": lambda page: page.get_by_text("In this selection").first,
    "Actions": lambda page: page.get_by_placeholder("Search actions"),
}
ROUNDS = 15
CSM = "maya.lind@force24.example"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of the system's."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
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
    """From a click in the navigation to the content of the page."""
    names = list(PAGES)
    for name in names:  # imports and caches of a fresh server are not a page switch
        page.get_by_role("link", name=name, exact=True).click()
        PAGES[name](page).wait_for()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in itertools.chain.from_iterable(itertools.repeat(names, ROUNDS)):
        link = page.get_by_role("link", name=name, exact=True)
        seconds[name].append(_timed(link.click, PAGES[name](page).wait_for))
        time.sleep(0.3)
    return [_figure(f"page switch to {name}", taken, 1.0) for name, taken in seconds.items()]


def writes(page: Page, environment: Environment, action_id: str) -> list[Figure]:
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
    return [_figure("a note saved and shown", taken[1:], 0.7)]
