"""How often one may ask: counted for all processes together, per person and per token, and never without Redis."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import cycle

import httpx
import pytest

from app.auth import Identity, Role
from local.postgres import Postgres, free_port
from tests.api.conftest import World, a_world, serving

REQUESTS, EXPORTS = 30, 3


@pytest.fixture(scope="module")
def narrow(postgres_server: Postgres, redis_url: str) -> Iterator[World]:
    """An API that takes few requests a minute."""
    limits = {"API_REQUESTS_PER_MINUTE": str(REQUESTS), "API_EXPORTS_PER_MINUTE": str(EXPORTS)}
    with a_world(postgres_server, redis_url, **limits) as made:
        made.account()
        yield made
        for client in made.clients:
            client.close()


@pytest.fixture(scope="module")
def addresses(narrow: World) -> Iterator[tuple[str, str]]:
    """Two processes of that API."""
    with serving(narrow.environment) as other:
        yield narrow.url, other


def asked(narrow: World, who: Identity, path: str, times: int, addresses: tuple[str, ...]) -> list[httpx.Response]:
    """The answers to requests that go to the processes in turn."""
    clients = [narrow.client(who, url=url) for url in addresses]
    return [client.get(path) for client, _ in zip(cycle(clients), range(times), strict=False)]


def test_two_processes_count_together_and_say_when_to_come_back(narrow: World, addresses: tuple[str, str]) -> None:
    maya = narrow.estate.user()

    answers = asked(narrow, maya, "/session", REQUESTS + 10, addresses)

    assert Counter(answer.status_code for answer in answers) == {200: REQUESTS, 429: 10}
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert re.fullmatch(r"Try again in \d+ s\.", refused.json()["hint"])


def test_what_one_person_asks_costs_another_nothing(narrow: World, addresses: tuple[str, str]) -> None:
    asked(narrow, narrow.estate.user("Tom Okafor"), "/session", REQUESTS + 5, addresses)

    (answer,) = asked(narrow, narrow.estate.user("Ana Ruiz"), "/session", 1, addresses)

    assert answer.status_code == 200


def test_a_token_that_runs_wild_leaves_its_person_the_screen(narrow: World, addresses: tuple[str, str]) -> None:
    client = narrow.client(narrow.estate.user("Ivo Brandt"))
    secret = client.post("/tokens", json={"name": "Sync", "scopes": ["read"], "days": 1}).json()["secret"]
    bearer = {"authorization": f"Bearer {secret}"}

    answers = [httpx.get(f"{addresses[0]}/accounts", headers=bearer).status_code for _ in range(REQUESTS + 5)]

    assert Counter(answers) == {200: REQUESTS, 429: 5}
    assert client.get("/accounts").status_code == 200


def test_exports_are_fewer_than_requests(narrow: World, addresses: tuple[str, str]) -> None:
    analyst = narrow.estate.user("Alex Stone", Role.ANALYST)

    exported = asked(narrow, analyst, "/exports/accounts.csv", EXPORTS + 2, addresses)

    assert Counter(answer.status_code for answer in exported) == {200: EXPORTS, 429: 2}
    assert asked(narrow, analyst, "/session", 1, addresses)[0].status_code == 200


def test_the_front_door_asks_as_often_as_a_page_has_files(narrow: World, addresses: tuple[str, str]) -> None:
    answers = asked(narrow, narrow.estate.user("Lena Voss"), "/gate/user", REQUESTS + 5, addresses)

    assert {answer.status_code for answer in answers} == {204}


def test_without_redis_nobody_is_held_up(narrow: World) -> None:
    gone = f"redis://:x@127.0.0.1:{free_port()}/0"
    with serving({**narrow.environment, "REDIS_URL": gone}) as url:
        answers = asked(narrow, narrow.estate.user("Nora Blum"), "/session", REQUESTS + 10, (url,))

    assert {answer.status_code for answer in answers} == {200}
