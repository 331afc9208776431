"""One small estate, served for the whole run; and estates of their own for tests that move time."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from local.postgres import Postgres, free_port
from simulator.advance import real_today
from simulator.config import Settings
from simulator.estate import seed

ROOT = Path(__file__).parents[2]
SECRET = "simulator-secret"
_numbers = itertools.count(1)


@dataclass
class Vendors:
    """Addresses and credentials of the served estate."""

    settings: Settings
    hubspot: httpx.Client
    stripe: httpx.Client
    zendesk: httpx.Client

    def now(self) -> int:
        """Simulated now in epoch seconds, as the wire shows it."""
        return int(parsedate_to_datetime(self.zendesk.get("/healthz").headers["date"]).timestamp())

    def do(self, name: str, **arguments: Any) -> Any:
        """Let an incident happen; returns what it touched."""
        answer = self.hubspot.post("/__switches", json={"do": [{name: arguments}]})
        assert answer.status_code == 200, answer.text
        return answer.json()["done"][0][name]


def wait_until_served(address: str) -> None:
    """Until /healthz answers, at most 20 seconds."""
    for _ in range(200):
        try:
            if httpx.get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(address)


@pytest.fixture(scope="session")
def make_settings(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Settings]:
    """Settings of a new, empty pair of databases and a drop folder; the owner is a plain role, as in the demo."""
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as admin:
        for role in ("simulator", "product_reader"):
            if admin.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
                admin.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(role), SECRET))
            admin.execute(sql.SQL("alter role {} login password {}").format(sql.Identifier(role), SECRET))

    def make() -> Settings:
        number = next(_numbers)
        places = {}
        with psycopg.connect(postgres_server.dsn(), autocommit=True) as admin:
            for name in ("simulator", "product"):
                database = f"{name}_{os.getpid()}_{number}"
                admin.execute(sql.SQL("create database {} owner simulator").format(sql.Identifier(database)))
                places[name] = f"postgresql://simulator:{SECRET}@127.0.0.1:{postgres_server.port}/{database}"
        return Settings(
            simulator_dsn=places["simulator"],
            simulator_product_dsn=places["product"],
            simulator_surveys_folder=tmp_path_factory.mktemp("surveys") / "nps",
            simulator_hubspot_port=free_port(),
            simulator_stripe_port=free_port(),
            simulator_zendesk_port=free_port(),
            simulator_smtp_port=free_port(),
            simulator_mailbox_port=free_port(),
            hubspot_token="pat-eu1-test",
            stripe_api_key="rk_live_test",
            zendesk_client_id="test",
            zendesk_client_secret=SECRET,
        )

    return make


@pytest.fixture
def small_estate(make_settings: Callable[[], Settings]) -> Settings:
    """An estate of 18 accounts and 60 days, not served."""
    settings = make_settings()
    seed(settings, accounts=18, days=60, number=7, today=real_today(), report=lambda line: None)
    return settings


@pytest.fixture(scope="session")
def served_settings(make_settings: Callable[[], Settings]) -> Iterator[Settings]:
    """30 accounts, 120 days, served on three ports of their own."""
    settings = make_settings()
    seed(settings, accounts=30, days=120, number=24, today=real_today(), report=lambda line: None)
    environment = {name.upper(): str(value) for name, value in settings.model_dump().items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "serve"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for port in (settings.simulator_hubspot_port, settings.simulator_stripe_port, settings.simulator_zendesk_port):
        wait_until_served(f"http://127.0.0.1:{port}")
    yield settings
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def vendors(served_settings: Settings) -> Iterator[Vendors]:
    """Clients with credentials; all switches are off before and after."""

    def client(port: int, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30)

    hubspot = client(served_settings.simulator_hubspot_port, Authorization="Bearer pat-eu1-test")
    key = {"Authorization": "Bearer rk_live_test", "Stripe-Version": "2026-10-28.endive"}
    stripe = client(served_settings.simulator_stripe_port, **key)
    zendesk = client(served_settings.simulator_zendesk_port)
    for one in (hubspot, stripe, zendesk):
        one.delete("/__switches")
        one.post("/__switches", json={"rate_limit": {"account": 10_000, "incremental": 10_000, "search": 10_000}})
    zendesk.headers["Authorization"] = f"Bearer {token(zendesk)}"
    yield Vendors(served_settings, hubspot, stripe, zendesk)
    for one in (hubspot, stripe, zendesk):
        one.delete("/__switches")
        one.close()


def token(zendesk: httpx.Client, scope: str = "read") -> str:
    """An OAuth token by client credentials."""
    grant = {"grant_type": "client_credentials", "client_id": "test", "client_secret": SECRET, "scope": scope}
    return zendesk.post("/oauth/tokens", json=grant).json()["access_token"]
