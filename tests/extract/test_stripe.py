"""Stripe against the simulator: changes by events, objects by GET, nothing lost while lists move."""

from datetime import timedelta

import pytest

from extract.run import run_source, run_stream
from extract.sources import stripe
from tests.extract.conftest import World

OBJECTS = ("customers", "products", "prices", "subscriptions", "invoices")


def has_parity(world: World, plural: str) -> bool:
    there = world.simulated.truth(
        "select id from stripe_objects where object = %s and deleted is null", plural.removesuffix("s")
    )
    return world.live(f"stripe.{plural}") == set(there)


@pytest.mark.parametrize("plural", OBJECTS)
def test_the_first_load_has_every_object(world: World, plural: str) -> None:
    world.load(f"stripe.{plural}")

    assert has_parity(world, plural)


def test_canceled_subscriptions_are_there(world: World) -> None:
    world.load("stripe.subscriptions")

    there = world.simulated.truth("select id from stripe_objects where object = 'subscription' and status = 'canceled'")
    assert set(there) <= world.live("stripe.subscriptions")


def test_events_are_loaded_once_and_a_second_load_of_everything_writes_nothing(world: World) -> None:
    run_source("stripe", dsn=world.dsn)
    tables = [*(f"raw_stripe.{name}" for name in (*OBJECTS, "events")), "ops.stream_state"]
    trace = " union all ".join(f"select '{name}' || xmin::text || ctid::text as t from {name}" for name in tables)
    before = world.value(f"select string_agg(t, '|' order by t) from ({trace}) s")
    since = int((world.simulated.now() - timedelta(days=29)).timestamp())
    kept = world.simulated.truth("select id from stripe_events where created > %s", since)
    assert set(kept) <= world.live("stripe.events")

    again = run_source("stripe", dsn=world.dsn)

    assert sum(result.inserted + result.updated for result in again) == 0
    assert world.value(f"select string_agg(t, '|' order by t) from ({trace}) s") == before


def test_nested_lists_are_completed(world: World) -> None:
    world.load("stripe.invoices")
    world.load("stripe.subscriptions")

    cut = world.value(
        "select (select count(*) from raw_stripe.invoices where payload->'lines'->>'has_more' = 'true')"
        " + (select count(*) from raw_stripe.subscriptions where payload->'items'->>'has_more' = 'true')"
    )
    longest = world.value("select max(jsonb_array_length(payload->'lines'->'data')) from raw_stripe.invoices")
    true_longest = world.simulated.truth(
        "select max(jsonb_array_length(doc::jsonb->'lines'->'data')) from stripe_objects where object = 'invoice'"
    )
    assert cut == 0
    assert [longest] == true_longest


def test_three_events_of_one_second_end_in_the_state_of_a_get_at_our_version(world: World) -> None:
    """The events draw the subscription as an old version did, without the items' periods."""
    world.load("stripe.subscriptions")
    key = world.simulated.happen("stripe", "change_subscription", times=3)

    result = world.load("stripe.subscriptions")

    (quantity,) = world.simulated.truth(
        "select (doc::jsonb->'items'->'data'->0->>'quantity')::int from stripe_objects where id = %s", key
    )
    item = world.row("stripe.subscriptions", key)["payload"]["items"]["data"][0]
    assert result.updated == 1
    assert item["quantity"] == quantity
    assert item["current_period_end"] > 0


def test_a_deleted_customer_ends_and_keeps_its_last_payload(world: World) -> None:
    world.load("stripe.customers")
    world.load("stripe.subscriptions")
    key = world.simulated.happen("stripe", "delete_customer")

    world.load("stripe.customers")

    row = world.row("stripe.customers", key)
    assert (row["_delete_reason"], "deleted" in row["payload"]) == ("deleted", False)
    assert row["payload"]["email"]
    assert has_parity(world, "customers")
    assert world.value(f"select count(*) from raw_stripe.subscriptions where payload->>'customer' = '{key}'") >= 1


def test_a_deleted_draft_invoice_is_a_tombstone(world: World) -> None:
    world.load("stripe.invoices")
    kept = world.simulated.happen("stripe", "draft_invoice")
    gone = world.simulated.happen("stripe", "draft_invoice", delete=True)

    world.load("stripe.invoices")

    assert world.row("stripe.invoices", kept)["payload"]["status"] == "draft"
    assert world.row("stripe.invoices", gone)["_delete_reason"] == "deleted"
    assert has_parity(world, "invoices")


def test_an_object_created_while_the_list_is_read_is_found_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extract.sources.stripe_client.LIST_PAGE", 10)
    world.simulated.switch("stripe", create_after_page=1)

    world.load("stripe.customers")
    world.simulated.calm()
    world.load("stripe.customers")

    assert has_parity(world, "customers")
    assert world.value("select bool_and(read = inserted + updated + unchanged + stale) from ops.load_chunk") is True


def test_a_page_whose_last_object_vanishes_is_no_obstacle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.sources.stripe_client.LIST_PAGE", 10)
    world.simulated.switch("stripe", delete_cursor_next=1)

    world.load("stripe.customers")
    world.load("stripe.customers")

    assert world.value("select count(*) from ops.http_log where status = 400") == 1
    assert has_parity(world, "customers")


def test_a_list_cut_off_is_continued_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extract.sources.stripe_client.LIST_PAGE", 5)
    monkeypatch.setattr(stripe, "PAGES_PER_CHUNK", 1)
    seen: list[int] = []

    def stop(report) -> None:
        seen.append(report.number)
        if report.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stream("stripe", "invoices", dsn=world.dsn, on_chunk=stop)
    partial = len(world.live("stripe.invoices"))
    result = world.load("stripe.invoices")

    assert partial == 15
    assert result.inserted == len(world.live("stripe.invoices")) - partial
    assert has_parity(world, "invoices")


def test_a_pause_longer_than_events_live_reads_everything_again_and_says_so(world: World) -> None:
    world.load("stripe.customers")
    world.db.execute("update ops.stream_state set watermark = watermark - interval '35 days'")

    result = world.load("stripe.customers")

    assert (result.status, result.unchanged) == ("warned", len(world.live("stripe.customers")))
    assert "listed again in full, because events since" in result.warnings[0]
    assert world.load("stripe.customers").warnings == ()


def test_more_changes_than_are_worth_single_requests_are_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.load("stripe.subscriptions")
    world.db.execute("update ops.stream_state set watermark = watermark - interval '20 days'")
    monkeypatch.setattr(stripe, "MOST_HYDRATED", 2)

    result = world.load("stripe.subscriptions")

    assert "objects changed" in result.warnings[0]
    assert has_parity(world, "subscriptions")


def test_a_full_scan_finds_what_no_event_told(world: World) -> None:
    world.load("stripe.customers")
    world.db.execute("update ops.stream_state set watermark = watermark + interval '1 hour'")
    key = world.simulated.happen("stripe", "delete_customer")

    world.load("stripe.customers", "full_scan")

    assert world.row("stripe.customers", key)["_delete_reason"] == "deleted"


@pytest.mark.parametrize(
    "fault",
    [
        {"fail_next": {"status": 429, "count": 2}},
        {"fail_next": {"status": 429, "count": 1, "should_retry": True}},
        {"fail_next": {"status": 409, "count": 1, "code": "lock_timeout"}},
        {"fail_next": {"status": 500, "count": 1}},
        {"truncate_next": 1},
        {"reset_next": 1},
    ],
    ids=str,
)
def test_a_passing_fault_costs_a_retry_and_nothing_else(world: World, fault: dict) -> None:
    world.simulated.switch("stripe", **fault)

    world.load("stripe.customers")

    assert has_parity(world, "customers")


def test_the_overlap_is_longer_than_events_of_one_second_can_be_late() -> None:
    assert timedelta(minutes=30) <= stripe.OVERLAP
