"""Clients that the vendors or their users publish can read everything: the wire contract, checked by strangers."""

from typing import Any

import hubspot
import psycopg
import pytest
import requests
import stripe
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.exception import RecordNotFoundException

from tests.simulator.conftest import Vendors, token


def count(vendors: Vendors, table: str, condition: str) -> int:
    with psycopg.connect(vendors.settings.simulator_dsn) as db:
        return (db.execute(f"select count(*) from {table} where {condition}".encode()).fetchone() or (0,))[0]


@pytest.fixture
def stripe_client(vendors: Vendors) -> stripe.StripeClient:
    address = str(vendors.stripe.base_url).rstrip("/")
    return stripe.StripeClient("rk_live_test", base_addresses={"api": address}, max_network_retries=0)


@pytest.mark.parametrize("name", ["customers", "subscriptions", "invoices", "prices", "products"])
def test_stripes_client_lists_everything(vendors: Vendors, stripe_client: stripe.StripeClient, name: str) -> None:
    params: dict[str, Any] = {"limit": 50, **({"status": "all"} if name == "subscriptions" else {})}

    listed = list(getattr(stripe_client.v1, name).list(params).auto_paging_iter())

    assert len(listed) == count(vendors, "stripe_objects", f"object = '{name[:-1]}' and deleted is null")
    one = getattr(stripe_client.v1, name).retrieve(listed[0].id)
    assert one.to_dict() == listed[0].to_dict()


def test_stripes_client_reads_events_items_and_lines(vendors: Vendors, stripe_client: stripe.StripeClient) -> None:
    events = list(stripe_client.v1.events.list({"limit": 100, "types": ["invoice.paid"]}).auto_paging_iter())
    subscription = stripe_client.v1.subscriptions.list({"limit": 1}).data[0]
    items = list(stripe_client.v1.subscription_items.list({"subscription": subscription.id}).auto_paging_iter())
    invoice = stripe_client.v1.invoices.list({"limit": 1, "status": "paid"}).data[0]
    lines = list(stripe_client.v1.invoices.line_items.list(str(invoice.id)).auto_paging_iter())

    assert {event.type for event in events} == {"invoice.paid"}
    assert len(items) == subscription["items"]["total_count"]
    assert sum(line.amount for line in lines) == invoice.total


def test_stripes_client_understands_our_errors(vendors: Vendors, stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        stripe_client.v1.customers.retrieve("cus_none")
    wrong = stripe.StripeClient("rk_wrong", base_addresses={"api": str(vendors.stripe.base_url).rstrip("/")})
    with pytest.raises(stripe.AuthenticationError):
        wrong.v1.customers.list()


@pytest.fixture
def hubspot_client(vendors: Vendors) -> hubspot.HubSpot:
    client = hubspot.HubSpot(access_token="pat-eu1-test")
    client.config["base_path"] = str(vendors.hubspot.base_url).rstrip("/")
    return client


def pointed(api: Any, vendors: Vendors) -> Any:
    """The generated client with its host replaced."""
    api.api_client.configuration.host = str(vendors.hubspot.base_url).rstrip("/")
    return api


@pytest.mark.parametrize("name", ["companies", "contacts", "deals"])
def test_hubspots_client_lists_everything(vendors: Vendors, hubspot_client: hubspot.HubSpot, name: str) -> None:
    api = pointed(getattr(hubspot_client.crm, name).basic_api, vendors)
    records, after = [], None
    while True:
        page = api.get_page(limit=25, after=after)
        records += page.results
        if page.paging is None:
            break
        after = page.paging.next.after

    condition = f"object_type = '{name}' and archived_at is null and merged_into is null and erased_at is null"
    assert len({record.id for record in records}) == len(records) == count(vendors, "hubspot_objects", condition)
    assert api.get_by_id(records[0].id).id == records[0].id


@pytest.mark.parametrize("name", ["notes", "meetings", "calls"])
def test_hubspots_client_searches_engagements(vendors: Vendors, hubspot_client: hubspot.HubSpot, name: str) -> None:
    from hubspot.crm.objects import PublicObjectSearchRequest

    api = pointed(getattr(hubspot_client.crm.objects, name).search_api, vendors)

    answer = api.do_search(public_object_search_request=PublicObjectSearchRequest(limit=5, properties=["hs_timestamp"]))

    assert answer.total == count(vendors, "hubspot_objects", f"object_type = '{name}'")
    assert all(record.properties["hs_timestamp"] for record in answer.results)


def test_hubspots_client_reads_owners_properties_and_associations(
    vendors: Vendors, hubspot_client: hubspot.HubSpot
) -> None:
    from hubspot.crm.associations.v4 import (
        BatchInputPublicFetchAssociationsBatchRequest,
        PublicFetchAssociationsBatchRequest,
    )

    owners = pointed(hubspot_client.crm.owners.owners_api, vendors).get_page(limit=100)
    defined = pointed(hubspot_client.crm.properties.core_api, vendors).get_all("companies")
    company = pointed(hubspot_client.crm.companies.basic_api, vendors).get_page(limit=1).results[0].id
    request = BatchInputPublicFetchAssociationsBatchRequest(inputs=[PublicFetchAssociationsBatchRequest(id=company)])
    linked = pointed(hubspot_client.crm.associations.v4.batch_api, vendors).get_page("companies", "contacts", request)

    assert len(owners.results) == 9
    assert {"tenant_id", "customer_segment"} <= {one.name for one in defined.results}
    assert linked.results[0].to


class Redirected(HTTPAdapter):
    """Sends what is addressed to the vendor's own host to the simulator, as a proxy would: zenpy knows only https."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address.rstrip("/")

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        forwarded = request.copy()
        forwarded.url = self.address + (request.url or "").split("force24.simulated", 1)[1]
        forwarded.headers.update({"Host": "force24.simulated", "X-Forwarded-Proto": "https"})
        response = super().send(forwarded, *args, **kwargs)
        response.url, response.request = request.url or "", request
        return response


@pytest.fixture
def zendesk_client(vendors: Vendors) -> Any:
    session = requests.Session()
    session.mount("https://force24.simulated", Redirected(str(vendors.zendesk.base_url)))
    return Zenpy(domain="simulated", subdomain="force24", oauth_token=token(vendors.zendesk), session=session)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zenpy_exports_everything(vendors: Vendors, zendesk_client: Any) -> None:
    tickets = list(zendesk_client.tickets.incremental(start_time=0, paginate_by_time=False, per_page=40))
    organizations = list(zendesk_client.organizations.incremental(start_time=0))
    users = list(zendesk_client.users(cursor_pagination=50))

    assert len({ticket.id for ticket in tickets}) == count(vendors, "zendesk_objects", "kind = 'tickets'")
    assert len({one.id for one in organizations}) == count(vendors, "zendesk_objects", "kind = 'organizations'")
    assert len({user.id for user in users}) == count(vendors, "zendesk_objects", "kind = 'users'")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zenpy_reads_one_ticket_and_misses_another(vendors: Vendors, zendesk_client: Any) -> None:
    known = vendors.zendesk.get("/api/v2/tickets.json").json()["tickets"][0]["id"]

    assert zendesk_client.tickets(id=known).id == known
    with pytest.raises(RecordNotFoundException):
        zendesk_client.tickets(id=1)
