"""Every part of the API has an exposure, and it names exactly the marts that its answers read."""

import asyncio
from collections import defaultdict
from uuid import uuid4

import httpx
import pytest

from api.main import bare_app, create_app
from app.auth import Identity
from app.db import engine
from app.exports.datasets import Dataset
from app.settings import get_settings
from tests.api.asking import open_action
from tests.api.conftest import World
from tests.exposures import declared, read_by


def test_an_exposure_names_exactly_what_its_routes_read(
    world: World, maya: Identity, harriet: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account()
    action = open_action(world, world.client(maya), account_key=account)["action_id"]
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    for kept in (get_settings, engine):
        kept.cache_clear()
    given = defaultdict(lambda: str(uuid4()), account_key=account, action_id=action, text="account", file_format="csv")
    described = bare_app().openapi()["paths"]
    gets = [(path, methods["get"]) for path, methods in described.items() if "get" in methods]
    gets += [(path.replace("{dataset}", one), each) for path, each in gets if "{dataset}" in path for one in Dataset]
    read: defaultdict[str, set[str]] = defaultdict(set)

    async def ask() -> None:
        through = httpx.ASGITransport(create_app(), raise_app_exceptions=False)
        cookies = world.client(harriet).cookies
        async with httpx.AsyncClient(transport=through, base_url=world.url, cookies=cookies) as client:
            for path, operation in gets:
                asked = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
                with read_by(engine()) as found:
                    answer = await client.get(
                        path.format_map(given), params={name: given[name] for name in asked if name in given}
                    )
                assert answer.status_code < 500, answer.text
                read[f"routes_{operation['tags'][0]}"] |= found

    asyncio.run(ask())
    engine().dispose()
    for kept in (get_settings, engine):  # of this process: the server that the other tests ask is another one
        kept.cache_clear()

    assert dict(read) == {name: marts for name, marts in declared().items() if name.startswith("routes_")}
