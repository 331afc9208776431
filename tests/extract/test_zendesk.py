"""Zendesk against the simulator: the export's cursor, its clock, and its deletions."""

import itertools
from datetime import timedelta

import pytest

from extract.errors import SourceRejected, SourceUnavailable
from extract.run import run_source, run_stream
from extract.sources import zendesk
from tests.extract.conftest import World

# The export withholds the newest minute, and a cursor does not see what happens behind it: each thing that happens in
# these tests happens after the one before.
LATER = itertools.count(115, -2)
STREAMS = ("tickets", "users", "organizations", "satisfaction_ratings")


def all_keys(world: World, kind: str) -> set[str]:
    return {key for (key,) in world.db.execute(f"select _pk from raw_zendesk.{kind}".encode()).fetchall()}


def true_keys(world: World, kind: str) -> set[str]:
    return set(world.simulated.truth("select id::text from zendesk_objects where kind = %s", kind))


def is_as_it_is(world: World, key: int) -> bool:
    """The stored ticket has the tags and the version of the simulator's own."""
    payload = world.row("zendesk.tickets", str(key))["payload"]
    there = world.simulated.truth("select doc from zendesk_objects where kind = 'tickets' and id = %s", key)[0]
    return [payload[name] for name in ("tags", "generated_timestamp")] == [
        there[name] for name in ("tags", "generated_timestamp")
    ]


@pytest.mark.parametrize("kind", STREAMS)
def test_the_first_load_has_every_object(world: World, kind: str) -> None:
    world.load(f"zendesk.{kind}")

    assert all_keys(world, kind) == true_keys(world, kind)


def test_tickets_carry_their_metrics_and_count_as_read_once(world: World) -> None:
    world.load("zendesk.tickets")

    assert world.value("select count(*) from raw_zendesk.tickets where not payload ? 'metric_set'") == 0


def test_a_second_load_of_everything_writes_nothing(world: World) -> None:
    run_source("zendesk", dsn=world.dsn)
    trace = " union all ".join(f"select '{name}' || xmin::text || ctid::text as t from {name}" for name in
                               [*(f"raw_zendesk.{name}" for name in STREAMS), "ops.stream_state"])  # fmt: skip
    before = world.value(f"select string_agg(t, '|' order by t) from ({trace}) s")

    again = run_source("zendesk", dsn=world.dsn)

    assert sum(result.inserted + result.updated for result in again) == 0
    assert world.value(f"select string_agg(t, '|' order by t) from ({trace}) s") == before


def test_pages_follow_the_cursor_to_the_end_of_the_stream(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zendesk, "EXPORT_PAGE", 15)
    world.simulated.switch("zendesk", empty_page_next=2)

    result = world.load("zendesk.tickets")

    assert result.chunks >= 4
    assert all_keys(world, "tickets") == true_keys(world, "tickets")


def test_a_system_update_that_leaves_updated_at_alone_is_loaded(world: World) -> None:
    world.load("zendesk.tickets")
    (key,) = world.simulated.happen("zendesk", "system_update", seconds_ago=next(LATER))

    assert world.load("zendesk.tickets").updated == 1
    assert is_as_it_is(world, key)


def test_a_deleted_ticket_ends_returns_and_ends_again(world: World) -> None:
    world.load("zendesk.tickets")
    (key,) = world.simulated.happen("zendesk", "delete_ticket", seconds_ago=next(LATER))
    world.load("zendesk.tickets")
    assert world.row("zendesk.tickets", str(key))["_delete_reason"] == "deleted"

    world.simulated.happen("zendesk", "restore_ticket", ids=[key], seconds_ago=next(LATER))
    world.load("zendesk.tickets")
    assert world.row("zendesk.tickets", str(key))["_deleted_at"] is None

    world.simulated.happen("zendesk", "delete_ticket", ids=[key], scrub=True, seconds_ago=next(LATER))
    world.load("zendesk.tickets")
    row = world.row("zendesk.tickets", str(key))
    assert (row["_delete_reason"], row["payload"]["subject"]) == ("deleted", "SCRUBBED")
    assert world.value(f"select count(*) from raw_zendesk.tickets__log where _pk = '{key}'") == 4


def test_a_refused_cursor_falls_back_to_an_hour_before_the_watermark(world: World) -> None:
    world.load("zendesk.tickets")
    (key,) = world.simulated.happen("zendesk", "system_update", seconds_ago=next(LATER))
    world.simulated.switch("zendesk", refuse_cursor_next=1)

    result = world.load("zendesk.tickets")

    assert result.status == "warned"
    assert "the export refused its cursor (400); read again from" in result.warnings[0]
    assert is_as_it_is(world, key)
    assert world.load("zendesk.tickets").status == "succeeded"


def test_more_organizations_in_one_second_than_fit_a_page_are_loaded_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.load("zendesk.organizations")
    monkeypatch.setattr(zendesk, "EXPORT_PAGE", 7)
    touched = world.simulated.happen("zendesk", "touch_organizations", count=25)

    result = world.load("zendesk.organizations")

    assert result.updated == touched == 25
    assert result.chunks < 10


def test_a_start_too_recent_means_nothing_new(world: World) -> None:
    world.load("zendesk.organizations")
    soon = world.simulated.now() + timedelta(minutes=2)
    world.db.execute("update ops.stream_state set watermark = %s", (soon,))

    result = world.load("zendesk.organizations")

    assert (result.status, result.read) == ("succeeded", 0)


def test_an_expired_token_is_renewed_in_the_middle_of_an_export(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zendesk, "EXPORT_PAGE", 30)

    run_stream("zendesk", "tickets", dsn=world.dsn,
               on_chunk=lambda report: world.simulated.switch("zendesk", expire_tokens=True))  # fmt: skip

    assert all_keys(world, "tickets") == true_keys(world, "tickets")
    assert world.value("select count(*) from ops.http_log where status = 401") >= 1


def test_wrong_credentials_name_the_variables_to_check(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENDESK_CLIENT_SECRET", "wrong")

    with pytest.raises(SourceRejected, match="refused the sign-in with 401; check ZENDESK_CLIENT_ID and") as raised:
        world.load("zendesk.tickets")

    assert "wrong" not in str(raised.value).replace("wrong?", "")


def test_an_export_bucket_that_is_empty_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's minute is not waited for in a test: the run must want to wait, and say so when it may not."""
    monkeypatch.setenv("EXTRACT_RETRY_BUDGET_SECONDS", "1")
    world.simulated.switch("zendesk", rate_limit={"incremental": 0})

    with pytest.raises(SourceUnavailable, match=r"answered 429"):
        world.load("zendesk.tickets")


@pytest.mark.parametrize(
    "fault",
    [
        {"fail_next": {"status": 503, "count": 1, "retry_after": 0}},
        {"fail_next": {"status": 520, "count": 1}},
        {"fail_next": {"status": 409, "count": 1}},
        {"truncate_next": 1},
        {"reset_next": 1},
    ],
    ids=str,
)
def test_a_passing_fault_costs_a_retry_and_nothing_else(world: World, fault: dict) -> None:
    world.simulated.switch("zendesk", **fault)

    world.load("zendesk.users")

    assert all_keys(world, "users") == true_keys(world, "users")
