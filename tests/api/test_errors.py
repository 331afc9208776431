"""Every error of the application has one status, and what nobody foresaw gives nothing away."""

import asyncio
import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp

from api import errors as faces
from api.main import bare_app
from api.refusals import refusals
from api.turns import Turns
from app import auth, errors
from app.auth import Identity
from app.clock import real_now
from app.db import unit_of_work
from app.users import create_user
from tests.api.asking import key
from tests.api.conftest import World
from tests.api.test_policy import NOBODY
from tests.app.factories import PASSWORD
from tests.conftest import Warehouse

NAMED = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.AppError)]


@pytest.mark.parametrize(
    "kind", [kind for kind in NAMED if kind is not errors.AppError], ids=lambda kind: kind.__name__
)
def test_every_named_error_has_a_status_of_its_own(kind: type[errors.AppError]) -> None:
    assert kind in faces.STATUS


def ask(app: ASGIApp, *paths: str, cookies: dict[str, str] | None = None) -> list[httpx.Response]:
    """What an application in this process answers."""

    async def go() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api", cookies=cookies) as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(go())


def answer_to(error: Exception) -> httpx.Response:
    """What a client gets when a route raises `error`."""
    app = FastAPI()
    faces.install(app)

    @app.get("/")
    def broken() -> None:
        raise error

    return ask(app, "/")[0]


def test_a_bug_gives_a_number_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    answer = answer_to(RuntimeError("select secret from app.users where password_hash = 'x'"))

    told = answer.json()
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert str(Path(__file__).parents[2]) not in answer.text
    assert told["error_id"] in told["hint"]
    assert told["error_id"] in caplog.text


def test_a_database_that_is_away_is_said_without_its_address() -> None:
    answer = answer_to(OperationalError("select 1", {}, Exception("connection to 10.0.0.7 refused")))

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert "10.0.0.7" not in answer.text
    assert answer.headers["retry-after"]


def test_who_waits_in_vain_for_a_colleague_is_told_when_to_try_again() -> None:
    answer = answer_to(errors.Busy())

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert "Nothing was saved" in answer.json()["hint"]


def test_health_tells_the_database_the_cache_and_the_age_of_the_figures(world: World) -> None:
    world.account()

    told = httpx.get(f"{world.url}/health").json()

    assert (told["status"], told["database"], told["cache"]) == ("ok", "up", "up")
    assert told["publication"]["as_of_date"] == "2026-11-19"
    assert set(told) == {"status", "database", "cache", "publication"}


def test_without_the_cache_answers_are_the_same_and_health_says_degraded(
    world: World, maya: Identity, made: Callable[..., FastAPI]
) -> None:
    path = f"/accounts/{world.account(account_name='Uncached')}"
    client = world.client(maya)

    health, read = ask(made(REDIS_URL="redis://127.0.0.1:1/0"), "/health", path, cookies=dict(client.cookies))

    assert (health.status_code, health.json()["status"], health.json()["cache"]) == (200, "degraded", "down")
    assert read.json() == client.get(path).json()


def test_without_the_database_the_server_lives_and_says_so(made: Callable[..., FastAPI]) -> None:
    answers = ask(made(APP_DATABASE_URL="postgresql+psycopg://x:y@127.0.0.1:1/none"), "/health", "/session")

    assert [answer.status_code for answer in answers] == [503, 503]
    assert {answer.json()["code"] for answer in answers} == {"database_unavailable"}


def test_before_the_first_build_health_says_so_and_figures_are_a_sentence(
    migrated_app: Warehouse, made: Callable[..., FastAPI]
) -> None:
    app = made(APP_DATABASE_URL=migrated_app.application_url)
    with unit_of_work() as db:
        create_user(
            db, now=real_now(), email="first@force24.example", display_name="First", role="csm", password=PASSWORD
        )
        token, _ = auth.sign_in(
            db, email="first@force24.example", password=PASSWORD, address="test", user_agent=None, now=real_now()
        )

    health, accounts = ask(app, "/health", "/accounts", cookies={auth.session_cookie().name: token})

    assert (health.status_code, health.json()["publication"]) == (200, None)
    assert (accounts.status_code, accounts.json()["code"]) == (503, "mart_unavailable")
    assert accounts.json()["hint"]


def test_an_unknown_address_and_a_wrong_method_are_problems_too(world: World) -> None:
    answers = [httpx.get(f"{world.url}/nowhere"), httpx.put(f"{world.url}/health", json={})]

    assert [answer.status_code for answer in answers] == [404, 405]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


def test_a_refusal_holds_no_empty_keys(world: World, maya: Identity) -> None:
    told = world.client(maya).get("/actions/7").json()

    assert set(told) == {"type", "title", "status", "code", "detail", "hint", "errors"}


DESCRIBED = [
    (method.upper(), path, sorted(one["name"] for one in operation.get("parameters", []) if one["in"] == "query"))
    for path, methods in bare_app().openapi()["paths"].items()
    for method, operation in methods.items()
    if path != "/session/provider/callback"  # what a provider sends back is its own
]


def test_a_query_parameter_that_an_operation_does_not_know_is_named_with_those_it_knows(
    world: World, harriet: Identity
) -> None:
    client = world.client(harriet)
    told: dict[str, tuple[int, str, set[str]]] = {}
    for method, path, _ in DESCRIBED:
        answer = client.request(
            method, path.format_map(defaultdict(lambda: NOBODY)), params={"slip": "1"}, json={}, headers=key()
        )
        hint = answer.json().get("hint", "").split(". ")[0].removesuffix(".")
        names = hint.removeprefix("This address knows ").replace(" and ", ", ").split(", ")
        told[f"{method} {path}"] = (answer.status_code, answer.json()["detail"], set(names))

    assert told == {
        f"{method} {path}": (422, "slip is not a parameter of this address.", set(known or ["none"]))
        for method, path, known in DESCRIBED
    }
    assert world.client(harriet).get("/sessions").status_code == 200, "nothing was done, such as ending every session"


def test_every_unknown_parameter_is_listed_and_who_is_nobody_learns_none(world: World, maya: Identity) -> None:
    path = "/accounts?limit=5&serch=x&onwer=me"

    told = world.client(maya).get(path)
    nobody = world.client().get(path)
    led_back = world.client().get("/session/provider/callback?state=x&session_state=y&iss=z")

    assert (told.status_code, told.json()["code"]) == (422, "invalid_input")
    assert [one["field"] for one in told.json()["errors"]] == ["serch", "onwer"]
    assert (nobody.status_code, led_back.status_code) == (401, 302)


NEW_ACTION = {"title": "T", "action_type": "risk", "intervention": "training", "account_key": "0" * 32}
BULK = {"action_ids": [str(UUID(int=7))]}


@pytest.mark.parametrize(
    ("method", "path", "body", "detail", "hint"),
    [
        ("GET", "/accounts?limit=0", None, "limit is too small.", "Expected: a number of at least 1."),
        ("GET", "/accounts?limit=999", None, "limit is too large.", "Expected: a number of at most 100."),
        ("GET", "/accounts?limit=x", None, "limit is no whole number.", "Expected: a whole number."),
        (
            "GET",
            f"/accounts?search={'x' * 101}",
            None,
            "search is too long.",
            "Expected: text of at most 100 characters.",
        ),
        (
            "GET",
            "/accounts?with_churned=perhaps",
            None,
            "with_churned is neither true nor false.",
            "Expected: true or false.",
        ),
        ("GET", "/actions/7", None, "action_id is no id.", "Expected: an id as a list or an earlier answer gave it."),
        (
            "GET",
            "/actions?status=done",
            None,
            "status.0 is none of the values it can have.",
            "Expected: 'new', 'in_progress'",
        ),
        (
            "POST",
            "/actions",
            {},
            "account_key is missing.",
            "It is required: add it and send again. 3 more values are wrong",
        ),
        ("POST", "/actions", {**NEW_ACTION, "title": 7}, "title is no text.", "Expected: text."),
        (
            "POST",
            "/actions",
            {**NEW_ACTION, "due_date": "soon"},
            "due_date is no day.",
            "Expected: a day as YYYY-MM-DD.",
        ),
        ("POST", "/actions", {**NEW_ACTION, "id": 7}, "id is not a field of this request.", "Leave it out."),
        ("POST", "/actions", [], "The body is no object.", "Expected: a JSON object."),
        ("POST", "/actions", None, "The body is missing.", "It is required: add it and send again."),
        ("POST", "/actions", b"{", "The body is not valid JSON.", "Expected: a JSON object with Content-Type"),
        (
            "POST",
            "/actions/bulk/preview",
            {"change": {}, **BULK},
            "change does not say of which kind it is.",
            "Expected: an object with 'kind'.",
        ),
        (
            "POST",
            "/actions/bulk/preview",
            {"change": {"kind": "burn"}, **BULK},
            "change is none of the kinds there are.",
            "Expected 'kind': 'snooze'",
        ),
        (
            "POST",
            "/actions/bulk/preview",
            {"change": {"kind": "cancel", "reason": "duplicate"}, "action_ids": []},
            "action_ids holds too few.",
            "Expected: a list of at least 1.",
        ),
        ("POST", "/notices/read", {"notice_ids": "all"}, "notice_ids is no list.", "Expected: a list."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_first_wrong_value_is_named_with_what_is_expected(
    world: World, maya: Identity, method: str, path: str, body: Any, detail: str, hint: str
) -> None:
    sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}

    answer = world.client(maya).request(method, path, headers=key(), **sent)

    assert (answer.status_code, answer.json()["detail"]) == (422, detail)
    assert answer.json()["hint"].startswith(hint), answer.json()["hint"]
    assert answer.json()["errors"][0]["message"] == detail
    assert not re.search(r"Input should|valid dictionary|Field required", answer.text)


def test_an_unusable_request_key_is_named_too(world: World, maya: Identity) -> None:
    client = world.client(maya)

    missing = client.post("/actions", json=NEW_ACTION).json()
    wrong = client.post("/actions", json=NEW_ACTION, headers={"idempotency-key": "two words"}).json()

    assert missing["detail"] == "Idempotency-Key is missing."
    assert wrong["detail"] == "Idempotency-Key holds characters that it may not."
    assert wrong["hint"] == "Expected: text that matches ^[A-Za-z0-9_.:-]+$."


def test_what_is_refused_in_a_way_nobody_foresaw_is_still_named() -> None:
    (told,) = refusals([{"type": "from_the_future", "loc": ("body", "x"), "msg": "?"}])
    (unnamed,) = refusals([{"type": "string_too_long", "loc": ("query", "x"), "msg": "?", "ctx": {"limit": 3}}])

    assert told.message == "x cannot be taken."
    assert told.hint == unnamed.hint == "The description of this address says what it takes."


def test_many_more_than_can_be_served_are_refused_in_order_and_the_next_is_served(
    world: World, maya: Identity, made: Callable[..., FastAPI]
) -> None:
    app = made()
    app.state.turns = Turns(at_once=2, waiting=3)
    cookies = dict(world.client(maya).cookies)

    async def go() -> tuple[list[httpx.Response], httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api", cookies=cookies) as client:
            crowd = [asyncio.create_task(client.get("/notices")) for _ in range(30)]
            well = await client.get("/health")
            return await asyncio.gather(*crowd), well, await client.get("/notices")

    crowd, well, after = asyncio.run(go())

    assert Counter(answer.status_code for answer in crowd) == {200: 5, 503: 25}
    refused = next(answer for answer in crowd if answer.status_code == 503)
    assert (refused.headers["retry-after"], refused.json()["code"]) == ("2", "overloaded")
    assert (well.status_code, after.status_code) == (200, 200)
