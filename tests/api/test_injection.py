"""Whatever a request holds reaches the database as a value: no statement that is sent there has a part of it.

A scanner would guess from answers and from how long they take. Here the statements themselves are read, which misses
nothing and takes no guess. What analysts ask in SQL goes another way; tests/sandbox is about that.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import event

from api.main import bare_app
from app.auth import Role
from app.db import engine
from tests.api.asking import key
from tests.api.conftest import World
from tests.api.test_policy import BODIES, NOBODY

MARK = "zqs15"
ATTACK = f"{MARK}' or 1=1) union select null,pg_sleep(9); --\"`$${MARK}$$ /* :{MARK} %s %({MARK})s {{0}} \\"


def _attacked(body: Any) -> Iterator[Any]:
    """A body as often as it holds a text, each time with the attack in another place."""
    if isinstance(body, str):
        yield ATTACK
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from ({**body, name: one} for one in _attacked(value))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from ([*body[:place], one, *body[place + 1 :]] for one in _attacked(value))


def _requests(known: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every described operation with the attack in each of its parameters and in each text of its body."""
    for path, methods in bare_app().openapi()["paths"].items():
        for method, operation in methods.items():
            plain = {"method": method.upper(), "json": BODIES.get((method.upper(), path)), "headers": key()}
            names = [(one["in"], one["name"]) for one in operation.get("parameters", [])]
            query = {name: known[name] for where, name in names if where == "query" and name in known}

            def url(path: str = path, **given: str) -> str:
                return path.format_map(defaultdict(lambda: str(NOBODY), known | given))

            for where, name in names:
                if where == "path":
                    yield {**plain, "url": url(**{name: httpx.QueryParams(x=ATTACK).__str__()[2:].replace("+", "%20")})}
                elif where == "query":
                    yield {**plain, "url": url(), "params": {**query, name: ATTACK}}
                elif where == "header":
                    yield {**plain, "url": url(), "headers": {**plain["headers"], name: ATTACK}}
            for body in _attacked(plain["json"]):
                yield {**plain, "url": url(), "json": body}


def test_s15_nothing_that_a_request_holds_becomes_part_of_a_statement(
    world: World, made: Callable[..., FastAPI]
) -> None:
    known = {"account_key": world.account(), "dataset": "accounts", "file_format": "csv", "role": "csm"}
    known |= {"page": "actions", "to": "orchestrator"}
    signed_in = dict(world.client(world.estate.user("Nora Quill", Role.ADMIN)).cookies)
    app = made()
    sent: list[tuple[str, bool]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, MARK in str(parameters)))

    async def answers() -> list[tuple[str, int]]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api", cookies=signed_in) as client:
            return [
                (f"{one['method']} {one['url']}", (await client.request(**one)).status_code) for one in _requests(known)
            ]

    event.listen(engine(), "before_cursor_execute", note)
    told = asyncio.run(answers())

    assert [statement for statement, _ in sent if MARK in statement] == []
    assert [(asked, status) for asked, status in told if status >= 500] == []
    assert len(told) > 120
    reached = {statement for statement, has_it in sent if has_it}
    assert len(reached) >= 10, "as a value it does reach the tables: what is refused before proves nothing"
