"""HubSpot's wire contract: paging, search, associations, merges, errors, budgets."""

import re
from typing import Any

import httpx
import psycopg
import pytest

from tests.simulator.conftest import Vendors

PREFIXES = ["/crm/v3/objects", "/crm/objects/2026-09"]


def pages(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every record of a list, following `after`."""
    found: list[dict[str, Any]] = []
    while True:
        body = client.get(path, params=params).json()
        found += body["results"]
        if "paging" not in body:
            return found
        params["after"] = body["paging"]["next"]["after"]


def search(client: httpx.Client, object_type: str, **body: Any) -> httpx.Response:
    return client.post(f"/crm/v3/objects/{object_type}/search", json=body)


def stored(vendors: Vendors, query: str) -> list[tuple[Any, ...]]:
    """Rows of the simulator's own database: what should have been served."""
    with psycopg.connect(vendors.settings.simulator_dsn) as db:
        return db.execute(query.encode()).fetchall()


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("limit", [7, 100])
def test_a_list_shows_every_record_once_in_ascending_order(vendors: Vendors, prefix: str, limit: int) -> None:
    ids = [int(record["id"]) for record in pages(vendors.hubspot, f"{prefix}/contacts", limit=limit)]

    expected = "select id from hubspot_objects where object_type = 'contacts' and archived_at is null"
    assert ids == sorted(row[0] for row in stored(vendors, f"{expected} and merged_into is null and erased_at is null"))


def test_the_next_link_leads_back_to_the_host_that_was_asked(vendors: Vendors) -> None:
    link = vendors.hubspot.get("/crm/v3/objects/companies", params={"limit": 2}).json()["paging"]["next"]["link"]

    assert link.startswith(str(vendors.hubspot.base_url))
    assert vendors.hubspot.get(link).json()["results"]


def test_every_property_is_text_or_null_and_what_was_asked_for_is_there(vendors: Vendors) -> None:
    params = {"limit": 100, "properties": "name,numberofemployees,never_heard_of"}

    for record in vendors.hubspot.get("/crm/v3/objects/companies", params=params).json()["results"]:
        properties = record["properties"]
        assert properties["never_heard_of"] is None
        assert {"createdate", "hs_lastmodifieddate", "hs_object_id"} <= set(properties)
        assert all(value is None or isinstance(value, str) for value in properties.values())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["updatedAt"])


def test_inline_associations_repeat_an_id_per_type(vendors: Vendors) -> None:
    params = {"limit": 5, "associations": "contacts"}

    record = vendors.hubspot.get("/crm/v3/objects/companies", params=params).json()["results"][0]

    names = {link["type"] for link in record["associations"]["contacts"]["results"]}
    assert names == {"company_to_contact", "company_to_contact_unlabeled"}


def test_search_finds_what_the_filters_say_page_by_page(vendors: Vendors) -> None:
    everything = pages(vendors.hubspot, "/crm/v3/objects/notes", limit=100)
    middle = sorted(record["updatedAt"] for record in everything)[len(everything) // 2]
    moment = str(int(psycopg_moment(middle) * 1000))
    filters = [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": moment}]
    sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]

    found: list[str] = []
    after = "0"
    while True:
        answer = search(
            vendors.hubspot, "notes", filterGroups=[{"filters": filters}], sorts=sorts, limit=50, after=after
        )
        body = answer.json()
        found += [record["id"] for record in body["results"]]
        if "paging" not in body:
            break
        assert "link" not in body["paging"]["next"]
        after = body["paging"]["next"]["after"]

    assert found == sorted((record["id"] for record in everything if record["updatedAt"] >= middle), key=int)
    assert body["total"] == len(found)


def psycopg_moment(text: str) -> float:
    """Epoch seconds of HubSpot's timestamp."""
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_search_pages_by_id_without_after(vendors: Vendors) -> None:
    last, seen = "0", []
    while True:
        filters = [{"propertyName": "hs_object_id", "operator": "GT", "value": last}]
        results = search(
            vendors.hubspot,
            "deals",
            filterGroups=[{"filters": filters}],
            sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            limit=200,
        ).json()["results"]
        if not results:
            break
        seen += [record["id"] for record in results]
        last = seen[-1]

    assert seen == [record["id"] for record in pages(vendors.hubspot, "/crm/v3/objects/deals", limit=100)]


@pytest.mark.parametrize(
    "body",
    [
        {"after": "10000"},
        {"after": "9950", "limit": 100},
        {"limit": 201},
        {"sorts": [{"propertyName": "a"}, {"propertyName": "b"}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "SOUNDS_LIKE", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "a'b", "operator": "EQ", "value": "x"}]}]},
    ],
)
def test_search_refuses_what_the_vendor_refuses(vendors: Vendors, body: dict[str, Any]) -> None:
    answer = search(vendors.hubspot, "contacts", **body)

    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert answer.json()["status"] == "error"


def test_a_lagging_search_index_does_not_know_a_fresh_change_yet(vendors: Vendors) -> None:
    (changed,) = vendors.do("change", object_type="deals", properties={"dealname": "Fresh name"})
    filters = [{"propertyName": "dealname", "operator": "EQ", "value": "Fresh name"}]
    vendors.hubspot.post("/__switches", json={"search_lag_seconds": 90})

    lagging = search(vendors.hubspot, "deals", filterGroups=[{"filters": filters}]).json()
    vendors.hubspot.post("/__switches", json={"search_lag_seconds": None})
    current = search(vendors.hubspot, "deals", filterGroups=[{"filters": filters}]).json()

    assert lagging["total"] == 0
    assert [record["id"] for record in current["results"]] == [changed]


@pytest.mark.parametrize("prefix", ["/crm/v4/associations", "/crm/associations/2026-09"])
def test_a_batch_with_one_missing_input_is_a_207_that_names_it(vendors: Vendors, prefix: str) -> None:
    company = pages(vendors.hubspot, "/crm/v3/objects/companies", limit=100)[0]["id"]

    answer = vendors.hubspot.post(
        f"{prefix}/companies/contacts/batch/read", json={"inputs": [{"id": "77"}, {"id": company}]}
    )

    body = answer.json()
    assert answer.status_code == 207
    assert [result["from"]["id"] for result in body["results"]] == [company]
    assert isinstance(body["results"][0]["to"][0]["toObjectId"], int)
    assert body["errors"][0]["context"]["fromObjectId"] == ["77"]
    labels = {kind["label"] for link in body["results"][0]["to"] for kind in link["associationTypes"]}
    assert labels == {"Primary", None}


def test_both_directions_and_both_ways_of_reading_show_the_same_links(vendors: Vendors) -> None:
    notes = [record["id"] for record in pages(vendors.hubspot, "/crm/v3/objects/notes", limit=100)]
    forward = set()
    inputs = [{"id": one} for one in notes]
    for result in vendors.hubspot.post(
        "/crm/v4/associations/notes/companies/batch/read", json={"inputs": inputs}
    ).json()["results"]:
        forward |= {(result["from"]["id"], str(link["toObjectId"])) for link in result["to"]}
    backward = set()
    for company in {pair[1] for pair in forward}:
        for link in pages(vendors.hubspot, f"/crm/v4/objects/companies/{company}/associations/notes", limit=3):
            backward.add((str(link["toObjectId"]), company))

    assert forward == backward
    assert len(forward) == len(notes)


def test_archiving_moves_a_record_to_the_recycle_bin_without_touching_its_clock(vendors: Vendors) -> None:
    before = pages(vendors.hubspot, "/crm/v3/objects/deals", limit=100)[0]

    (gone,) = vendors.do("archive", object_type="deals", ids=[int(before["id"])])

    archived = {
        record["id"]: record for record in pages(vendors.hubspot, "/crm/v3/objects/deals", limit=100, archived="true")
    }
    live = {record["id"] for record in pages(vendors.hubspot, "/crm/v3/objects/deals", limit=100)}
    assert gone in archived
    assert gone not in live
    assert archived[gone]["archived"] is True
    assert archived[gone]["archivedAt"]
    assert archived[gone]["updatedAt"] == before["updatedAt"]
    assert vendors.hubspot.get(f"/crm/v3/objects/deals/{gone}").status_code == 404
    assert vendors.hubspot.get(f"/crm/v3/objects/deals/{gone}", params={"archived": "true"}).status_code == 200

    vendors.do("restore", object_type="deals", ids=[int(gone)])

    assert vendors.hubspot.get(f"/crm/v3/objects/deals/{gone}").json()["archived"] is False


def test_chained_merges_end_in_one_survivor_that_lists_all_absorbed_ids(vendors: Vendors) -> None:
    a, b, c = (int(record["id"]) for record in pages(vendors.hubspot, "/crm/v3/objects/contacts", limit=100)[:3])

    vendors.do("merge", object_type="contacts", absorbed=a, survivor=b)
    vendors.do("merge", object_type="contacts", absorbed=b, survivor=c)

    params = {"properties": "hs_merged_object_ids"}
    survivor = vendors.hubspot.get(f"/crm/v3/objects/contacts/{a}", params=params).json()
    assert survivor["id"] == str(c)
    assert set(survivor["properties"]["hs_merged_object_ids"].split(";")) == {str(a), str(b)}
    live = {record["id"] for record in pages(vendors.hubspot, "/crm/v3/objects/contacts", limit=100)}
    archived = {
        record["id"] for record in pages(vendors.hubspot, "/crm/v3/objects/contacts", limit=100, archived="true")
    }
    assert not {str(a), str(b)} & (live | archived)


def test_a_merge_may_give_the_survivor_a_new_id(vendors: Vendors) -> None:
    a, b = (int(record["id"]) for record in pages(vendors.hubspot, "/crm/v3/objects/contacts", limit=100)[5:7])

    done = vendors.do("merge", object_type="contacts", absorbed=a, survivor=b, new_id=True)

    for old in (a, b):
        assert vendors.hubspot.get(f"/crm/v3/objects/contacts/{old}").json()["id"] == done["survivor"]
    links = pages(vendors.hubspot, f"/crm/v4/objects/contacts/{done['survivor']}/associations/companies")
    assert links


def test_an_erased_record_is_gone_for_ever(vendors: Vendors) -> None:
    (gone,) = vendors.do("erase", object_type="contacts")

    for archived in ("true", "false"):
        assert vendors.hubspot.get(f"/crm/v3/objects/contacts/{gone}", params={"archived": archived}).status_code == 404


def test_an_ended_link_touches_neither_record(vendors: Vendors) -> None:
    note = pages(vendors.hubspot, "/crm/v3/objects/notes", limit=100)[0]
    link = pages(vendors.hubspot, f"/crm/v4/objects/notes/{note['id']}/associations/companies")[0]

    ended = vendors.do("unlink", from_type="notes", from_id=note["id"], to_type="companies", to_id=link["toObjectId"])

    assert ended == 1
    assert pages(vendors.hubspot, f"/crm/v4/objects/notes/{note['id']}/associations/companies") == []
    assert vendors.hubspot.get(f"/crm/v3/objects/notes/{note['id']}").json()["updatedAt"] == note["updatedAt"]


def test_archived_owners_come_only_when_asked_for_and_have_no_user_id(vendors: Vendors) -> None:
    live = pages(vendors.hubspot, "/crm/v3/owners", limit=4)
    (former,) = pages(vendors.hubspot, "/crm/owners/2026-09", archived="true")

    assert len(live) == 9
    assert all("userId" in owner for owner in live)
    assert former["archived"] is True
    assert "userId" not in former
    assert former["userIdIncludingInactive"]


def test_every_served_property_is_defined_with_its_type(vendors: Vendors) -> None:
    for object_type in ("companies", "contacts", "deals", "notes", "meetings", "calls"):
        defined = {one["name"] for one in vendors.hubspot.get(f"/crm/v3/properties/{object_type}").json()["results"]}
        used = stored(
            vendors,
            f"select distinct jsonb_object_keys(properties) from hubspot_objects where object_type = '{object_type}'",
        )
        assert {row[0] for row in used} <= defined


def test_batch_read_answers_for_what_exists_and_names_what_does_not(vendors: Vendors) -> None:
    known = pages(vendors.hubspot, "/crm/v3/objects/companies", limit=100)[1]["id"]
    body = {"inputs": [{"id": known}, {"id": "12"}], "properties": ["name"]}

    answer = vendors.hubspot.post("/crm/v3/objects/companies/batch/read", json=body)

    assert answer.status_code == 207
    assert [record["id"] for record in answer.json()["results"]] == [known]
    assert answer.json()["errors"][0]["context"]["ids"] == ["12"]


@pytest.mark.parametrize(
    ("path", "status", "category"),
    [
        ("/crm/v3/objects/companies/999", 404, "OBJECT_NOT_FOUND"),
        ("/crm/v3/objects/dinosaurs", 400, "VALIDATION_ERROR"),
        ("/crm/v3/objects/companies?limit=101", 400, "VALIDATION_ERROR"),
        ("/crm/objects/2019-01/companies", 404, "OBJECT_NOT_FOUND"),
        ("/nowhere", 404, "OBJECT_NOT_FOUND"),
    ],
)
def test_errors_have_the_vendors_envelope(vendors: Vendors, path: str, status: int, category: str) -> None:
    answer = vendors.hubspot.get(path)

    assert answer.status_code == status
    assert answer.json()["category"] == category
    assert answer.json()["correlationId"]


def test_a_wrong_token_and_no_token_are_refused(vendors: Vendors) -> None:
    for headers in ({}, {"Authorization": "Bearer someone-else"}):
        answer = httpx.get(f"{vendors.hubspot.base_url}/crm/v3/objects/companies", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["category"] == "INVALID_AUTHENTICATION"


def test_one_forbidden_object_leaves_the_others_readable(vendors: Vendors) -> None:
    vendors.hubspot.post("/__switches", json={"forbid": ["deals"]})

    refused = vendors.hubspot.get("/crm/v3/objects/deals")

    assert refused.status_code == 403
    assert refused.json()["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.deals.read"]
    assert vendors.hubspot.get("/crm/v3/objects/companies").status_code == 200


def test_the_ten_second_budget_refuses_in_its_own_words(vendors: Vendors) -> None:
    vendors.hubspot.post("/__switches", json={"rate_limit": 3})
    vendors.hubspot.post("/__switches", json={"rate_limit": {"ten_secondly": 3}})

    answers = [vendors.hubspot.get("/crm/v3/owners") for _ in range(250)][-1]

    assert answers.status_code == 429
    assert answers.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert answers.headers["x-hubspot-ratelimit-max"] == "3"
    assert "retry-after" not in answers.headers


def test_the_search_budget_speaks_another_dialect(vendors: Vendors) -> None:
    vendors.hubspot.post("/__switches", json={"rate_limit": {"search": 1}})

    answers = [search(vendors.hubspot, "notes", limit=1) for _ in range(3)]

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["category"] == "RATE_LIMITS"
    assert "policyName" not in refused.json()
    assert "x-hubspot-ratelimit-max" not in refused.headers
    assert "x-hubspot-ratelimit-daily" in refused.headers
