"""Actions over HTTP: what is answered is in the database, once, and a refusal loses nothing that was typed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.auth import Identity
from tests.api.asking import a_new_action, key, open_action
from tests.api.conftest import World

CLOSING = {"result": "successful", "done_intervention": "training", "closing_note": "Trained four people."}


def test_a_new_action_is_there_when_the_answer_is(world: World, maya: Identity) -> None:
    action = open_action(world, world.client(maya), title="Talk about SMS", due_date="2027-01-15")

    assert (
        world.estate.one("select title from app.actions where action_id = %s", action["action_id"]) == "Talk about SMS"
    )
    assert (action["status"], action["version"], action["due_date"]) == ("new", 1, "2027-01-15")
    assert action["owner_user_id"] == str(maya.user_id)


def test_the_same_request_twice_is_one_action(world: World, maya: Identity) -> None:
    client, header, body = world.client(maya), key(), a_new_action(world.account())

    first, again = (client.post("/actions", json=body, headers=header) for _ in range(2))

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()


def test_fifty_requests_at_once_on_two_servers_are_one_action(world: World, maya: Identity, second_server: str) -> None:
    header, body = key(), a_new_action(world.account())
    clients = [world.client(maya), world.client(maya, url=second_server)]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda turn: clients[turn % 2].post("/actions", json=body, headers=header), range(50)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert world.estate.one("select count(*) from app.actions where account_key = %s", body["account_key"]) == 1


def test_the_same_key_with_another_body_is_refused(world: World, maya: Identity) -> None:
    client, header, body = world.client(maya), key(), a_new_action(world.account())
    client.post("/actions", json=body, headers=header)

    answer = client.post("/actions", json={**body, "title": "Something else"}, headers=header)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")
    assert world.estate.one("select count(*) from app.actions where account_key = %s", body["account_key"]) == 1


@pytest.mark.parametrize(
    "header", [{}, {"idempotency-key": ""}, {"idempotency-key": "a b"}, {"idempotency-key": "x" * 201}]
)
def test_a_write_without_a_usable_key_is_refused(world: World, maya: Identity, header: dict[str, str]) -> None:
    answer = world.client(maya).post("/actions", json=a_new_action(world.account()), headers=header)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_the_slower_of_two_editors_is_told_what_changed_and_keeps_what_they_typed(
    world: World, maya: Identity, harriet: Identity
) -> None:
    action = open_action(world, world.client(maya), title="As it was")
    path = f"/actions/{action['action_id']}"
    world.client(harriet).patch(path, json={"version": 1, "title": "As Harriet wrote"}, headers=key())

    answer = world.client(maya).patch(path, json={"version": 1, "title": "As Maya wrote"}, headers=key())

    told = answer.json()
    assert (answer.status_code, told["code"]) == (409, "stale_version")
    assert told["yours"] == {"version": 1, "title": "As Maya wrote"}
    assert told["current"]["title"] == "As Harriet wrote"
    assert [(one["actor_name"], one["field"], one["before"]) for one in told["changes"]] == [
        ("Harriet Cole", "title", "As it was")
    ]
    assert world.client(maya).get(path).json()["action"]["title"] == "As Harriet wrote"


def test_an_edit_changes_what_it_names_and_null_is_a_value(world: World, maya: Identity) -> None:
    client = world.client(maya)
    action = open_action(world, client, due_date="2027-01-15", reason="usage_decline")

    answer = client.patch(
        f"/actions/{action['action_id']}", json={"version": 1, "due_date": None, "priority": "high"}, headers=key()
    )

    changed = answer.json()
    assert (changed["due_date"], changed["priority"], changed["reason"]) == (None, "high", "usage_decline")
    assert changed["version"] == 2


def test_an_illegal_move_is_refused_with_the_legal_ones(world: World, maya: Identity) -> None:
    client = world.client(maya)
    action = open_action(world, client)
    path = f"/actions/{action['action_id']}"

    answer = client.post(f"{path}/transitions", json={"version": 1, "to_status": "blocked"}, headers=key())

    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert answer.json()["legal"] == client.get(path).json()["legal_moves"] == [
        "in_progress", "snoozed", "closed", "cancelled",
    ]  # fmt: skip


def test_an_action_goes_from_new_to_closed_with_its_story(world: World, maya: Identity) -> None:
    client = world.client(maya)
    path = f"/actions/{open_action(world, client)['action_id']}"

    client.post(f"{path}/transitions", json={"version": 1, "to_status": "in_progress"}, headers=key())
    client.post(f"{path}/notes", json={"note": "They want SMS."}, headers=key())
    closed = client.post(f"{path}/close", json={"version": 2, "minutes": 30, **CLOSING}, headers=key())

    told = client.get(path).json()
    assert closed.status_code == 200
    assert told["action"]["status"] == "closed"
    assert [note["body"] for note in told["notes"]] == ["They want SMS."]
    assert told["outcomes"][0]["minutes"] == 30
    assert [event["kind"] for event in told["events"]][:2] == ["created", "status_changed"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("close", {"version": 1, **CLOSING, "closing_note": "  "}, "closing_note"),
        ("transitions", {"version": 1, "to_status": "snoozed"}, "snoozed_until"),
        ("transitions", {"version": 1, "to_status": "cancelled", "reason": "bored"}, "reason"),
        ("transitions", {"version": 1, "to_status": "done"}, "to_status"),
        ("transitions", {"to_status": "in_progress"}, "version"),
        ("notes", {"note": ""}, "note"),
        ("notes", {"note": "NUL \x00"}, "note"),
        ("notes", {"note": "x" * 20_001}, "note"),
        ("notes", {"note": "text", "author_user_id": str(UUID(int=7))}, "author_user_id"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_value_that_cannot_be_taken_is_named(
    world: World, maya: Identity, path: str, body: dict[str, Any], field: str
) -> None:
    client = world.client(maya)
    action = open_action(world, client)

    answer = client.post(f"/actions/{action['action_id']}/{path}", json=body, headers=key())

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert client.get(f"/actions/{action['action_id']}").json()["action"]["version"] == 1


def test_half_a_character_is_refused_and_not_a_crash(world: World, maya: Identity) -> None:
    client = world.client(maya)
    path = f"/actions/{open_action(world, client)['action_id']}"

    noted = client.post(f"{path}/notes", content=rb'{"note": "half \ud800"}', headers=key())
    stale = client.patch(path, content=rb'{"version": 7, "title": "half \ud800"}', headers=key())

    assert noted.status_code == 422
    assert stale.status_code in (409, 422)


@pytest.mark.parametrize("field", ["version", "created_by", "source", "status", "decision_id", "is_system"])
def test_fields_that_are_not_the_clients_are_refused(world: World, maya: Identity, field: str) -> None:
    account = world.account()

    answer = world.client(maya).post("/actions", json=a_new_action(account, **{field: "x"}), headers=key())

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe", b"{}" * 3, b"NaN"])
def test_a_body_that_is_no_request_is_refused(world: World, maya: Identity, content: bytes) -> None:
    answer = world.client(maya).post("/actions", content=content, headers=key())

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_lists_are_narrowed_by_what_is_asked(world: World, maya: Identity, tom: Identity) -> None:
    account = world.account()
    client = world.client(maya)
    mine = open_action(world, client, account_key=account, title="Mine", due_date="2027-02-01")
    toms = open_action(world, world.client(tom), account_key=account, title="Tom's")
    client.post(
        f"/actions/{mine['action_id']}/transitions", json={"version": 1, "to_status": "in_progress"}, headers=key()
    )

    def titles(**filters: Any) -> set[str]:
        answer = client.get("/actions", params={"account_key": account, **filters})
        assert answer.status_code == 200, answer.text
        return {one["title"] for one in answer.json()["items"]}

    assert titles() == {"Mine", "Tom's"}
    assert titles(mine=True) == {"Mine"}
    assert titles(owner_user_id=str(tom.user_id)) == {"Tom's"}
    assert titles(status=["in_progress", "blocked"]) == {"Mine"}
    assert titles(category="not_started") == {"Tom's"}
    assert titles(due_from="2027-01-01", due_before="2027-03-01") == {"Mine"}
    assert titles(search="tom") == {"Tom's"}
    assert toms["owner_user_id"] == str(tom.user_id)


def test_pages_hold_every_action_once_in_the_order_of_the_whole_list(world: World, maya: Identity) -> None:
    account, client = world.account(), world.client(maya)
    for due, priority in (("2027-03-01", "low"), ("2027-03-01", "critical"), (None, "high"), ("2027-01-15", "low")):
        open_action(world, client, account_key=account, due_date=due, priority=priority)
    for _ in range(3):
        ended = open_action(world, client, account_key=account)
        move = {"version": 1, "to_status": "cancelled", "reason": "duplicate"}
        moved = client.post(f"/actions/{ended['action_id']}/transitions", json=move, headers=key())
        assert moved.status_code == 200, moved.text

    def page(cursor: str | None, limit: int) -> dict[str, Any]:
        params = {"account_key": account, "limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = client.get("/actions", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    whole = page(None, 7)
    found, cursor = [], None
    while True:
        part = page(cursor, 2)
        found += part["items"]
        cursor = part["next_cursor"]
        if cursor is None:
            break

    assert whole["next_cursor"] is None
    assert len(whole["items"]) == 7
    assert [one["action_id"] for one in found] == [one["action_id"] for one in whole["items"]]


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "bnVsbA", "%00"])
def test_a_cursor_that_is_not_ours_is_refused(world: World, maya: Identity, cursor: str) -> None:
    assert world.client(maya).get("/actions", params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1e9"])
def test_a_page_is_bounded(world: World, maya: Identity, limit: str) -> None:
    assert world.client(maya).get("/actions", params={"limit": limit}).status_code == 422


@pytest.mark.parametrize("action_id", [str(UUID(int=9)), "1", "not-an-id", "'; drop table app.actions; --", "%00"])
def test_an_action_that_does_not_exist_is_not_found_or_no_id(world: World, maya: Identity, action_id: str) -> None:
    answer = world.client(maya).get(f"/actions/{action_id}")

    assert answer.status_code in (404, 422)
    assert answer.json()["detail"]


def test_an_admin_moves_many_actions_and_hears_of_those_that_stay(
    world: World, maya: Identity, tom: Identity, harriet: Identity
) -> None:
    client = world.client(maya)
    first, second = (open_action(world, client)["action_id"] for _ in range(2))
    client.post(f"/actions/{second}/close", json={"version": 1, **CLOSING}, headers=key())

    answer = world.client(harriet).post(
        "/actions/reassign",
        json={"action_ids": [first, second, str(UUID(int=5))], "owner_user_id": str(tom.user_id)},
        headers=key(),
    )

    told = answer.json()
    assert answer.status_code == 200
    assert [one["action_id"] for one in told["changed"]] == [first]
    assert {one["action_id"] for one in told["refused"]} == {second, str(UUID(int=5))}


def test_the_workload_counts_what_people_have_to_do(world: World, harriet: Identity) -> None:
    luca = world.estate.user("Luca Marin")
    open_action(world, world.client(luca))

    items = world.client(harriet).get("/workload").json()["items"]

    assert [one["open_count"] for one in items if one["user_id"] == str(luca.user_id)] == [1]


def test_a_new_action_is_told_today_and_which_weekdays_are_free(world: World, maya: Identity) -> None:
    starting = world.client(maya).get("/actions/starting").json()

    off = [date.fromisoformat(day) for day in starting["days_off"]]
    today = date.fromisoformat(starting["today"])
    assert abs((today - datetime.now(UTC).date()).days) <= 1
    assert off == sorted(off)
    assert all(today <= day <= today + timedelta(days=366) and day.weekday() < 5 for day in off)
    # in England every Christmas makes one weekday free at least, by itself or in lieu
    assert any((day.month, day.day) in {(12, 25), (12, 26), (12, 27), (12, 28)} for day in off)
