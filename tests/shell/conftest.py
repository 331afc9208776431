"""The built shell in a real Chromium, with the real API and the real pages behind the real front door."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from app.auth import Identity, Role
from app.clock import real_now
from local.postgres import Postgres, free_port
from tests.api.provider import Provider, a_provider
from tests.app.factories import PASSWORD, Estate, an_estate
from tests.door.conftest import faces, front_door, of_the_faces, running
from tests.e2e.conftest import chromium

__all__ = ["chromium"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shell as this checkout builds it; the build fails above its size limit."""
    folder = tmp_path_factory.mktemp("shell")
    subprocess.run([ROOT / "local" / "node.sh", "build", folder], check=True, cwd=ROOT)
    return folder / "browser"


@pytest.fixture(scope="session")
def estate(postgres_server: Postgres) -> Iterator[Estate]:
    """One estate a run, with two accounts, who is at one and who has left it, a load and three people."""
    with an_estate(postgres_server, pool_size=2) as made:
        key = made.account()
        made.account("Birch Logistics", health_band="R")
        made.put(
            "dim_contacts",
            contact_key="c1",
            account_key=key,
            contact_name="Ada Quill",
            job_title="Head of CRM",
            stakeholder_role="decision_maker",
            is_champion=True,
            has_left=False,
        )
        made.put(
            "dim_contacts",
            contact_key="c2",
            account_key=key,
            contact_name="Gus Former",
            is_champion=False,
            has_left=True,
        )
        made.loads()
        made.load("hubspot", "companies", "succeeded", real_now())
        made.publish()
        made.user()
        made.user("Harriet Cole", Role.ADMIN)
        made.user("Alex Stone", Role.ANALYST)
        yield made


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """The company's identity provider, at another site."""
    with a_provider() as made:
        yield made


@pytest.fixture(scope="session")
def origin(
    built: Path, estate: Estate, provider: Provider, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The one address, behind the front door as shipped. `localhost`, as a person types it."""
    folder = tmp_path_factory.mktemp("origin")
    api, pages, port, orchestrator = (free_port() for _ in range(4))
    address = f"http://localhost:{port}"
    elsewhere = f"http://localhost:{orchestrator}"
    environment = of_the_faces(estate, redis_url, api=api, pages=pages, site=address, orchestrator=elsewhere)
    with (
        running(*faces(folder, environment | provider.settings(), api=api, pages=pages)),
        front_door(
            folder / "front",
            SITE=address,
            ORCHESTRATOR_SITE=elsewhere,
            API=f"127.0.0.1:{api}",
            STREAMLIT=f"127.0.0.1:{pages}",
            SHELL_DIR=str(built),
        ),
    ):
        yield address


Opened = Callable[..., Page]


@pytest.fixture
def opened(origin: str, chromium: Browser) -> Iterator[Opened]:
    """A function that opens `path` in a browser of its own, as somebody who signs in, or as nobody."""
    contexts: list[BrowserContext] = []

    def open_page(who: Identity | None, path: str = "/", *, scheme: str = "light", width: int = 1440) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            locale="en-GB",
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{origin}{path}")
        if who:
            enter(page, who)
            page.locator("iframe.is-ready").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()


def enter(page: Page, who: Identity, password: str = PASSWORD) -> None:
    """Fill in the form and send it by the keyboard."""
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM."""
    return estate.user()


@pytest.fixture
def harriet(estate: Estate) -> Identity:
    """An admin."""
    return estate.user("Harriet Cole", Role.ADMIN)


@pytest.fixture
def alex(estate: Estate) -> Identity:
    """An analyst."""
    return estate.user("Alex Stone", Role.ANALYST)
