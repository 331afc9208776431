"""Who may call what: every route has a policy, and the policy is what happens."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from api.deps import Policy, Public
from api.main import bare_app, create_app
from app.auth import Identity
from app.settings import get_settings
from tests.api.asking import a_new_action, key, open_action
from tests.api.conftest import World
from tests.app.factories import PASSWORD

NOBODY = UUID(int=7)
EVERYBODY = {"anonymous", "csm", "analyst", "admin"}
SIGNED_IN = EVERYBODY - {"anonymous"}
WORKERS = {"csm", "admin"}
ANALYSTS = {"analyst", "admin"}

# Who gets past the policy of a route; what they may do to a thing of somebody else is the service's to decide.
ALLOWED = {
    ("GET", "/health"): EVERYBODY,
    ("POST", "/session"): EVERYBODY,
    ("DELETE", "/session"): EVERYBODY,
    ("GET", "/session"): SIGNED_IN,
    ("GET", "/session/ways"): EVERYBODY,
    ("GET", "/session/provider"): EVERYBODY,
    ("GET", "/session/provider/callback"): EVERYBODY,
    ("POST", "/session/confirm"): SIGNED_IN,
    ("GET", "/sessions"): SIGNED_IN,
    ("DELETE", "/sessions"): SIGNED_IN,
    ("DELETE", "/sessions/{session_id}"): SIGNED_IN,
    ("GET", "/second-factor"): SIGNED_IN,
    ("POST", "/second-factor"): SIGNED_IN,
    ("POST", "/second-factor/confirm"): SIGNED_IN,
    ("GET", "/second-factor/roles"): {"admin"},
    ("PUT", "/second-factor/roles/{role}"): {"admin"},
    ("DELETE", "/users/{user_id}/second-factor"): {"admin"},
    ("DELETE", "/users/{user_id}/sessions"): {"admin"},
    ("GET", "/tokens"): SIGNED_IN,
    ("POST", "/tokens"): SIGNED_IN,
    ("DELETE", "/tokens/{token_id}"): SIGNED_IN,
    ("GET", "/gate/user"): SIGNED_IN,
    ("GET", "/gate/admin"): {"admin"},
    ("GET", "/gate/hand-over"): EVERYBODY,
    ("GET", "/session/hand-over"): {"admin"},
    ("GET", "/search"): SIGNED_IN,
    ("GET", "/accounts"): SIGNED_IN,
    ("GET", "/accounts/{account_key}"): SIGNED_IN,
    ("GET", "/accounts/{account_key}/health"): SIGNED_IN,
    ("GET", "/accounts/{account_key}/contacts"): SIGNED_IN,
    ("GET", "/accounts/{account_key}/events"): SIGNED_IN,
    ("GET", "/actions"): SIGNED_IN,
    ("GET", "/actions/starting"): WORKERS,
    ("GET", "/actions/{action_id}"): SIGNED_IN,
    ("POST", "/actions"): WORKERS,
    ("PATCH", "/actions/{action_id}"): WORKERS,
    ("POST", "/actions/{action_id}/transitions"): WORKERS,
    ("POST", "/actions/{action_id}/close"): WORKERS,
    ("POST", "/actions/{action_id}/notes"): WORKERS,
    ("POST", "/actions/{action_id}/contacts"): WORKERS,
    ("POST", "/actions/reassign"): {"admin"},
    ("POST", "/actions/bulk/preview"): WORKERS,
    ("POST", "/actions/bulk"): WORKERS,
    ("POST", "/actions/bulk/{bulk_id}/undo"): WORKERS,
    ("POST", "/queue/claim-next"): WORKERS,
    ("POST", "/queue/{action_id}/claim"): WORKERS,
    ("GET", "/playbooks"): SIGNED_IN,
    ("GET", "/playbooks/runs"): SIGNED_IN,
    ("GET", "/playbooks/runs/{run_id}"): SIGNED_IN,
    ("POST", "/playbooks/runs/{run_id}/stop"): WORKERS,
    ("POST", "/playbooks/{playbook_id}/preview"): WORKERS,
    ("POST", "/playbooks/{playbook_id}/start"): WORKERS,
    ("GET", "/notices"): SIGNED_IN,
    ("POST", "/notices/read"): SIGNED_IN,
    ("GET", "/pipeline"): SIGNED_IN,
    ("GET", "/exports/{dataset}.{file_format}"): SIGNED_IN,
    ("GET", "/views"): SIGNED_IN,
    ("GET", "/views/{view_id}"): SIGNED_IN,
    ("POST", "/views"): SIGNED_IN,
    ("PATCH", "/views/{view_id}"): SIGNED_IN,
    ("POST", "/views/{view_id}/remove"): SIGNED_IN,
    ("GET", "/suggestions"): SIGNED_IN,
    ("GET", "/suggestions/{suggestion_id}"): SIGNED_IN,
    ("POST", "/suggestions/exposures"): WORKERS,
    ("POST", "/suggestions/{suggestion_id}/accept"): WORKERS,
    ("POST", "/suggestions/{suggestion_id}/dismiss"): WORKERS,
    ("POST", "/suggestions/{suggestion_id}/snooze"): WORKERS,
    ("POST", "/suggestions/{suggestion_id}/undo"): WORKERS,
    ("GET", "/data-issues"): SIGNED_IN,
    ("GET", "/data-issues/{issue_id}"): SIGNED_IN,
    ("POST", "/data-issues/{issue_id}/resolve"): ANALYSTS,
    ("GET", "/accounts/{account_key}/pulses"): SIGNED_IN,
    ("POST", "/accounts/{account_key}/pulses"): WORKERS,
    ("GET", "/workload"): {"admin"},
    **dict.fromkeys(
        [
            *(("POST", "/sql/run"), ("POST", "/sql/plan"), ("GET", "/sql/tables"), ("GET", "/sql/history")),
            *(("GET", "/sql/queries"), ("POST", "/sql/queries"), ("GET", "/sql/queries/{query_id}")),
            *(("POST", "/sql/queries/{query_id}/versions"), ("POST", "/sql/queries/{query_id}/remove")),
        ],
        ANALYSTS,
    ),
}
BODIES = {
    ("POST", "/actions"): a_new_action("0" * 32),
    ("PATCH", "/actions/{action_id}"): {"version": 1, "title": "Other"},
    ("POST", "/actions/{action_id}/transitions"): {"version": 1, "to_status": "in_progress"},
    ("POST", "/actions/{action_id}/close"): {
        "version": 1,
        "result": "successful",
        "done_intervention": "training",
        "closing_note": "Done.",
    },
    ("POST", "/actions/{action_id}/notes"): {"note": "A note"},
    ("POST", "/actions/{action_id}/contacts"): {"channel": "call", "was_reached": True},
    ("POST", "/actions/reassign"): {"action_ids": [str(NOBODY)], "owner_user_id": None},
    ("POST", "/actions/bulk/preview"): {
        "change": {"kind": "cancel", "reason": "duplicate"},
        "action_ids": [str(NOBODY)],
    },
    ("POST", "/actions/bulk"): {
        "change": {"kind": "cancel", "reason": "duplicate"},
        "items": [{"action_id": str(NOBODY), "version": 1}],
    },
    ("POST", "/queue/{action_id}/claim"): {"version": 1},
    ("POST", "/playbooks/runs/{run_id}/stop"): {"version": 1, "reason": "No longer wanted", "open_steps": "kept"},
    ("POST", "/playbooks/{playbook_id}/preview"): {"account_key": "0" * 32},
    ("POST", "/playbooks/{playbook_id}/start"): {"account_key": "0" * 32},
    ("POST", "/notices/read"): {"notice_ids": None},
    ("POST", "/views"): {"page": "actions", "name": "Mine", "query": {}, "is_shared": False},
    ("PATCH", "/views/{view_id}"): {"page": "actions", "name": "M", "query": {}, "is_shared": False, "version": 1},
    ("POST", "/views/{view_id}/remove"): {"version": 1},
    ("POST", "/suggestions/exposures"): {"kind": "shown", "suggestion_ids": [str(NOBODY)]},
    ("POST", "/suggestions/{suggestion_id}/accept"): {"version": 1},
    ("POST", "/suggestions/{suggestion_id}/dismiss"): {"version": 1, "reason": "bad_timing"},
    ("POST", "/suggestions/{suggestion_id}/snooze"): {"version": 1, "until": "2026-12-24"},
    ("POST", "/suggestions/{suggestion_id}/undo"): {"version": 1},
    ("POST", "/data-issues/{issue_id}/resolve"): {"version": 1, "resolution": "It was late."},
    ("POST", "/accounts/{account_key}/pulses"): {"score": 4},
    ("POST", "/second-factor/confirm"): {"code": "000000"},
    ("PUT", "/second-factor/roles/{role}"): {"is_required": False},
    ("POST", "/tokens"): {"name": "Mine", "scopes": ["read"], "days": 1},
    ("POST", "/sql/run"): {"text": "select 1 as one", "parameters": {}},
    ("POST", "/sql/plan"): {"text": "select 1 as one", "parameters": {}},
    ("POST", "/sql/queries"): {"name": "Mine", "text": "select 1", "is_shared": False},
    ("POST", "/sql/queries/{query_id}/versions"): {
        "name": "Mine",
        "text": "select 2",
        "is_shared": False,
        "version": 1,
    },
    ("POST", "/sql/queries/{query_id}/remove"): {"version": 1},
    ("POST", "/session/confirm"): {"password": PASSWORD},
    ("POST", "/session"): {"email": "nobody@force24.example", "password": "not the password"},
}


def calls(dependant: Dependant) -> Iterator[object]:
    """Every dependency of a route, however deep."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


def every_route(app: FastAPI) -> list[RouteContext]:
    """All routes of the application; `app.routes` alone holds included routers, and a walk over it sees nothing."""
    return list(iter_route_contexts(app.routes))


def routes() -> set[tuple[str, str]]:
    return {(method, one.path or "") for one in every_route(bare_app()) for method in one.methods or ()}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], FastAPI]]:
    """Makes the application of an environment, demo or production."""
    monkeypatch.setenv("APP_DATABASE_URL", "postgresql+psycopg://nobody:Jb3-oqF7tXw9LzK2vR8e@127.0.0.1:1/nothing")

    def make(environment: str) -> FastAPI:
        monkeypatch.setenv("ENVIRONMENT", environment)
        get_settings.cache_clear()
        return create_app()

    yield make
    get_settings.cache_clear()


@pytest.mark.parametrize("environment", ["demo", "production"])
def test_z01_every_route_has_a_policy(made: Callable[[str], FastAPI], environment: str) -> None:
    found = every_route(made(environment))

    without = [
        one.path
        for one in found
        if not isinstance(one.original_route, APIRoute)
        or not any(isinstance(call, (Policy, Public)) for call in calls(one.dependant))
    ]
    assert len(found) >= len(ALLOWED)
    assert without == []


def test_the_description_of_the_api_is_served_in_the_demo_only(made: Callable[[str], FastAPI]) -> None:
    demo, production = ({one.path for one in every_route(made(name))} for name in ("demo", "production"))

    assert demo - production == {"/docs", "/openapi.json"}


def test_z01_the_table_of_this_test_names_every_route() -> None:
    assert set(ALLOWED) == routes()


@pytest.mark.parametrize("who", ["anonymous", "csm", "analyst", "admin"])
@pytest.mark.parametrize("name", sorted(ALLOWED), ids=" ".join)
def test_z02_a_route_lets_in_whom_the_table_names(
    world: World, maya: Identity, alex: Identity, harriet: Identity, name: tuple[str, str], who: str
) -> None:
    method, path = name
    person = {"anonymous": None, "csm": maya, "analyst": alex, "admin": harriet}[who]
    filled = path.format_map(defaultdict(lambda: NOBODY, account_key="0" * 32, role="csm"))

    # signing out is done by somebody nobody else needs
    client = world.client(None if name == ("DELETE", "/session") else person)
    answer = client.request(method, filled, json=BODIES.get(name), headers=key())

    if name == ("POST", "/session"):
        assert answer.status_code in (401, 429)
    elif who in ALLOWED[name]:
        assert answer.status_code not in (401, 403, 500), answer.text
    else:
        assert answer.status_code == (401 if who == "anonymous" else 403)
        assert answer.json()["detail"]


def test_z03_a_csm_may_not_work_on_anothers_action_and_may_leave_a_note(
    world: World, maya: Identity, tom: Identity
) -> None:
    action = open_action(world, world.client(maya))
    stranger = world.client(tom)
    path = f"/actions/{action['action_id']}"

    refused = [
        stranger.patch(path, json={"version": 1, "title": "Mine now"}, headers=key()),
        stranger.post(f"{path}/transitions", json={"version": 1, "to_status": "in_progress"}, headers=key()),
        stranger.post(f"{path}/close", json=BODIES["POST", "/actions/{action_id}/close"], headers=key()),
    ]
    noted = stranger.post(f"{path}/notes", json={"note": "I know them, ask me."}, headers=key())

    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert noted.status_code == 201
    assert world.client(maya).get(path).json()["action"]["version"] == 1


def test_what_everybody_may_not_see_is_not_told_apart_from_what_does_not_exist(world: World, maya: Identity) -> None:
    client = world.client()

    answers = [
        client.get(f"/actions/{open_action(world, world.client(maya))['action_id']}"),
        client.get(f"/actions/{NOBODY}"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json() == answers[1].json()
