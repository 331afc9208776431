"""Zendesk's wire contract: exports, lists, OAuth, four error envelopes, two budgets."""

from typing import Any

import httpx
import psycopg
import pytest

from tests.simulator.conftest import SECRET, Vendors, token


def export(client: httpx.Client, kind: str, start: int = 0, per_page: int = 1000) -> list[dict[str, Any]]:
    """Every record of a cursor export."""
    params: dict[str, Any] = {"start_time": start, "per_page": per_page, "include": "metric_sets"}
    found: list[dict[str, Any]] = []
    while True:
        body = client.get(f"/api/v2/incremental/{kind}/cursor.json", params=params).json()
        found += body[kind]
        if body["end_of_stream"]:
            return found
        params = {"cursor": body["after_cursor"], "per_page": per_page, "include": "metric_sets"}


def stored(vendors: Vendors, kind: str) -> set[int]:
    with psycopg.connect(vendors.settings.simulator_dsn) as db:
        return {row[0] for row in db.execute("select id from zendesk_objects where kind = %s", [kind])}


@pytest.mark.parametrize("per_page", [13, 1000])
@pytest.mark.parametrize("kind", ["tickets", "users"])
def test_a_cursor_export_delivers_every_record_once_in_order_of_change(
    vendors: Vendors, kind: str, per_page: int
) -> None:
    found = export(vendors.zendesk, kind, per_page=per_page)

    ids = [one["id"] for one in found]
    assert len(ids) == len(set(ids))
    assert set(ids) == stored(vendors, kind)
    if kind == "tickets":
        clocks = [one["generated_timestamp"] for one in found]
        assert clocks == sorted(clocks)


def test_a_ticket_carries_its_metrics_only_when_asked(vendors: Vendors) -> None:
    path = "/api/v2/incremental/tickets/cursor.json"

    without = vendors.zendesk.get(path, params={"start_time": 0, "per_page": 3}).json()["tickets"]
    included = vendors.zendesk.get(path, params={"start_time": 0, "per_page": 3, "include": "metric_sets,users"}).json()

    assert all("metric_set" not in ticket for ticket in without)
    assert all(ticket["metric_set"]["ticket_id"] == ticket["id"] for ticket in included["tickets"])
    assert {user["id"] for user in included["users"]} == {ticket["requester_id"] for ticket in included["tickets"]}
    assert all(ticket["url"].startswith(str(vendors.zendesk.base_url)) for ticket in without)


def test_an_empty_page_is_not_the_end(vendors: Vendors) -> None:
    vendors.zendesk.post("/__switches", json={"empty_page_next": 2})

    body = vendors.zendesk.get("/api/v2/incremental/tickets/cursor.json", params={"start_time": 0}).json()

    assert body["tickets"] == []
    assert body["end_of_stream"] is False
    assert {one["id"] for one in export(vendors.zendesk, "tickets")} == stored(vendors, "tickets")


def test_the_newest_minute_is_held_back(vendors: Vendors) -> None:
    (moved,) = vendors.do("system_update", seconds_ago=5)
    since = vendors.now() - 3_600

    assert moved not in {one["id"] for one in export(vendors.zendesk, "tickets", since)}

    (moved,) = vendors.do("system_update", ids=[moved], seconds_ago=90)

    assert moved in {one["id"] for one in export(vendors.zendesk, "tickets", since)}


def test_a_system_update_moves_one_clock_only(vendors: Vendors) -> None:
    before = {one["id"]: one for one in export(vendors.zendesk, "tickets")}

    (moved,) = vendors.do("system_update", seconds_ago=65)

    after = {one["id"]: one for one in export(vendors.zendesk, "tickets")}
    assert after[moved]["updated_at"] == before[moved]["updated_at"]
    assert after[moved]["generated_timestamp"] > before[moved]["generated_timestamp"]


def test_a_start_time_younger_than_a_minute_is_a_422(vendors: Vendors) -> None:
    for kind in ("tickets/cursor", "organizations"):
        answer = vendors.zendesk.get(f"/api/v2/incremental/{kind}.json", params={"start_time": vendors.now() + 5})
        assert answer.status_code == 422
        assert "Too recent start_time" in answer.json()["description"]


def test_a_refused_cursor_is_a_400(vendors: Vendors) -> None:
    answer = vendors.zendesk.get("/api/v2/incremental/tickets/cursor.json", params={"cursor": "bm90IG91cnM="})

    assert answer.status_code == 400


def test_a_time_export_repeats_the_boundary_second_and_still_ends(vendors: Vendors) -> None:
    touched = vendors.do("touch_organizations", count=12, seconds_ago=600)
    start, seen, rounds = 0, [], 0
    while True:
        params = {"start_time": start, "per_page": 10}
        body = vendors.zendesk.get("/api/v2/incremental/organizations.json", params=params).json()
        seen += [one["id"] for one in body["organizations"]]
        rounds += 1
        if body["end_of_stream"]:
            break
        assert body["end_time"] > start
        assert body["next_page"].startswith(str(vendors.zendesk.base_url))
        start = body["end_time"]

    assert touched == 12
    assert set(seen) == stored(vendors, "organizations")
    assert len(seen) > len(set(seen))
    assert rounds < 12


def test_a_deleted_ticket_stays_in_the_export_leaves_the_lists_and_can_come_back(vendors: Vendors) -> None:
    (gone,) = vendors.do("delete_ticket")

    exported = {one["id"]: one for one in export(vendors.zendesk, "tickets")}
    deleted = vendors.zendesk.get("/api/v2/deleted_tickets.json", params={"page[size]": 100}).json()["deleted_tickets"]
    assert exported[gone]["status"] == "deleted"
    assert gone in {one["id"] for one in deleted}
    assert vendors.zendesk.get(f"/api/v2/tickets/{gone}.json").status_code == 404

    vendors.do("restore_ticket", ids=[gone])

    assert vendors.zendesk.get(f"/api/v2/tickets/{gone}.json").json()["ticket"]["status"] != "deleted"

    vendors.do("delete_ticket", ids=[gone], scrub=True)

    assert {one["id"]: one for one in export(vendors.zendesk, "tickets")}[gone]["subject"] == "SCRUBBED"


@pytest.mark.parametrize("kind", ["users", "organizations", "satisfaction_ratings", "groups", "ticket_fields"])
def test_cursor_lists_show_everything_once(vendors: Vendors, kind: str) -> None:
    found: list[int] = []
    address = f"/api/v2/{kind}.json?page%5Bsize%5D=7"
    while address:
        body = vendors.zendesk.get(address).json()
        found += [one["id"] for one in body[kind]]
        address = body["links"]["next"]

    assert found == sorted(stored(vendors, kind))


def test_lists_leave_out_tickets_closed_long_ago_and_the_export_does_not(vendors: Vendors) -> None:
    with psycopg.connect(vendors.settings.simulator_dsn) as db:
        row = db.execute(
            "update zendesk_objects set updated = updated - 130 * 86400 where id = (select min(id) from zendesk_objects"
            " where kind = 'tickets' and status = 'closed') and kind = 'tickets' returning id"
        ).fetchone() or (0,)

    listed = vendors.zendesk.get("/api/v2/tickets.json", params={"page[size]": 1, "page[after]": ""}).json()["tickets"]
    metrics = vendors.zendesk.get("/api/v2/ticket_metrics.json", params={"per_page": 100}).json()
    total = vendors.zendesk.get("/api/v2/tickets/count.json").json()["count"]["value"]

    assert listed[0]["id"] != row[0]
    assert metrics["count"] == total
    assert metrics["ticket_metrics"][0]["ticket_id"] > metrics["ticket_metrics"][-1]["ticket_id"]
    assert row[0] in {one["id"] for one in export(vendors.zendesk, "tickets")}


def test_offset_paging_ends_at_ten_thousand_records(vendors: Vendors) -> None:
    answer = vendors.zendesk.get("/api/v2/users.json", params={"per_page": 100, "page": 101})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "InvalidPaginationDepth"


def test_the_same_status_404_means_two_things(vendors: Vendors) -> None:
    assert vendors.zendesk.get("/api/v2/tickets/1.json").json()["error"] == "RecordNotFound"
    assert vendors.zendesk.get("/api/v2/unicorns.json").json()["error"] == "InvalidEndpoint"


def test_without_or_with_a_wrong_token_nothing_is_shown_except_an_anonymous_me(vendors: Vendors) -> None:
    base = str(vendors.zendesk.base_url)

    assert httpx.get(f"{base}/api/v2/tickets.json").json() == {"error": "Couldn't authenticate you"}
    assert httpx.get(f"{base}/api/v2/tickets.json", headers={"Authorization": "Bearer x"}).status_code == 401
    assert httpx.get(f"{base}/api/v2/tickets.json", auth=("a@b.example/token", "x")).status_code == 401
    assert httpx.get(f"{base}/api/v2/users/me.json").json()["user"]["name"] == "Anonymous user"


def test_an_unknown_scope_gets_a_token_that_opens_nothing(vendors: Vendors) -> None:
    useless = token(vendors.zendesk, scope="everything")

    answer = vendors.zendesk.get("/api/v2/tickets.json", headers={"Authorization": f"Bearer {useless}"})

    assert answer.status_code == 403
    assert answer.json()["error"]["title"] == "Forbidden"


@pytest.mark.parametrize(
    ("change", "status"),
    [({"client_secret": "no"}, 401), ({"grant_type": "password"}, 400), ({"expires_in": 10}, 400)],
)
def test_a_grant_is_refused_for_a_reason(vendors: Vendors, change: dict[str, Any], status: int) -> None:
    grant = {"grant_type": "client_credentials", "client_id": "test", "client_secret": SECRET, "scope": "read"}

    answer = vendors.zendesk.post("/oauth/tokens", json=grant | change)

    assert answer.status_code == status
    assert "access_token" not in answer.json()


def test_expired_tokens_are_refused_until_a_new_one_is_asked_for(vendors: Vendors) -> None:
    vendors.zendesk.post("/__switches", json={"expire_tokens": True})

    refused = vendors.zendesk.get("/api/v2/tickets.json")

    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_token"
    fresh = {"Authorization": f"Bearer {token(vendors.zendesk)}"}
    assert vendors.zendesk.get("/api/v2/tickets.json", headers=fresh).status_code == 200


def test_the_export_budget_empties_while_the_account_has_room(vendors: Vendors) -> None:
    vendors.zendesk.post("/__switches", json={"rate_limit": {"incremental": 1}})

    answers = [vendors.zendesk.get("/api/v2/incremental/users/cursor.json", params={"start_time": 0}) for _ in range(3)]

    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.headers["content-type"].startswith("text/plain")
    assert refused.text == "Number of allowed API requests per minute exceeded"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["zendesk-ratelimit-incremental-exports"].startswith("total=1; remaining=0")
    assert vendors.zendesk.get("/api/v2/groups.json").status_code == 200


@pytest.mark.parametrize(
    ("envelope", "member"),
    [("string", "description"), ("object", "error"), ("list", "errors"), ("authenticate", "error")],
)
def test_each_error_envelope_can_be_had(vendors: Vendors, envelope: str, member: str) -> None:
    vendors.zendesk.post("/__switches", json={"fail_next": {"status": 500, "count": 1, "envelope": envelope}})

    answer = vendors.zendesk.get("/api/v2/groups.json")

    assert answer.status_code == 500
    assert member in answer.json()


def test_a_proxy_answers_in_html(vendors: Vendors) -> None:
    vendors.zendesk.post("/__switches", json={"fail_next": {"status": 520, "count": 1}})

    assert vendors.zendesk.get("/api/v2/groups.json").headers["content-type"].startswith("text/html")
