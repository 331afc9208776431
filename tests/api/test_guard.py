"""Requests from elsewhere, headers on every answer, and bodies that are too large."""

import itertools

import httpx
import pytest
from starlette.datastructures import Headers

from api.guard import refusal
from api.main import bare_app
from app.auth import Identity
from tests.api.asking import a_new_action, a_suggestion, key, open_action
from tests.api.conftest import World

HOST = "app.example"
SITES = [None, "same-origin", "none", "same-site", "cross-site"]
ORIGINS = [
    None,
    f"https://{HOST}",
    "https://evil.example",
    "null",
    f"https://{HOST}.evil.example",
    f"https://{HOST}:8443",
]
TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "text/plain;application/json",
    "application/json, text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    None,
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_only_json_from_our_own_page_may_write(kind: str | None) -> None:
    is_json = kind in ("application/json", "application/json; charset=utf-8")
    for site, origin in itertools.product(SITES, ORIGINS):
        given = {"host": HOST, "sec-fetch-site": site, "origin": origin, "content-type": kind}

        refused = refusal("POST", Headers({name: value for name, value in given.items() if value is not None}))

        is_ours = site in (None, "same-origin", "none") and origin in (None, f"https://{HOST}")
        expected = None if is_ours and is_json else 415 if is_ours else 403
        assert (refused.status_code if refused else None) == expected, given


def test_reading_needs_no_content_type() -> None:
    assert refusal("GET", Headers({"host": HOST, "sec-fetch-site": "cross-site"})) is None


def test_a_foreign_write_changes_nothing(world: World, maya: Identity) -> None:
    client = world.client(maya)
    account = world.account()

    refused = client.post("/actions", json=a_new_action(account), headers={**key(), "origin": "https://evil.example"})

    assert refused.status_code == 403
    assert client.get("/actions", params={"account_key": account}).json()["items"] == []


def checksums(world: World) -> dict[str, str]:
    """What all tables of schema app hold. That a session was used is the one thing that reading may leave behind."""
    rows = (
        "string_agg(md5((to_jsonb(t) - 'last_seen_at')::text), '' order by md5((to_jsonb(t) - 'last_seen_at')::text))"
    )
    names = world.estate.admin.execute("select tablename from pg_tables where schemaname = 'app'").fetchall()
    return {name: world.estate.one(f"select md5(coalesce({rows}, '')) from app.{name} as t") for (name,) in names}


def test_c07_get_never_writes(world: World, harriet: Identity) -> None:
    client = world.client(harriet)
    suggestion = a_suggestion(world, world.estate.user("Owner Ofone"))
    dismissed = {"version": suggestion["version"], "reason": "wrong_data"}
    client.post(f"/suggestions/{suggestion['suggestion_id']}/dismiss", json=dismissed, headers=key()).raise_for_status()
    action = open_action(world, client)
    view = {"page": "actions", "name": "Mine", "query": {}, "is_shared": False}
    query = {"name": "One", "text": "select 1 as one", "is_shared": False}
    playbook = client.get("/playbooks").json()["items"][0]["playbook_id"]
    start = {"account_key": action["account_key"]}
    known = {
        "account_key": action["account_key"],
        "action_id": action["action_id"],
        "suggestion_id": suggestion["suggestion_id"],
        "view_id": client.post("/views", json=view, headers=key()).json()["view_id"],
        "run_id": client.post(f"/playbooks/{playbook}/start", json=start, headers=key()).json()["run"]["run_id"],
        "query_id": client.post("/sql/queries", json=query, headers=key()).json()["query_id"],
        "issue_id": client.get("/data-issues").json()["items"][0]["issue_id"],
        "dataset": "actions",
        "file_format": "csv",
    }
    hand_over = {"to": "orchestrator", "asked": "a" * 43}
    asked = {"/search": {"text": "a"}, "/views": {"page": "actions"}, "/session/hand-over": hand_over}
    paths = [path for path, methods in bare_app().openapi()["paths"].items() if "get" in methods]
    before = checksums(world)

    said = {path: client.get(path.format(**known), params=asked.get(path, {})) for path in paths}

    # what leads to the orchestrator is opened by a person only: it leaves a ticket
    other_door = {"/session/hand-over": 406}
    refused = {path: answer for path, answer in said.items() if answer.status_code not in (200, 204, 302)}
    assert {path: answer.status_code for path, answer in refused.items()} == other_door, refused
    assert len(said) > 20
    assert len(before) > 20
    assert checksums(world) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/nowhere"),
        ("GET", "/actions"),
        ("POST", "/actions"),
        ("PUT", "/actions"),
        ("GET", "/docs"),
    ],
)
def test_every_answer_carries_the_headers_and_names_no_software(world: World, method: str, path: str) -> None:
    answer = httpx.request(method, world.url + path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_a_foreign_origin_gets_no_permission_to_read(world: World) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    answer = httpx.options(f"{world.url}/actions", headers=asked)

    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_over_the_limit_is_refused(world: World, maya: Identity, is_chunked: bool) -> None:
    body = b'{"note": "' + b"x" * 300_000 + b'"}'

    answer = world.client(maya).post(
        "/actions/00000000-0000-0000-0000-000000000007/notes",
        content=iter([body[:100_000], body[100_000:]]) if is_chunked else body,
        headers=key(),
    )

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
