"""Switches every vendor has, and who may reach them."""

import json

import httpx
import pytest

from simulator.config import Settings
from tests.simulator.conftest import Vendors

READS = {"hubspot": "/crm/v3/owners", "stripe": "/v1/products", "zendesk": "/api/v2/groups.json"}


@pytest.mark.parametrize("name", READS)
def test_a_vendor_that_is_down_answers_503_but_stays_healthy(vendors: Vendors, name: str) -> None:
    client: httpx.Client = getattr(vendors, name)
    client.post("/__switches", json={"down": True})

    assert client.get(READS[name]).status_code == 503
    assert client.get("/healthz").status_code == 200

    client.post("/__switches", json={"down": False})

    assert client.get(READS[name]).status_code == 200


@pytest.mark.parametrize("name", READS)
def test_a_counted_failure_ends_after_its_count(vendors: Vendors, name: str) -> None:
    client: httpx.Client = getattr(vendors, name)
    client.post("/__switches", json={"fail_next": {"status": 502, "count": 2}})

    assert [client.get(READS[name]).status_code for _ in range(3)] == [502, 502, 200]


@pytest.mark.parametrize("name", READS)
def test_a_truncated_answer_is_complete_http_with_half_a_document(vendors: Vendors, name: str) -> None:
    client: httpx.Client = getattr(vendors, name)
    client.post("/__switches", json={"truncate_next": 1})

    broken = client.get(READS[name])

    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert client.get(READS[name]).json()


@pytest.mark.parametrize("name", READS)
def test_a_reset_answer_breaks_off_in_the_middle(vendors: Vendors, name: str) -> None:
    client: httpx.Client = getattr(vendors, name)
    client.post("/__switches", json={"reset_next": 1})

    with pytest.raises(httpx.RemoteProtocolError):
        client.get(READS[name])
    assert client.get(READS[name]).json()


def test_an_expired_token_may_fail_once(vendors: Vendors) -> None:
    vendors.hubspot.post("/__switches", json={"fail_next": {"status": 401, "count": 1}})

    first = vendors.hubspot.get(READS["hubspot"])

    assert first.status_code == 401
    assert first.json()["category"] == "EXPIRED_AUTHENTICATION"
    assert vendors.hubspot.get(READS["hubspot"]).status_code == 200


@pytest.mark.parametrize(
    ("policy", "retry_after"),
    [("TEN_SECONDLY_ROLLING", None), ("TEN_SECONDLY_ROLLING", 3), ("DAILY", None), ("SECONDLY", None)],
)
def test_hubspots_refusals_differ_by_policy(vendors: Vendors, policy: str, retry_after: int | None) -> None:
    failure = {"status": 429, "count": 1, "policy": policy, "retry_after": retry_after}
    vendors.hubspot.post("/__switches", json={"fail_next": failure})

    answer = vendors.hubspot.get(READS["hubspot"])

    assert answer.status_code == 429
    assert answer.json().get("policyName") == (None if policy == "SECONDLY" else policy)
    assert answer.headers.get("retry-after") == (None if retry_after is None else str(retry_after))


def test_an_unknown_switch_changes_nothing_and_lists_the_known_ones(vendors: Vendors) -> None:
    answer = vendors.stripe.post("/__switches", json={"down": True, "explode": 1})

    assert answer.status_code == 400
    assert answer.json()["unknown"] == ["explode"]
    assert "fail_next" in answer.json()["known"]
    assert vendors.stripe.get(READS["stripe"]).status_code == 200


def test_an_unknown_incident_is_refused(vendors: Vendors) -> None:
    answer = vendors.stripe.post("/__switches", json={"do": [{"earthquake": {}}]})

    assert answer.status_code == 400
    assert "delete_customer" in answer.json()["detail"]


def test_switches_exist_only_on_loopback(served_settings: Settings) -> None:
    reachable = served_settings.model_copy(update={"simulator_host": "192.0.2.1"})

    assert served_settings.is_loopback()
    assert not reachable.is_loopback()


def test_the_front_page_says_that_nothing_here_is_real(vendors: Vendors) -> None:
    for client, name in ((vendors.hubspot, "HubSpot"), (vendors.stripe, "Stripe"), (vendors.zendesk, "Zendesk")):
        page = httpx.get(f"{client.base_url}/").text
        assert f"This is a simulator of {name}" in page
