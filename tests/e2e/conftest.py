"""The whole system, started as a user starts it, on a small estate; and a Chromium to use it with."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench.browser import chromium as headless_chromium
from local.postgres import free_port
from local.state import PORTS, ROOT, read_env

CSM = "maya.lind@force24.example"
ADMIN = "harriet.cole@force24.example"
ANALYST = "alex.stone@force24.example"


@dataclass(frozen=True)
class System:
    """A running demo of its own: state folder, environment, and the launcher's commands."""

    folder: Path
    variables: dict[str, str]

    @property
    def url(self) -> str:
        """Where the pages are."""
        return self.variables["STREAMLIT_URL"]

    @property
    def password(self) -> str:
        """Of every demo user."""
        return self.variables["DEMO_PASSWORD"]

    def local(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the launcher's commands on this system."""
        return launcher(self.folder, {}, *arguments, check=check)

    def sql(self, statement: str) -> list[list[str]]:
        """Rows of a query on the warehouse, every value as text."""
        answer = self.local("sql", statement).stdout
        return [line.split("\t") for line in answer.splitlines()]

    def pipeline(self) -> str:
        """Run the incremental pipeline to its end; returns what it printed."""
        return self.local("run", "-m", "orchestration.launch", "incremental", "--wait").stdout


def launcher(
    folder: Path, extra: dict[str, str], *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """`python -m local …` on a state folder; a failure shows what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, **extra, "STATE_DIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"local {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def small_estate() -> dict[str, str]:
    """Free ports and an estate that loads in seconds and still holds work for every CSM."""
    ports = {name: str(free_port()) for name in PORTS}
    return {**ports, "SIMULATOR_ACCOUNTS": "90", "SIMULATOR_DAYS": "400", "SIMULATOR_SEED": "24"}


def kill_a_start_half_way(folder: Path, extra: dict[str, str], *, at: str) -> None:
    """Begin a start and kill its supervisor the hard way as soon as it has said `at`."""
    starting = subprocess.Popen(
        [sys.executable, "-m", "local", "up"],
        cwd=ROOT,
        env={**os.environ, **extra, "STATE_DIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with starting:
        assert starting.stdout is not None
        said = []
        for line in starting.stdout:
            said.append(line)
            if line.startswith(at):
                starting.kill()
                break
        else:
            raise AssertionError(f"never said {at!r}: {''.join(said)}")


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Started once for all browser tests, and stopped at the end.

    Its first start is killed in the middle, as happens to people: everything else runs on what the second made of it.
    """
    folder = tmp_path_factory.mktemp("system") / "state"
    chosen = small_estate()
    kill_a_start_half_way(folder, chosen, at="Raw schemas")
    launcher(folder, chosen, "up", "--detach")
    yield System(folder, read_env(folder / "env"))
    launcher(folder, {}, "stop")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A headless Chromium of the system's.

    It ends with this package: its event loop runs in this thread, and later tests could not start one of their own.
    """
    with headless_chromium() as browser:
        yield browser


expect.set_options(timeout=20_000)  # two cores carry the system, the browser and the test

SignIn = Callable[..., Page]

_SETTLED = """() => {
    const isRunning = document.querySelector("[data-test-script-state]")?.dataset.testScriptState !== "notRunning"
    window.quietSince = isRunning ? undefined : (window.quietSince ?? performance.now())
    return !isRunning && performance.now() - window.quietSince > 2000
}"""


def settled(page: Page) -> None:
    """Wait until no script has run for two seconds: what comes back from the browser asks for another run."""
    page.wait_for_function(_SETTLED, polling=100)


@pytest.fixture
def sign_in(system: System, chromium: Browser) -> Iterator[SignIn]:
    """A function that opens `path` as `email` in a browser of its own and returns the page."""
    contexts: list[BrowserContext] = []

    def opened(
        email: str, path: str = "/", *, password: str | None = None, width: int = 1440, height: int = 900
    ) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{system.url}{path}")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(password or system.password)
        page.get_by_role("button", name="Sign in").click()
        return page

    yield opened
    for context in contexts:
        context.close()
