"""Redis that goes away and comes back under running services: slower, never wrong, and used again by itself.

The API keeps there what it reads; the pages keep theirs in their own process, and must not notice.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from app import cache
from local.postgres import Postgres, free_port
from local.valkey import Valkey
from tests.api.asking import a_new_action, key
from tests.api.conftest import serving
from tests.app.factories import PASSWORD, Estate, an_estate
from tests.door.conftest import COOKIE, Program, answers, running
from tests.door.tab import Tab, tab


@dataclass
class Services:
    """The API and the pages over a Redis of their own, with somebody signed in to both."""

    estate: Estate
    redis: Valkey
    client: httpx.Client
    page: Tab

    def names(self) -> set[str]:
        """The accounts that the API tells."""
        answer = self.client.get("/accounts").raise_for_status()
        return {one["account_name"] for one in answer.json()["items"]}

    def is_shown(self, account_key: str, name: str) -> bool:
        """Whether the pages show an account."""
        drawn = self.page.open("account", f"account={account_key}")
        assert drawn.exceptions == []
        return f"# {name}" in drawn.text

    def is_kept(self) -> bool:
        """Whether anything that was read is in Redis; how often somebody asked is another matter."""
        with redis.Redis.from_url(self.redis.url) as server:
            return any(b"limits" not in one for one in server.scan_iter())


@pytest.fixture
def services(postgres_server: Postgres, tmp_path: Path) -> Iterator[Services]:
    """Started for one test, which stops their Redis."""
    server, port = Valkey(tmp_path / "redis", free_port(), "of-a-redis-that-goes-away"), free_port()
    server.start()
    with an_estate(postgres_server) as estate:
        environment = {
            "APP_DATABASE_URL": estate.application_url,
            "REDIS_URL": server.url,
            "FOLLOW_SOURCE_CLOCK": "false",
            "ENVIRONMENT": "demo",
            "STREAMLIT_PORT": str(port),
            "STREAMLIT_URL": f"http://localhost:{port}/app",
            "PYTHONWARNINGS": "ignore",
        }
        who = estate.user()
        show = Program(
            [sys.executable, "-m", "app.asgi"],
            {**os.environ, **environment},
            tmp_path / "pages.log",
            answers(f"http://localhost:{port}/app/_stcore/health"),
        )
        with serving(environment) as api, running(show), httpx.Client(base_url=api, timeout=30) as client:
            client.headers["content-type"] = "application/json"
            given = client.post("/session", json={"email": who.email, "password": PASSWORD}).raise_for_status()
            with tab(f"http://localhost:{port}/app", given.cookies[COOKIE]) as page:
                yield Services(estate, server, client, page)
    server.stop()


def test_f04_a_redis_that_is_restarted_under_running_services_is_missed_by_nobody(services: Services) -> None:
    def publish(name: str) -> str:
        account_key = services.estate.account(name)
        services.estate.publish()
        return account_key

    def is_used_again() -> bool:
        """What is read is kept anew, once the API has let it rest; every answer meanwhile is right."""
        deadline = time.monotonic() + cache.REST_SECONDS + 20
        while not services.is_kept() and time.monotonic() < deadline:
            assert services.names() == known
            time.sleep(0.2)
        return services.is_kept()

    first, known = publish("Ashford Media"), {"Ashford Media"}
    assert services.names() == known
    assert services.is_shown(first, "Ashford Media")
    assert services.is_kept()

    services.redis.stop()
    began = time.monotonic()
    assert services.names() == known
    assert services.is_shown(first, "Ashford Media")
    waited = time.monotonic() - began
    second, known = publish("Birch Logistics"), known | {"Birch Logistics"}
    assert services.names() == known, "what is published meanwhile is seen"
    assert services.is_shown(second, "Birch Logistics")
    written = services.client.post("/actions", json=a_new_action(second, title="While it was away"), headers=key())
    assert written.status_code == 201
    assert waited < 10, "slower, not stuck"

    services.redis.start()
    assert is_used_again()
    third, known = publish("Cedar Works"), known | {"Cedar Works"}
    assert services.names() == known
    assert services.is_shown(third, "Cedar Works")
    listed = services.client.get("/actions", params={"account_key": second}).json()["items"]
    assert [one["title"] for one in listed] == ["While it was away"]
