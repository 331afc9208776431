"""Stripe's wire contract: newest-first lists, cut inline lists, events at the old version, errors."""

from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Json

from tests.simulator.conftest import Vendors

KINDS = ["customers", "subscriptions", "invoices", "prices", "products", "events"]


def pages(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every object of a list, following `starting_after`."""
    found: list[dict[str, Any]] = []
    while True:
        body = client.get(path, params=params).json()
        found += body["data"]
        if not body["has_more"]:
            return found
        params["starting_after"] = found[-1]["id"]


def stored_ids(vendors: Vendors, condition: str) -> set[str]:
    with psycopg.connect(vendors.settings.simulator_dsn) as db:
        return {row[0] for row in db.execute(f"select id from stripe_objects where {condition}".encode())}


@pytest.mark.parametrize("limit", [9, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_a_list_shows_every_object_once_newest_first(vendors: Vendors, kind: str, limit: int) -> None:
    params = {"limit": limit} | ({"status": "all"} if kind == "subscriptions" else {})

    found = pages(vendors.stripe, f"/v1/{kind}", **params)

    ids = [one["id"] for one in found]
    assert len(set(ids)) == len(ids)
    assert [one["created"] for one in found] == sorted((one["created"] for one in found), reverse=True)
    if kind != "events":
        assert set(ids) == stored_ids(vendors, f"object = '{kind[:-1]}' and deleted is null")


def test_paging_backwards_leads_to_the_page_before(vendors: Vendors) -> None:
    everything = [one["id"] for one in pages(vendors.stripe, "/v1/invoices", limit=100)]

    body = vendors.stripe.get("/v1/invoices", params={"limit": 5, "ending_before": everything[20]}).json()

    assert [one["id"] for one in body["data"]] == everything[15:20]
    assert body["has_more"] is True


def test_ranges_filter_by_creation(vendors: Vendors) -> None:
    everything = pages(vendors.stripe, "/v1/invoices", limit=100)
    middle = everything[len(everything) // 2]["created"]

    newer = pages(vendors.stripe, "/v1/invoices", limit=100, **{"created[gte]": middle})
    older = pages(vendors.stripe, "/v1/invoices", limit=100, **{"created[lt]": middle})

    assert len(newer) + len(older) == len(everything)
    assert min(one["created"] for one in newer) == middle


def test_canceled_subscriptions_are_hidden_by_default(vendors: Vendors) -> None:
    default = {one["status"] for one in pages(vendors.stripe, "/v1/subscriptions", limit=100)}
    everything = pages(vendors.stripe, "/v1/subscriptions", limit=100, status="all")

    assert "canceled" not in default
    assert len(everything) == len(stored_ids(vendors, "object = 'subscription'"))


def test_long_inline_lists_are_cut_and_continue_elsewhere(vendors: Vendors) -> None:
    with psycopg.connect(vendors.settings.simulator_dsn) as db:
        oldest = "select id, doc from stripe_objects where object = 'invoice' order by created limit 1"
        number, doc = db.execute(oldest).fetchone() or ("", {})
        line = doc["lines"]["data"][0]
        doc["lines"]["data"] = [{**line, "id": f"il_copy{place}"} for place in range(37)]
        db.execute("update stripe_objects set doc = %s where id = %s", [Json(doc), number])

    invoice = vendors.stripe.get(f"/v1/invoices/{number}").json()
    lines = pages(vendors.stripe, f"/v1/invoices/{number}/lines", limit=10)

    assert invoice["lines"]["has_more"] is True
    assert len(invoice["lines"]["data"]) == 10
    assert len({line["id"] for line in lines}) == 37


def test_subscription_items_need_a_subscription(vendors: Vendors) -> None:
    one = pages(vendors.stripe, "/v1/subscriptions", limit=100)[0]

    items = pages(vendors.stripe, "/v1/subscription_items", subscription=one["id"])

    assert [item["id"] for item in items] == [item["id"] for item in one["items"]["data"]]
    assert vendors.stripe.get("/v1/subscription_items").json()["error"]["code"] == "parameter_missing"


def test_an_event_shows_the_old_shape_and_a_get_the_pinned_one(vendors: Vendors) -> None:
    events = pages(vendors.stripe, "/v1/events", limit=100, **{"types[]": "customer.subscription.updated"})
    rendered = events[0]["data"]["object"]

    pinned = vendors.stripe.get(f"/v1/subscriptions/{rendered['id']}").json()

    assert events[0]["api_version"] == "2024-06-20"
    assert "current_period_end" in rendered
    assert "current_period_end" not in rendered["items"]["data"][0]
    assert "previous_attributes" in events[0]["data"]
    assert "current_period_end" not in pinned
    assert pinned["items"]["data"][0]["current_period_end"]


def test_without_a_version_header_the_accounts_default_applies(vendors: Vendors) -> None:
    key = {"Authorization": "Bearer rk_live_test"}

    body = httpx.get(f"{vendors.stripe.base_url}/v1/invoices", headers=key).json()

    assert all("subscription" in one and "parent" not in one for one in body["data"])


def test_events_reach_thirty_days_back_and_filter_by_type(vendors: Vendors) -> None:
    events = pages(vendors.stripe, "/v1/events", limit=100)
    kinds = {one["type"] for one in events}
    paid = pages(vendors.stripe, "/v1/events", limit=100, **{"types[0]": "invoice.paid", "types[1]": "invoice.created"})

    assert {"invoice.created", "invoice.finalized", "invoice.paid", "customer.subscription.updated"} <= kinds
    assert {one["type"] for one in paid} == {"invoice.paid", "invoice.created"}
    assert max(one["created"] for one in events) - min(one["created"] for one in events) <= 30 * 86_400
    assert vendors.stripe.get("/v1/events", params=[("types[]", f"a.{n}") for n in range(21)]).status_code == 400


def test_a_deleted_customer_is_a_stub_leaves_its_subscription_and_an_event(vendors: Vendors) -> None:
    customer = vendors.do("delete_customer")

    assert vendors.stripe.get(f"/v1/customers/{customer}").json() == {
        "id": customer,
        "object": "customer",
        "deleted": True,
    }
    assert customer not in {one["id"] for one in pages(vendors.stripe, "/v1/customers", limit=100)}
    subscriptions = pages(vendors.stripe, "/v1/subscriptions", limit=100, status="all")
    assert customer in {one["customer"] for one in subscriptions}
    deleted = pages(vendors.stripe, "/v1/events", limit=100, **{"types[]": "customer.deleted"})
    assert deleted[0]["data"]["object"]["id"] == customer


def test_a_deleted_draft_is_missing_and_a_kept_one_is_not(vendors: Vendors) -> None:
    kept, gone = vendors.do("draft_invoice"), vendors.do("draft_invoice", delete=True)

    assert vendors.stripe.get(f"/v1/invoices/{kept}").json()["status"] == "draft"
    answer = vendors.stripe.get(f"/v1/invoices/{gone}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "resource_missing"


def test_a_deleted_cursor_is_a_400(vendors: Vendors) -> None:
    vendors.stripe.post("/__switches", json={"delete_cursor_next": 1})
    body = vendors.stripe.get("/v1/customers", params={"limit": 3}).json()

    answer = vendors.stripe.get("/v1/customers", params={"limit": 3, "starting_after": body["data"][-1]["id"]})

    assert answer.status_code == 400
    assert answer.json()["error"] | {"message": ""} == {
        "type": "invalid_request_error",
        "message": "",
        "code": "resource_missing",
        "param": "starting_after",
    }


def test_an_object_created_while_paging_is_not_seen_by_this_run_but_by_the_next(vendors: Vendors) -> None:
    before = {one["id"] for one in pages(vendors.stripe, "/v1/customers", limit=100)}
    vendors.stripe.post("/__switches", json={"create_after_page": 1})

    during = [one["id"] for one in pages(vendors.stripe, "/v1/customers", limit=5)]
    after = {one["id"] for one in pages(vendors.stripe, "/v1/customers", limit=100)}

    assert set(during) == before
    assert len(during) == len(before)
    assert len(after - before) == 1


def test_three_changes_within_a_second_end_in_the_state_a_get_shows(vendors: Vendors) -> None:
    subscription = vendors.do("change_subscription", times=3)

    events = [
        one
        for one in pages(vendors.stripe, "/v1/events", limit=100, **{"types[]": "customer.subscription.updated"})
        if one["data"]["object"]["id"] == subscription
    ][:3]

    quantity = vendors.stripe.get(f"/v1/subscriptions/{subscription}").json()["items"]["data"][0]["quantity"]
    assert len({one["created"] for one in events}) == 1
    assert max(one["data"]["object"]["items"]["data"][0]["quantity"] for one in events) == quantity


def test_an_expanded_id_becomes_the_object(vendors: Vendors) -> None:
    listed = vendors.stripe.get("/v1/subscriptions", params={"expand[]": "data.customer", "limit": 2}).json()

    assert all(one["customer"]["object"] == "customer" for one in listed["data"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/invoices?colour=red", 400, "parameter_unknown"),
        ("/v1/invoices/in_none", 404, "resource_missing"),
        ("/v1/invoices?starting_after=in_none", 400, "resource_missing"),
        ("/v1/invoices?limit=101", 400, None),
        ("/v1/invoices?limit=1&starting_after=a&ending_before=b", 400, None),
        ("/v1/invoices?created[gte]=yesterday", 400, None),
        ("/v1/nowhere", 404, None),
    ],
)
def test_errors_have_the_vendors_envelope(vendors: Vendors, path: str, status: int, code: str | None) -> None:
    answer = vendors.stripe.get(path)

    assert answer.status_code == status
    assert answer.json()["error"].get("code") == code
    assert answer.headers["request-id"].startswith("req_")


def test_a_wrong_key_is_refused_with_its_end_shown(vendors: Vendors) -> None:
    answer = httpx.get(f"{vendors.stripe.base_url}/v1/customers", headers={"Authorization": "Bearer rk_live_wrong_key"})

    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "Invalid API Key provided: rk_live_************_key"


@pytest.mark.parametrize(("should_retry", "header"), [(True, "true"), (False, "false"), (None, None)])
def test_a_429_may_say_whether_to_retry(vendors: Vendors, should_retry: bool | None, header: str | None) -> None:
    vendors.stripe.post("/__switches", json={"fail_next": {"status": 429, "count": 1, "should_retry": should_retry}})

    answer = vendors.stripe.get("/v1/customers")

    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "rate_limit"
    assert answer.headers.get("stripe-should-retry") == header
    assert answer.headers["stripe-rate-limited-reason"] == "global-rate"
    assert vendors.stripe.get("/v1/customers").status_code == 200


def test_a_lock_timeout_names_no_rate_limit(vendors: Vendors) -> None:
    vendors.stripe.post("/__switches", json={"fail_next": {"status": 429, "code": "lock_timeout", "count": 1}})

    answer = vendors.stripe.get("/v1/customers")

    assert answer.json()["error"]["code"] == "lock_timeout"
    assert "stripe-rate-limited-reason" not in answer.headers


def test_the_global_budget_refuses(vendors: Vendors) -> None:
    vendors.stripe.post("/__switches", json={"rate_limit": 2})

    statuses = [vendors.stripe.get("/v1/products").status_code for _ in range(6)]

    assert 429 in statuses
