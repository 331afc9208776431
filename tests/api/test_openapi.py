"""The committed description is what the code says, and it promises what the generated client relies on."""

import json
from pathlib import Path
from typing import Any

import pytest

from api import openapi
from api.docs import page
from app.api_tokens import Scope
from app.metrics import metrics
from app.settings import Settings

COMMITTED = Path(openapi.__file__).with_name("openapi.json")
METHODS = {"get", "post", "patch", "put", "delete"}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return json.loads(openapi.description())


def operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for path in description["paths"].values() for method, one in path.items() if method in METHODS]


def reachable(description: dict[str, Any], schema: Any, seen: set[str]) -> None:
    """Names of all schemas below one."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        if name and name not in seen:
            seen.add(name)
            reachable(description, description["components"]["schemas"][name], seen)
        for value in schema.values():
            reachable(description, value, seen)
    elif isinstance(schema, list):
        for value in schema:
            reachable(description, value, seen)


def test_the_committed_description_is_the_current_one() -> None:
    assert COMMITTED.read_text() == openapi.description(), "run: python -m api.openapi > api/openapi.json"


def test_answers_always_hold_every_field(description: dict[str, Any]) -> None:
    answered: set[str] = set()
    for operation in operations(description):
        reachable(description, operation["responses"], answered)

    optional = {
        name: sorted(set(schema["properties"]) - set(schema.get("required", ())))
        for name, schema in description["components"]["schemas"].items()
        if name in answered and "properties" in schema
    }
    assert answered >= {"Account", "ActionDetail", "Suggestion", "Problem"}
    # of a refusal only what says something is there; then it is never null
    said = {"changes", "current", "error_id", "legal", "yours"}
    assert {name: set(fields) for name, fields in optional.items() if fields} == {"Problem": said}
    properties = description["components"]["schemas"]["Problem"]["properties"]
    assert [name for name in said if "null" in json.dumps(properties[name])] == []


def test_every_write_but_those_of_identity_takes_a_request_key(description: dict[str, Any]) -> None:
    without = [
        f"{method} {path}"
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if method != "get"
        and not any(one["name"] == "Idempotency-Key" and one["required"] for one in operation.get("parameters", ()))
    ]

    # what concerns a session or a secret is shown once or has the same effect twice; a statement of SQL only reads
    assert {path.split()[1].split("/")[1] for path in without} == {
        *("session", "sessions", "second-factor", "tokens", "users", "sql")
    }
    assert {path for path in without if "/sql" in path} == {"post /sql/run", "post /sql/plan"}


def test_operations_have_names_and_refusals_are_problems(description: dict[str, Any]) -> None:
    names = [one["operationId"] for one in operations(description)]

    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)
    assert {kind for one in operations(description) for kind in one["responses"]["4XX"]["content"]} == {
        "application/problem+json"
    }


def test_each_operation_says_who_gets_in(description: dict[str, Any]) -> None:
    asked = {
        f"{method} {path}": [
            " ".join([scheme, *scopes]) for way in operation["security"] for scheme, scopes in way.items()
        ]
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }

    assert set(description["components"]["securitySchemes"]) == {"session", "token"}
    assert {name for name, ways in asked.items() if not ways} == {
        *("get /health", "post /session", "delete /session", "get /session/ways"),
        *("get /session/provider", "get /session/provider/callback"),
    }
    assert asked["get /accounts"] == asked["get /exports/{dataset}.{file_format}"] == ["session", "token read"]
    assert asked["post /actions"] == ["session", "token actions"]
    assert asked["post /suggestions/{suggestion_id}/accept"] == ["session", "token suggestions"]
    # a token that may only read changes nothing, not even what is read
    assert asked["post /notices/read"] == ["session", "token read actions", "token read suggestions"]
    for own in ("post /tokens", "get /sessions", "delete /users/{user_id}/second-factor", "post /actions/reassign"):
        assert asked[own] == ["session"]


def test_the_limits_and_scopes_of_the_description_are_those_of_the_code(description: dict[str, Any]) -> None:
    said = description["info"]["description"]
    limits = Settings.model_fields

    assert f"{limits['api_requests_per_minute'].default} times a minute" in said
    assert f"{limits['api_exports_per_minute'].default} files a minute" in said
    assert {f"`{scope}`" for scope in Scope} <= set(said.replace(",", " ").split())
    assert "gate" not in str(sorted(description["paths"]))


def test_the_page_for_people_lists_every_operation_and_loads_nothing(description: dict[str, Any]) -> None:
    shown = page(description)

    assert shown.count("<dt>") == len(operations(description))
    assert "http" not in shown.replace("</", "")
    assert "<script" not in shown


def test_fields_that_hold_a_metric_say_what_it_counts(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]

    assert schemas["Account"]["properties"]["mrr_eur"]["description"] == metrics()["mrr"].definition
    assert schemas["HealthPoint"]["properties"]["score"]["description"] == metrics()["health_score"].definition
