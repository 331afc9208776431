"""HubSpot against the simulator: parity with what exists, whatever the vendor does on the way."""

import pytest

from extract.errors import SourceRejected, SourceUnavailable
from extract.run import run_source, run_stream
from extract.sources import hubspot
from tests.extract.conftest import World

LIVE = (
    "select id::text from hubspot_objects where object_type = %s and archived_at is null and merged_into is null"
    " and erased_at is null"
)


def has_parity(world: World, kind: str) -> bool:
    return world.live(f"hubspot.{kind}") == set(world.simulated.truth(LIVE, kind))


@pytest.mark.parametrize("kind", hubspot.OBJECTS)
def test_the_first_load_has_every_object(world: World, kind: str) -> None:
    result = world.load(f"hubspot.{kind}")

    assert result.status == "succeeded"
    assert has_parity(world, kind)


def test_a_second_load_of_everything_writes_nothing(world: World) -> None:
    run_source("hubspot", dsn=world.dsn)
    tables = [f"raw_hubspot.{stream.name}" for stream in hubspot.SOURCE.streams.values()]
    trace = " union all ".join(f"select '{name}' || xmin::text || ctid::text as t from {name}" for name in
                               [*tables, *(f"{table}__log" for table in tables), "ops.stream_state"])  # fmt: skip
    before = world.value(f"select string_agg(t, '|' order by t) from ({trace}) s")

    again = run_source("hubspot", dsn=world.dsn)

    assert sum(result.inserted + result.updated for result in again) == 0
    assert world.value(f"select string_agg(t, '|' order by t) from ({trace}) s") == before


def test_every_chunk_accounts_for_every_record_and_every_load_knows_the_sources_clock(world: World) -> None:
    run_source("hubspot", dsn=world.dsn)

    assert world.value("select bool_and(read = inserted + updated + unchanged + stale + quarantined)"
                       " from ops.load_chunk") is True  # fmt: skip
    assert world.value("select sum(inserted) from ops.load_chunk join ops.load_run using (load_id)"
                       " where stream = 'deals'") == world.value("select count(*) from raw_hubspot.deals")  # fmt: skip
    assert world.value("select count(*) from ops.load_run where source_now is null") == 0


def test_the_older_paths_lead_to_the_same_objects(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_VERSION", "v3")

    for stream in ("companies", "owners", "contacts", "assoc_company_contact"):
        world.load(f"hubspot.{stream}")

    assert has_parity(world, "companies")
    assert len(world.live("hubspot.assoc_company_contact")) > 30


def test_changes_of_one_millisecond_are_all_found_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.load("hubspot.notes")
    monkeypatch.setattr(hubspot, "SEARCH_PAGE", 7)
    monkeypatch.setattr(hubspot, "PAGES_PER_CHUNK", 2)
    changed = world.simulated.happen("hubspot", "change", object_type="notes", count=40,
                                     properties={"hs_note_body": "<p>bulk edit</p>"})  # fmt: skip

    result = world.load("hubspot.notes")

    assert result.updated == len(changed) == 40
    assert result.chunks >= 3
    assert world.value("select cursor is null from ops.stream_state") is True


def test_a_search_index_that_lags_is_caught_up_by_the_next_run(world: World) -> None:
    world.load("hubspot.deals")
    world.simulated.switch("hubspot", search_lag_seconds=90)
    (key,) = world.simulated.happen("hubspot", "change", object_type="deals", properties={"dealname": "Late"})
    assert world.load("hubspot.deals").updated == 0

    world.simulated.calm()

    assert world.load("hubspot.deals").updated == 1
    assert world.row("hubspot.deals", key)["payload"]["properties"]["dealname"] == "Late"


def test_archived_deals_end_and_keep_their_payload_and_a_restored_one_is_back(world: World) -> None:
    world.load("hubspot.deals")
    keys = world.simulated.happen("hubspot", "archive", object_type="deals", count=5)

    assert world.load("hubspot.deals").updated == 0
    world.load("hubspot.deals", "full_scan")

    row = world.row("hubspot.deals", keys[0])
    assert (row["_delete_reason"], row["payload"]["archived"]) == ("archived", False)
    assert has_parity(world, "deals")
    world.simulated.happen("hubspot", "restore", object_type="deals", ids=keys)
    world.load("hubspot.deals", "full_scan")
    assert world.row("hubspot.deals", keys[0])["_deleted_at"] is None
    assert has_parity(world, "deals")


def test_chained_merges_point_at_the_last_survivor(world: World) -> None:
    world.load("hubspot.contacts")
    a, b, c = sorted(world.live("hubspot.contacts"), key=int)[:3]

    world.simulated.happen("hubspot", "merge", object_type="contacts", absorbed=int(a), survivor=int(b))
    world.load("hubspot.contacts")
    assert world.row("hubspot.contacts", a)["_merged_into"] == b
    world.simulated.happen("hubspot", "merge", object_type="contacts", absorbed=int(b), survivor=int(c))
    world.load("hubspot.contacts")

    rows = [world.row("hubspot.contacts", key) for key in (a, b)]
    assert [(row["_delete_reason"], row["_merged_into"]) for row in rows] == [("merged", c), ("merged", c)]
    assert rows[0]["payload"]["properties"]["email"]
    assert has_parity(world, "contacts")


def test_a_merge_under_a_new_id_ends_both_old_ones(world: World) -> None:
    world.load("hubspot.companies")
    a, b = sorted(world.live("hubspot.companies"), key=int)[:2]
    done = world.simulated.happen("hubspot", "merge", object_type="companies", absorbed=int(a), survivor=int(b),
                                  new_id=True)  # fmt: skip

    world.load("hubspot.companies")

    assert {world.row("hubspot.companies", key)["_merged_into"] for key in (a, b)} == {done["survivor"]}
    assert done["survivor"] in world.live("hubspot.companies")


def test_a_privacy_delete_is_found_by_the_full_scan(world: World) -> None:
    world.load("hubspot.contacts")
    (key,) = world.simulated.happen("hubspot", "erase", object_type="contacts", count=1)

    world.load("hubspot.contacts", "full_scan")

    row = world.row("hubspot.contacts", key)
    assert (row["_delete_reason"], row["payload"]["id"]) == ("privacy", key)
    assert has_parity(world, "contacts")


def test_a_privacy_delete_erases_the_payload_where_the_policy_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACT_ERASE_PRIVACY_DELETED", "true")
    world.load("hubspot.contacts")
    (key,) = world.simulated.happen("hubspot", "erase", object_type="contacts", count=1)

    world.load("hubspot.contacts", "full_scan")

    assert world.row("hubspot.contacts", key)["payload"] == {"id": key, "_erased": True}
    assert world.value(f"select count(*) from raw_hubspot.contacts__log where _pk = '{key}'"
                       " and payload ? 'properties'") == 0  # fmt: skip


def test_links_have_text_ids_and_a_removed_link_ends_with_the_full_read(world: World) -> None:
    world.load("hubspot.companies")
    world.load("hubspot.contacts")
    world.load("hubspot.assoc_company_contact")
    pair = min(world.live("hubspot.assoc_company_contact"))
    payload = world.row("hubspot.assoc_company_contact", pair)["payload"]
    company, contact = pair.split(":")
    assert (payload["from_id"], payload["to_id"]) == (company, contact)

    world.simulated.happen("hubspot", "unlink", from_type="companies", from_id=int(company), to_type="contacts",
                           to_id=int(contact))  # fmt: skip

    assert world.load("hubspot.assoc_company_contact").updated == 0
    assert world.load("hubspot.assoc_company_contact", "full_scan").updated == 1
    assert pair not in world.live("hubspot.assoc_company_contact")


def test_the_links_of_a_changed_object_are_read_again(world: World) -> None:
    for stream in ("companies", "contacts", "assoc_company_contact"):
        world.load(f"hubspot.{stream}")
    pair = max(world.live("hubspot.assoc_company_contact"))
    company, contact = pair.split(":")
    world.simulated.happen("hubspot", "unlink", from_type="companies", from_id=int(company), to_type="contacts",
                           to_id=int(contact))  # fmt: skip
    world.simulated.happen("hubspot", "change", object_type="contacts", ids=[int(contact)],
                           properties={"jobtitle": "Left"})  # fmt: skip

    world.load("hubspot.contacts")

    assert world.load("hubspot.assoc_company_contact").updated == 1
    assert pair not in world.live("hubspot.assoc_company_contact")


def test_owners_are_there_even_when_they_have_left(world: World) -> None:
    world.load("hubspot.owners")

    assert len(world.live("hubspot.owners")) >= 9
    assert world.value("select count(*) from raw_hubspot.owners where payload->>'email' = 'maya.lind@force24.example'"
                       ) == 1  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [
        {"fail_next": {"status": 502, "count": 2}},
        {"fail_next": {"status": 524, "count": 1}},
        {"fail_next": {"status": 401, "count": 1}},
        {"fail_next": {"status": 429, "count": 1, "policy": "TEN_SECONDLY_ROLLING", "retry_after": 0}},
        {"truncate_next": 1},
        {"reset_next": 1},
    ],
    ids=lambda fault: str(next(iter(fault.items()))),
)
def test_a_passing_fault_costs_a_retry_and_nothing_else(world: World, fault: dict) -> None:
    world.simulated.switch("hubspot", **fault)

    result = world.load("hubspot.companies")

    assert result.stale + result.unchanged <= world.value("select count(*) from raw_hubspot.companies")
    assert has_parity(world, "companies")
    assert world.value("select max(attempt) from ops.http_log") >= 2


def test_the_daily_limit_ends_the_run_at_the_last_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubspot, "PAGES_PER_CHUNK", 1)
    monkeypatch.setattr(hubspot, "LIST_PAGE", 40)

    def use_up(_) -> None:
        world.simulated.switch("hubspot", fail_next={"status": 429, "policy": "DAILY", "count": 1})

    with pytest.raises(SourceUnavailable, match="the day's requests are used up"):
        run_stream("hubspot", "notes", dsn=world.dsn, on_chunk=use_up)
    partial = len(world.live("hubspot.notes"))
    world.simulated.calm()
    world.load("hubspot.notes")

    assert 0 < partial < len(world.live("hubspot.notes"))
    assert has_parity(world, "notes")


def test_a_missing_scope_fails_that_stream_loudly_and_the_others_finish(world: World) -> None:
    world.simulated.switch("hubspot", forbid=["deals"])

    with pytest.raises(SourceRejected, match=r"answered 403 .*required scopes.*Check HUBSPOT_TOKEN"):
        run_source("hubspot", dsn=world.dsn, streams=["deals", "companies", "owners"])

    assert has_parity(world, "companies")
    assert world.value("select error_class from ops.load_run where stream = 'deals'") == "SourceRejected"


def test_property_names_that_do_not_fit_an_address_are_read_by_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubspot, "LONGEST_QUERY", 50)

    world.load("hubspot.companies")

    assert has_parity(world, "companies")
    assert world.value("select count(*) from raw_hubspot.companies where payload->'properties' ? 'customer_segment'"
                       " and _deleted_at is null") == len(world.live("hubspot.companies"))  # fmt: skip
    assert world.value("select count(*) from ops.http_log where path like '%/batch/read%'") >= 1


def test_a_property_that_changes_its_declared_type_is_noted(world: World) -> None:
    world.load("hubspot.companies")
    world.db.execute("update ops.schema_drift set new_type = 'string' where path = 'declared:annualrevenue'")
    world.simulated.happen("hubspot", "change", object_type="companies", properties={"city": "Leeds"})

    world.load("hubspot.companies")

    assert world.value("select old_type || ' to ' || new_type from ops.schema_drift where old_type is not null"
                       ) == "string to number"  # fmt: skip


def test_a_source_that_is_down_is_one_clear_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_BASE_URL", "http://127.0.0.1:9")

    with pytest.raises(SourceUnavailable) as raised:
        world.load("hubspot.companies")

    assert str(raised.value).startswith("HubSpot at http://127.0.0.1:9/crm/")
    assert "check HUBSPOT_BASE_URL, then run again" in str(raised.value)
    assert "pat-eu1" not in str(raised.value)
    assert world.value("select status || ' ' || error_class from ops.load_run") == "failed SourceUnavailable"
