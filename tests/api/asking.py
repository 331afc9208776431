"""Requests that the tests of several routers make."""

from typing import Any
from uuid import uuid4

import httpx

from app.auth import Identity
from app.suggestions import service
from tests.api.conftest import World
from tests.app.factories import NOW


def key() -> dict[str, str]:
    """A header with a fresh request key."""
    return {"idempotency-key": uuid4().hex}


def a_new_action(account_key: str, **values: Any) -> dict[str, Any]:
    """A valid body for POST /actions."""
    defaults = {
        "account_key": account_key,
        "title": "Call the champion",
        "action_type": "risk",
        "intervention": "diagnostic_call",
    }
    return defaults | values


def open_action(world: World, client: httpx.Client, **values: Any) -> dict[str, Any]:
    """An action on an account of its own."""
    answer = client.post(
        "/actions", json=a_new_action(values.pop("account_key", None) or world.account(), **values), headers=key()
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def a_suggestion(world: World, csm: Identity) -> dict[str, Any]:
    """A suggestion about an overdue invoice of an account of this CSM's; each CSM has a budget of five a day."""
    account = world.account(csm_email=csm.owner_email)
    world.estate.invoice(account, f"in_{account[:8]}")
    build = world.estate.publish()
    with world.estate.work() as db:
        service.evaluate(db, now=NOW, build_id=build)
    items = world.client(csm).get("/suggestions", params={"account_key": account}).json()["items"]
    return next(one for one in items if one["reason"] == "payment")
