"""The tracker over HTTP: bulk changes, the queue, contacts, playbooks, notices and saved views."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx

from app.auth import Identity
from tests.api.asking import key, open_action
from tests.api.conftest import World


def post(client: httpx.Client, path: str, status: int = 200, **body: Any) -> Any:
    """Send a write and give its answer, which must have this status."""
    answer = client.post(path, json=body, headers=key())
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def item(action: dict[str, Any]) -> dict[str, Any]:
    return {"action_id": action["action_id"], "version": action["version"]}


def test_a_bulk_change_is_previewed_made_and_undone(world: World, maya: Identity) -> None:
    client = world.client(maya)
    actions = [open_action(world, client, title=f"Step {number}") for number in range(2)]
    change = {"kind": "snooze", "until": "2027-01-11", "reason": "After the holidays"}

    lines = post(client, "/actions/bulk/preview", change=change, action_ids=[one["action_id"] for one in actions])
    made = post(client, "/actions/bulk", change=change, items=[item(one) for one in actions])
    undone = post(client, f"/actions/bulk/{made['bulk_id']}/undo")

    assert [line["after"] for line in lines["lines"]] == ["Snoozed until 11 Jan 2027"] * 2
    assert {one["status"] for one in made["changed"]} == {"snoozed"}
    assert {(one["status"], one["version"]) for one in undone["changed"]} == {("new", 3)}


def test_one_stale_action_of_a_bulk_change_costs_the_others_nothing(world: World, maya: Identity) -> None:
    client = world.client(maya)
    fresh, stale = (open_action(world, client) for _ in range(2))
    client.patch(f"/actions/{stale['action_id']}", json={"version": 1, "title": "Other"}, headers=key())

    made = post(
        client, "/actions/bulk", change={"kind": "cancel", "reason": "duplicate"}, items=[item(fresh), item(stale)]
    )

    assert [one["action_id"] for one in made["changed"]] == [fresh["action_id"]]
    assert [one["action_id"] for one in made["refused"]] == [stale["action_id"]]


def test_people_who_take_the_next_at_once_get_different_actions(
    world: World, maya: Identity, harriet: Identity, second_server: str
) -> None:
    queued = [open_action(world, world.client(harriet), priority="critical") for _ in range(6)]
    clients = [world.client(maya), world.client(maya, url=second_server)]

    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda turn: post(clients[turn % 2], "/queue/claim-next"), range(6)))

    ids = [one["action"]["action_id"] for one in taken]
    assert len(set(ids)) == 6
    assert set(ids) == {one["action_id"] for one in queued}
    assert {one["action"]["owner_user_id"] for one in taken} == {str(maya.user_id)}


def test_what_somebody_has_cannot_be_claimed(world: World, maya: Identity, harriet: Identity) -> None:
    action = open_action(world, world.client(harriet))
    taken = post(world.client(maya), f"/queue/{action['action_id']}/claim", version=1)

    again = world.client(harriet).post(f"/queue/{action['action_id']}/claim", json={"version": 2}, headers=key())

    assert taken["owner_user_id"] == str(maya.user_id)
    assert (again.status_code, again.json()["detail"]) == (422, "Somebody has this action already.")


def test_a_contact_is_in_the_story_and_leaves_the_version(world: World, maya: Identity) -> None:
    client = world.client(maya)
    action = open_action(world, client)

    contact = post(
        client,
        f"/actions/{action['action_id']}/contacts",
        status=201,
        channel="call",
        was_reached=True,
        minutes=20,
        person_reached="Dana Fox",
    )
    detail = client.get(f"/actions/{action['action_id']}").json()

    assert detail["contacts"] == [contact]
    assert detail["action"]["version"] == 1


def test_a_playbook_started_over_http_has_its_steps_as_actions_and_stops_with_them(
    world: World, maya: Identity
) -> None:
    client, account_key = world.client(maya), world.account()
    chosen = client.get("/playbooks").json()["items"][0]
    planned = post(client, f"/playbooks/{chosen['playbook_id']}/preview", account_key=account_key)

    started = post(client, f"/playbooks/{chosen['playbook_id']}/start", status=201, account_key=account_key)
    twice = client.post(f"/playbooks/{chosen['playbook_id']}/start", json={"account_key": account_key}, headers=key())
    stopped = post(
        client,
        f"/playbooks/runs/{started['run']['run_id']}/stop",
        version=1,
        reason="They chose another way.",
        open_steps="cancelled",
    )

    assert len(planned["steps"]) == started["total"] == len(chosen["steps"])
    assert started["state"] == "running"
    listed = client.get("/actions", params={"account_key": account_key, "limit": 50}).json()["items"]
    assert {one["playbook_run_id"] for one in listed} == {started["run"]["run_id"]}
    assert twice.status_code == 422
    assert "already running" in twice.json()["detail"]
    assert (stopped["state"], {one["status"] for one in stopped["run"]["steps"]}) == ("stopped", {"cancelled"})
    assert client.get("/playbooks/runs", params={"account_key": account_key}).json()["items"] == [stopped]


def test_a_person_given_work_finds_a_notice_and_reads_it(world: World, maya: Identity, harriet: Identity) -> None:
    open_action(world, world.client(harriet), title="Look into Brook", owner_user_id=str(maya.user_id))
    client = world.client(maya)

    inbox = client.get("/notices", params={"only_unread": True}).json()
    left = post(client, "/notices/read", notice_ids=None)

    assert any("Look into Brook" in notice["title"] + notice["body"] for notice in inbox["items"])
    assert inbox["unread_count"] >= 1
    assert left == {"unread_count": 0}


def test_a_saved_view_is_shared_by_its_id_and_gone_when_removed(
    world: World, maya: Identity, harriet: Identity
) -> None:
    client, colleague = world.client(maya), world.client(harriet)
    body = {"page": "actions", "name": f"Late {uuid4().hex[:6]}", "query": {"status": ["New"]}, "is_shared": True}

    view = post(client, "/views", status=201, **body)
    seen = colleague.get(f"/views/{view['view_id']}").json()
    refused = colleague.patch(f"/views/{view['view_id']}", json={**body, "version": 1}, headers=key())
    renamed = client.patch(f"/views/{view['view_id']}", json={**body, "name": "Later", "version": 1}, headers=key())
    post(client, f"/views/{view['view_id']}/remove", status=204, version=2)

    assert seen == view
    assert refused.status_code == 403
    assert renamed.json()["name"] == "Later"
    assert colleague.get(f"/views/{view['view_id']}").status_code == 404
