"""Requests that the tests of several routers make."""

from typing import Any
from uuid import uuid4

import httpx

from tests.api.conftest import World


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
