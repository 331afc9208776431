"""One estate and the address of its analysts for the whole room; statements are ended after a fraction of a second."""

from collections.abc import Iterator

import pytest

from app.db import engine
from app.sandbox import reach
from app.sandbox.runner import Server
from app.sandbox.watchdog import Patience
from app.settings import get_settings
from local.postgres import Postgres
from tests.app.factories import Estate, an_estate

HURRY = Patience(cancel_seconds=1.0, terminate_seconds=1.5)


@pytest.fixture(scope="session")
def estate(postgres_server: Postgres) -> Iterator[Estate]:
    """A warehouse with three published accounts, and users in its schema app."""
    with an_estate(postgres_server) as made:
        for name in ("Ashford Media", "Brook & Co", "Cobalt"):
            made.account(name, account_name=name)
        made.publish()
        made.user()
        yield made


def dsn_of(estate: Estate, role: str) -> str:
    """The address of the estate's database for another role; all have one password."""
    return estate.application_url.replace("postgresql+psycopg://application:", f"postgresql://{role}:")


@pytest.fixture(scope="session")
def server(estate: Estate) -> Server:
    """Where this room's statements run."""
    return Server(dsn=dsn_of(estate, "analyst"), watcher_dsn=dsn_of(estate, "application"), patience=HURRY)


@pytest.fixture(scope="session")
def relations(estate: Estate) -> frozenset[str]:
    """Tables that analysts can read."""
    with estate.work() as db:
        return frozenset(relation.name for relation in reach.relations(db))


@pytest.fixture
def installed(estate: Estate, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    """The estate as the installation of this process."""
    monkeypatch.setenv("APP_DATABASE_URL", estate.application_url)
    monkeypatch.setenv("ANALYST_DSN", server.dsn)
    monkeypatch.setenv("SQL_CANCEL_SECONDS", str(HURRY.cancel_seconds))
    get_settings.cache_clear()
    engine.cache_clear()
    yield estate
    engine().dispose()
    engine.cache_clear()
    get_settings.cache_clear()
