"""The examples in openapi.json are what the real server was sent and said: a walk through every operation.

`UPDATE_EXAMPLES=1` writes them anew. What differs from run to run (ids, moments, days, secrets) is put in plain form.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest

from api import examples
from api.main import bare_app
from app.auth import Role
from app.clock import real_now
from app.suggestions import service as suggestions
from local.postgres import Postgres
from tests.api.asking import a_new_action, key
from tests.api.conftest import World, a_world
from tests.app.factories import NOW, PASSWORD

COMMAND = "UPDATE_EXAMPLES=1 python -m pytest tests/api/test_examples.py && python -m api.openapi > api/openapi.json"
SHOWN = 2  # items of a list
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PLAIN = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "2026-11-20T09:30:00Z"),
    (re.compile(r"\d{4}-\d\d-\d\d(?!T)"), "2026-11-20"),
    (re.compile(r"\b\d{1,2} [A-Z][a-z]{2}( \d{4})?\b"), "20 Nov 2026"),
    (re.compile(r"ait_[\w-]+"), "ait_SECRET"),
    (re.compile(r"(?<=secret=)[A-Z2-7]{16,}"), "JBSWY3DPEHPK3PXP"),
    (re.compile(r"^[A-Z2-7]{32}$"), "JBSWY3DPEHPK3PXP"),
)
_BY_WEEKDAY = {
    "booked_minutes",
    "due_this_week_count",
    "minutes_this_week",
}  # what is due in days is due this week or not


class Recorder:
    """Calls operations and keeps the first success of each."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self._ids: dict[str, str] = {}
        self._names = {
            (method.upper(), path): operation["operationId"]
            for path, methods in bare_app().openapi()["paths"].items()
            for method, operation in methods.items()
        }

    def __call__(self, client: httpx.Client, operation: str, body: Any = None, query: Any = None, **ids: Any) -> Any:
        """The answer to `operation`, like "GET /actions/{action_id}"; it must be a success."""
        method, path = operation.split()
        answer = client.request(method, path.format(**ids), json=body, params=query, headers=key())
        assert answer.is_success, f"{operation}: {answer.text}"
        kind = answer.headers.get("content-type", "")
        said = answer.json() if kind.startswith(examples.JSON) and answer.content else None
        if kind == examples.CSV:
            said = "".join(answer.content.decode("utf-8-sig").splitlines(keepends=True)[: 1 + SHOWN])
        example = {"query": query, "request": body, "response": said}
        plain = {name: self._plain(value) for name, value in example.items() if value is not None}
        self.kept.setdefault(self._names[method, path], plain)
        return said

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: 0 if name in _BY_WEEKDAY else self._plain(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._plain(inner) for inner in value[:SHOWN]]
        if not isinstance(value, str):
            return value
        for pattern, plain in _PLAIN:
            value = pattern.sub(plain, value)
        return _ID.sub(lambda found: self._ids.setdefault(found[0], str(UUID(int=len(self._ids) + 1))), value)


def walk(world: World) -> dict[str, dict[str, Any]]:
    """A day of a CSM and an admin, which uses every operation once at least."""
    call, estate = Recorder(), world.estate
    maya, harriet = estate.user(), estate.user("Harriet Cole", Role.ADMIN)
    account = world.account(account_name="Ashford Media", csm_email=maya.owner_email)
    estate.health(account, [64.0, 70.0])
    estate.invoice(account)
    estate.loads()
    estate.load("hubspot", "companies", "succeeded", real_now())
    person = {"contact_name": "Ada Quill", "job_title": "Head of CRM", "stakeholder_role": "champion"}
    estate.put("dim_contacts", contact_key="c1", account_key=account, is_champion=True, has_left=False, **person)
    with estate.work() as db:
        suggestions.evaluate(db, now=NOW, build_id=estate.publish())
    csm, admin = world.client(maya), world.client(harriet)
    agent = {"user-agent": "Mozilla/5.0"}
    csm.headers.update(agent)
    admin.headers.update(agent)
    later = str(real_now().date() + timedelta(days=14))

    # how one gets in
    call(csm, "GET /health")
    call(csm, "GET /session/ways")
    call(csm, "POST /session", {"email": maya.email, "password": PASSWORD})
    call(csm, "GET /session")
    call(csm, "POST /session/confirm", {"password": PASSWORD})
    call(csm, "GET /sessions")
    call(csm, "DELETE /sessions")
    made = call(csm, "POST /tokens", {"name": "Nightly sync", "scopes": ["read", "actions"], "days": 90})
    call(csm, "GET /tokens")
    call(csm, "DELETE /tokens/{token_id}", token_id=made["token"]["token_id"])

    # what one sees
    call(csm, "GET /search", query={"text": "ashford"})
    call(csm, "GET /accounts")
    for part in ("", "/health", "/contacts", "/events"):
        call(csm, "GET /accounts/{account_key}" + part, account_key=account)
    call(csm, "GET /pipeline")

    # suggestions
    found = call(csm, "GET /suggestions")["items"]
    one = found[0]
    named = {"suggestion_id": one["suggestion_id"]}
    call(csm, "GET /suggestions/{suggestion_id}", **named)
    call(csm, "POST /suggestions/exposures", {"kind": "shown", "suggestion_ids": [one["suggestion_id"]]})
    one = call(csm, "POST /suggestions/{suggestion_id}/snooze", {"version": one["version"], "until": later}, **named)
    one = call(csm, "POST /suggestions/{suggestion_id}/undo", {"version": one["version"]}, **named)
    call(csm, "POST /accounts/{account_key}/pulses", {"score": 4}, account_key=account)
    call(csm, "GET /accounts/{account_key}/pulses", account_key=account)
    no = {"version": one["version"], "reason": "wrong_data", "note": "This invoice was paid on Monday."}
    one = call(csm, "POST /suggestions/{suggestion_id}/dismiss", no, **named)
    wrong = call(csm, "GET /data-issues")["items"][0]
    call(csm, "GET /data-issues/{issue_id}", issue_id=wrong["issue_id"])
    found = {"version": wrong["version"], "resolution": "Stripe sent it a day late: it is paid now."}
    call(admin, "POST /data-issues/{issue_id}/resolve", found, issue_id=wrong["issue_id"])
    one = call(csm, "POST /suggestions/{suggestion_id}/undo", {"version": one["version"]}, **named)
    call(csm, "POST /suggestions/{suggestion_id}/accept", {"version": one["version"]}, **named)

    # actions
    call(csm, "GET /actions/starting")
    first = call(csm, "POST /actions", a_new_action(account))
    named = {"action_id": first["action_id"]}
    call(csm, "POST /actions/{action_id}/notes", {"note": "They want a demo of the new report."}, **named)
    contact = {"channel": "call", "was_reached": True, "minutes": 20, "person_reached": "Jo Ashford"}
    call(csm, "POST /actions/{action_id}/contacts", contact, **named)
    call(csm, "PATCH /actions/{action_id}", {"version": 1, "title": "Call the champion back"}, **named)
    move = {"version": 2, "to_status": "in_progress"}
    call(csm, "POST /actions/{action_id}/transitions", move, **named)
    call(csm, "GET /actions/{action_id}", **named)
    call(csm, "GET /actions")
    closing = {
        "version": 3,
        "result": "successful",
        "done_intervention": "diagnostic_call",
        "closing_note": "Usage is back.",
        "customer_response": "positive",
    }
    call(csm, "POST /actions/{action_id}/close", closing, **named)

    # many at once, and what is nobody's
    second = call(admin, "POST /actions", a_new_action(account, title="Review of the contract"))
    named = {"action_id": second["action_id"]}
    give = {"action_ids": [second["action_id"]], "owner_user_id": str(maya.user_id)}
    call(admin, "POST /actions/reassign", give)
    inbox = call(csm, "GET /notices")
    call(csm, "POST /notices/read", {"notice_ids": [inbox["items"][0]["notice_id"]]})
    change = {"kind": "cancel", "reason": "duplicate"}
    call(csm, "POST /actions/bulk/preview", {"change": change, "action_ids": [second["action_id"]]})
    items = [{"action_id": second["action_id"], "version": 2}]
    bulk = call(csm, "POST /actions/bulk", {"change": change, "items": items})
    call(csm, "POST /actions/bulk/{bulk_id}/undo", bulk_id=bulk["bulk_id"])
    third = call(admin, "POST /actions", a_new_action(account, title="Report on adoption"))
    call(csm, "POST /queue/{action_id}/claim", {"version": third["version"]}, action_id=third["action_id"])
    call(admin, "POST /actions", a_new_action(account, title="Training for the team"))
    call(csm, "POST /queue/claim-next")
    call(admin, "GET /workload")

    # playbooks and views
    book = {"playbook_id": call(csm, "GET /playbooks")["items"][0]["playbook_id"]}
    call(csm, "POST /playbooks/{playbook_id}/preview", {"account_key": account}, **book)
    run = call(csm, "POST /playbooks/{playbook_id}/start", {"account_key": account}, **book)["run"]
    call(csm, "GET /playbooks/runs")
    call(csm, "GET /playbooks/runs/{run_id}", run_id=run["run_id"])
    stop = {"version": run["version"], "reason": "The customer asked us to wait", "open_steps": "kept"}
    call(csm, "POST /playbooks/runs/{run_id}/stop", stop, run_id=run["run_id"])
    view = {"page": "actions", "name": "Overdue risks", "query": {"type": ["risk"]}, "is_shared": False}
    named = {"view_id": call(csm, "POST /views", view)["view_id"]}
    call(csm, "GET /views", query={"page": "actions"})
    call(csm, "GET /views/{view_id}", **named)
    call(csm, "PATCH /views/{view_id}", {**view, "is_shared": True, "version": 1}, **named)
    call(csm, "POST /views/{view_id}/remove", {"version": 2}, **named)
    file = {"dataset": "actions", "file_format": "csv"}
    call(csm, "GET /exports/{dataset}.{file_format}", query={"since": str(NOW.date())}, **file)

    # what an analyst asks
    text = "select account_name, mrr_eur from dim_accounts where mrr_eur > :least order by mrr_eur desc"
    asked = {"text": text, "parameters": {"least": "1000"}}
    call(admin, "GET /sql/tables")
    call(admin, "POST /sql/run", asked)
    call.kept["run_statement"]["response"]["duration_ms"] = 12
    call(admin, "POST /sql/plan", asked)
    call(admin, "GET /sql/history")
    for entry in call.kept["list_statements"]["response"]["items"]:
        entry["duration_ms"] = 12
    query = {"name": "Large accounts", "text": text, "is_shared": True}
    named = {"query_id": call(admin, "POST /sql/queries", query)["query_id"]}
    call(admin, "GET /sql/queries")
    call(admin, "POST /sql/queries/{query_id}/versions", {**query, "name": "Largest accounts", "version": 1}, **named)
    call(admin, "GET /sql/queries/{query_id}", **named)
    call(admin, "POST /sql/queries/{query_id}/remove", {"version": 2}, **named)

    # what an admin does about people; the second factor last, since it is asked for from then on
    call(admin, "GET /second-factor/roles")
    call(admin, "PUT /second-factor/roles/{role}", {"is_required": False}, role="csm")
    call(csm, "GET /second-factor")
    secret = call(csm, "POST /second-factor")["secret"]
    code = pyotp.totp.TOTP(secret).at(real_now())
    call(csm, "POST /second-factor/confirm", {"code": code})
    call.kept["confirm_second_factor"] = {"request": {"code": "123456"}}
    session = call(admin, "GET /sessions")[0]
    call(admin, "DELETE /users/{user_id}/second-factor", user_id=maya.user_id)
    call(admin, "DELETE /users/{user_id}/sessions", user_id=maya.user_id)
    call(admin, "DELETE /sessions/{session_id}", session_id=session["session_id"])
    call(csm, "DELETE /session")
    return call.kept


@pytest.fixture(scope="module")
def walked(postgres_server: Postgres, redis_url: str) -> Iterator[dict[str, dict[str, Any]]]:
    """What the walk recorded, on an estate of its own: figures and counts are then the same each time."""
    with a_world(postgres_server, redis_url.removesuffix("/0") + "/6") as world:
        yield walk(world)
        for client in world.clients:
            client.close()


def test_the_examples_are_what_the_server_says(walked: dict[str, dict[str, Any]]) -> None:
    text = json.dumps(walked, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_EXAMPLES"):
        examples.RECORDED.write_text(text)

    assert json.loads(examples.RECORDED.read_text()) == walked, f"run: {COMMAND}"


def test_every_operation_has_its_examples() -> None:
    missing: list[str] = []
    for methods in bare_app().openapi()["paths"].values():
        for operation in methods.values():
            bodies = [operation.get("requestBody", {})]
            bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            contents = [body.get("content", {}).get(kind) for body in bodies for kind in (examples.JSON, examples.CSV)]
            missing += [
                operation["operationId"] for content in contents if content is not None and "example" not in content
            ]

    assert missing == []
