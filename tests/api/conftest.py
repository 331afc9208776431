"""The API as a user meets it: uvicorn on a free port, over a real PostgreSQL and a real Valkey, asked with httpx.

One estate and one server a run; tests keep apart by accounts of their own.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.main import create_app
from app import cache
from app.auth import Identity, Role, session_hash
from app.db import engine
from app.settings import get_settings
from local.postgres import Postgres, free_port
from tests.app.factories import PASSWORD, Estate, an_estate

ROOT = Path(__file__).resolve().parents[2]
_numbers = count(1)


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """A server of the API with this environment; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "api.main:create_app", "--factory"]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--no-proxy-headers", "--log-level", "warning"],
        env={**os.environ, "DATABASE_POOL_SIZE": "20", **environment},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                httpx.get(f"{address}/openapi.json")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=15)


@dataclass
class World:
    """The running API, the estate behind it, and people who are signed in."""

    url: str
    estate: Estate
    environment: dict[str, str]
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, who: Identity | None = None, *, url: str | None = None) -> httpx.Client:
        """A client of nobody, or of somebody signed in, with the cookies of both doors, whatever their role; it sends
        JSON as a browser's own page would."""
        made = httpx.Client(
            base_url=url or self.url,
            cookies=self._cookies(who) if who else None,
            headers={"content-type": "application/json", "sec-fetch-site": "same-origin"},
            timeout=30,
        )
        self.clients.append(made)
        return made

    def _cookies(self, who: Identity) -> dict[str, str]:
        if who.email not in self.cookies:
            answer = httpx.post(f"{self.url}/session", json={"email": who.email, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            token = answer.cookies["account_intelligence_session"]
            key = secrets.token_urlsafe(32)
            self.estate.admin.execute(
                "update app.sessions set orchestrator_hash = %s where session_hash = %s",
                [session_hash(key), session_hash(token)],
            )
            self.cookies[who.email] = {"account_intelligence_session": token, "account_intelligence_orchestrator": key}
        return self.cookies[who.email]

    def account(self, **values: object) -> str:
        """A published account that no other test uses; returns its key."""
        name = str(values.pop("account_name", f"Account {next(_numbers)}"))
        key = self.estate.account(name, **values)
        self.estate.publish()
        return key


@contextmanager
def a_world(postgres_server: Postgres, redis_url: str, **more: str) -> Iterator[World]:
    """An estate of its own and a server over it; `more` is added to the server's environment."""
    with an_estate(postgres_server) as estate:
        environment = {
            "APP_DATABASE_URL": estate.application_url,
            "ANALYST_DSN": estate.application_url.replace("postgresql+psycopg://application:", "postgresql://analyst:"),
            "REDIS_URL": redis_url,
            "FOLLOW_SOURCE_CLOCK": "false",
            "ENVIRONMENT": "demo",
            "API_URL": "http://127.0.0.1",
            "API_REQUESTS_PER_MINUTE": "1000000",
            "API_EXPORTS_PER_MINUTE": "1000000",
            **more,
        }
        with serving(environment) as url:
            yield World(url=url, estate=estate, environment=environment)


@pytest.fixture(scope="session")
def world(postgres_server: Postgres, redis_url: str) -> Iterator[World]:
    """The one estate and its server."""
    with a_world(postgres_server, redis_url) as made:
        yield made


@pytest.fixture(scope="session")
def second_server(world: World) -> Iterator[str]:
    """The address of another process over the same database and cache."""
    with serving(world.environment) as url:
        yield url


@pytest.fixture(autouse=True)
def closed_clients(request: pytest.FixtureRequest) -> Iterator[None]:
    """No client outlives its test."""
    yield
    if "world" in request.fixturenames:
        clients: list[httpx.Client] = request.getfixturevalue("world").clients
        while clients:
            clients.pop().close()


@pytest.fixture
def made(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FastAPI]]:
    """Makes the application with an environment of its own, in this process."""

    def forget() -> None:
        if engine.cache_info().currsize:
            engine().dispose()
        for kept in (get_settings, engine, cache.region):
            kept.cache_clear()

    def make(**environment: str) -> FastAPI:
        for name, value in {**world.environment, **environment}.items():
            monkeypatch.setenv(name, value)
        forget()
        return create_app()

    yield make
    forget()


@pytest.fixture
def maya(world: World) -> Identity:
    """A CSM."""
    return world.estate.user()


@pytest.fixture
def tom(world: World) -> Identity:
    """Another CSM."""
    return world.estate.user("Tom Okafor")


@pytest.fixture
def harriet(world: World) -> Identity:
    """An admin."""
    return world.estate.user("Harriet Cole", Role.ADMIN)


@pytest.fixture
def alex(world: World) -> Identity:
    """An analyst."""
    return world.estate.user("Alex Stone", Role.ANALYST)
