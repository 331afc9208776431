"""Pages inside the real frame: AppTest runs the entry point against a real database, signed in with a real session."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import clock
from app.auth import Identity, sign_in
from app.db import engine
from app.settings import get_settings
from app.ui import composer, kept_fields, session_component, shortcuts, sql_editor, visit
from tests.app.conftest import estate, settings, template
from tests.app.factories import NOW, PASSWORD, Estate, key_of

__all__ = ["estate", "settings", "template"]
ENTRY = Path(__file__).resolve().parents[2] / "app" / "main.py"


def _plain_composer(**mounted: Any) -> None:
    """The composer without its browser half: a text area and a button that do what its script does."""
    key, data, on_saved = mounted["key"], mounted["data"], mounted["on_saved_change"]
    st.text_area(data["label"], value=data["start"], key=f"{key}:box")

    def send() -> None:
        st.session_state[key] = {"saved": {"text": st.session_state[f"{key}:box"], "key": f"key-of-{key}"}}
        on_saved()

    st.button(data["button"], key=f"{key}:send", on_click=send, disabled=bool(data["missing"]), help=data["missing"])


def _plain_sql_editor(**mounted: Any) -> None:
    """The SQL editor without its browser half: a text area that tells what stands in it, and its two buttons."""
    key, data = mounted["key"], mounted["data"]
    st.text_area(data["label"], value=data["load"]["text"], key=f"{key}:box:{data['load']['id']}")

    def send(name: str) -> None:
        st.session_state[key] = {name: st.session_state[f"{key}:box:{data['load']['id']}"]}
        mounted[f"on_{name}_change"]()

    for name in ("run", "plan", "typed"):
        st.button(name, key=f"{key}:{name}", on_click=send, args=(name,))


@dataclass
class Browser:
    """One visitor's tab: who is signed in, the page as AppTest sees it, and the fields its storage keeps by subject."""

    estate: Estate
    token: str | None = None
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    page: AppTest = field(init=False)

    def __post_init__(self) -> None:
        self.page = AppTest.from_file(ENTRY, default_timeout=30)

    def sign_in(self, identity: Identity) -> "Browser":
        """Take a real session for somebody who exists."""
        with self.estate.work() as db:
            self.token, _ = sign_in(
                db, email=identity.email, password=PASSWORD, address="127.0.0.1", user_agent="test", now=NOW
            )
        return self

    def open(self, page: str, **query: str | list[str]) -> AppTest:
        """Open a page of `pages/` by its name with query parameters, and return it drawn, without an exception.

        Straight to it, as from a link: by the home page every test would draw two pages.
        """
        for name, value in query.items():
            self.page.query_params[name] = value
        return self.open_address(page.replace("_", "-"))

    def reload(self, page: str, **query: str | list[str]) -> AppTest:
        """As a reload: a new session on the same page, in the same browser."""
        self.page = AppTest.from_file(ENTRY, default_timeout=30)
        return self.open(page, **query)

    def give_back(self, subject: str) -> AppTest:
        """What the browser does once a page stands whose fields it has kept."""
        self.page.button(key=f"give_back:{subject}").click().run()
        return self.checked()

    def keep_fields(self, **mounted: Any) -> None:
        """The keeper of fields without its browser half: a button gives back, and waits to be pressed."""
        key, data = mounted["key"], mounted["data"]
        for subject in data["gone"]["subjects"] if data["gone"] else ():
            self.kept.pop(subject, None)
        subject = data["subject"]
        if not subject:
            return
        if not data["isUntouched"]:
            self.kept[subject] = json.loads(json.dumps(data["choices"]))

        def send() -> None:
            st.session_state[key] = {"restored": self.kept[subject]}
            mounted["on_restored_change"]()

        if subject in self.kept and data["isUntouched"]:
            st.button("Give back", key=f"give_back:{subject}", on_click=send)

    def open_address(self, address: str) -> AppTest:
        """Open an address as a deep link does: the first request of a session asks for that page."""
        self.page._page_hash = calc_hash(address)
        self.page.run()
        return self.checked()

    def checked(self) -> AppTest:
        """The page, once it is certain that nothing was raised past the frame."""
        assert not self.page.exception, [error.message for error in self.page.exception]
        return self.page


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """What is installed is looked through once: every AppTest would read the metadata of all packages, 0.3 s each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def browser(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """A tab on this test's database, at NOW, with a composer that needs no browser."""
    monkeypatch.setenv("APP_DATABASE_URL", estate.application_url)
    analyst = estate.application_url.replace("postgresql+psycopg://application:", "postgresql://analyst:")
    monkeypatch.setenv("ANALYST_DSN", analyst)
    get_settings.cache_clear()
    engine.cache_clear()
    st.cache_data.clear()
    tab = Browser(estate)
    monkeypatch.setattr(visit, "session_token", lambda: tab.token)
    monkeypatch.setattr(visit, "client", lambda: ("127.0.0.1", "test"))
    monkeypatch.setattr(clock, "real_now", lambda: NOW)
    monkeypatch.setattr(composer, "_component", lambda: _plain_composer)
    monkeypatch.setattr(sql_editor, "_component", lambda: _plain_sql_editor)
    monkeypatch.setattr(kept_fields, "_component", lambda: tab.keep_fields)
    monkeypatch.setattr(session_component, "_component", lambda: lambda **_: None)
    monkeypatch.setattr(shortcuts, "_component", lambda: lambda **_: None)
    return tab


@pytest.fixture
def maya(estate: Estate) -> Identity:
    """A CSM with one published account."""
    estate.publish()
    estate.account()
    return estate.user("Maya Lind")


@pytest.fixture
def champion(estate: Estate, maya: Identity) -> str:
    """The name of the champion at Maya's account, with characters that Markdown would take for its own."""
    name = "Jane *Doe*"
    estate.put(
        "dim_contacts",
        contact_key="c1",
        account_key=key_of("Ashford Media"),
        contact_name=name,
        stakeholder_role="champion",
        is_champion=True,
        has_left=False,
        has_bounced=False,
        is_product_user=True,
    )
    return name


def texts(page: AppTest) -> str:
    """Everything that is written on a page, tables excluded; figures that lead to their proof or definition last."""
    parts = [*page.markdown, *page.text, *page.error, *page.warning, *page.success, *page.toast]
    links = [link.proto.label for link in page.get("page_link")]
    return "\n".join([*(str(part.value) for part in parts), *links])


def labels(page: AppTest) -> list[str]:
    """Labels of all buttons that can be pressed."""
    return [button.label for button in page.button if not button.disabled]
