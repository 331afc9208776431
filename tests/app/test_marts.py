"""Every reader against tables made from dbt's own contracts."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from inspect import getmembers, isclass
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from app.errors import BuildReplaced, MartUnavailable
from app.marts import (
    accounts,
    cached,
    health,
    money,
    outcomes,
    people,
    risk,
    sources,
    support,
    timeline,
    trust,
    usage,
    version,
)
from app.marts.health import MEASURES, HealthDay, split
from app.marts.sources import StreamFreshness
from tests.app.factories import AS_OF, NOW, Estate, key_of, mart_columns

ROOT = Path(__file__).resolve().parents[2]
KEY = key_of("Ashford Media")
TODAY = NOW.date()
READERS: dict[str, Callable[[Connection], Any]] = {
    "version.published": version.published,
    "accounts.portfolio": lambda db: accounts.portfolio(db, today=TODAY),
    "accounts.portfolio_frame": lambda db: accounts.portfolio_frame(db, today=TODAY),
    "accounts.account": lambda db: accounts.account(db, KEY, today=TODAY),
    "accounts.search": lambda db: accounts.search(db, "ash"),
    "accounts.csms": accounts.csms,
    "health.history": lambda db: health.history(db, KEY, since=AS_OF),
    "health.on": lambda db: health.on(db, KEY, AS_OF),
    "health.movement": lambda db: health.movement(db, KEY, from_date=AS_OF, to_date=AS_OF),
    "risk.history": lambda db: risk.history(db, KEY, since=AS_OF),
    "risk.on": lambda db: risk.on(db, KEY, AS_OF),
    "usage.daily": lambda db: usage.daily(db, KEY, since=AS_OF),
    "people.contacts": lambda db: people.contacts(db, KEY, with_former=False),
    "money.renewal": lambda db: money.renewal(db, KEY),
    "money.invoices": lambda db: money.invoices(db, KEY),
    "money.movements": lambda db: money.movements(db, KEY, since=AS_OF),
    "support.tickets": lambda db: support.tickets(db, KEY),
    "support.nps_responses": lambda db: support.nps_responses(db, KEY),
    "timeline.events": lambda db: timeline.events(db, KEY, kinds=["call"], before=NOW, least_importance=1),
    "timeline.changes": lambda db: timeline.changes(db, ["maya.lind@force24.example"], since=NOW),
    "timeline.engagements": lambda db: timeline.engagements(db, KEY, since=AS_OF),
    "outcomes.for_action": lambda db: outcomes.for_action(db, "x"),
    "outcomes.all_outcomes": lambda db: outcomes.all_outcomes(db, since=AS_OF),
    "sources.links": lambda db: sources.links(db, KEY),
}


def test_every_reader_says_so_before_the_first_build(estate: Estate) -> None:
    estate.account()

    for reader in READERS.values():
        with estate.work() as db, pytest.raises(MartUnavailable):
            reader(db)


def test_every_reader_says_so_when_its_table_is_missing(estate: Estate) -> None:
    estate.publish()
    for name in mart_columns():
        estate.transformer.execute(f"drop table marts.{name}".encode())

    for name, reader in READERS.items():
        if name.startswith("version"):
            continue
        with estate.work() as db, pytest.raises(MartUnavailable):
            reader(db)


def test_every_reader_answers_empty_on_an_empty_build(estate: Estate) -> None:
    build = estate.publish()

    for name, reader in READERS.items():
        with estate.work() as db:
            answer = reader(db)
        if isinstance(answer, pd.DataFrame):
            assert answer.empty, name
            assert len(answer.columns) > 3, name
        elif name != "version.published":
            assert answer in ([], None), name
        else:
            assert (answer.build_id, answer.as_of_date) == (build, AS_OF)


@pytest.mark.parametrize(
    ("module", "row", "mart"),
    [
        (accounts, "Account", "dim_accounts"),
        (accounts, "Csm", "dim_csms"),
        (people, "Contact", "dim_contacts"),
        (money, "Invoice", "fct_invoices"),
        (money, "MrrMovement", "fct_mrr_movements"),
        (money, "Renewal", "fct_renewals"),
        (support, "Ticket", "fct_tickets"),
        (support, "NpsResponse", "fct_nps_responses"),
        (timeline, "AccountEvent", "fct_account_events"),
        (timeline, "Engagement", "fct_engagements"),
        (outcomes, "ActionOutcome", "fct_action_outcomes"),
        (sources, "SourceLink", "bridge_account_sources"),
    ],
)
def test_a_row_has_every_column_of_its_mart(module: ModuleType, row: str, mart: str) -> None:
    row_type = dict(getmembers(module, isclass))[row]
    assert is_dataclass(row_type)

    assert {field.name for field in fields(row_type)} == set(mart_columns()[mart])


def test_daily_rows_have_every_column_but_the_account() -> None:
    for row_type, mart in (
        (health.HealthDay, "fct_account_health_daily"),
        (risk.RiskDay, "fct_churn_risk_daily"),
        (usage.UsageDay, "fct_usage_daily"),
    ):
        assert {field.name for field in fields(row_type)} | {"account_key"} == set(mart_columns()[mart])


def test_the_portfolio_has_the_most_at_risk_first_and_only_whom_one_asks_for(estate: Estate) -> None:
    estate.account("Small", mrr_at_risk_eur=10)
    estate.account("Big", mrr_at_risk_eur=900.5, health_trend_90d=[50.0, None, 60.0], stripe_customer_ids=["cus_1"])
    estate.account("Toms", mrr_at_risk_eur=None, csm_email="tom.okafor@force24.example")
    estate.account("Gone", is_active=False, churned_date=AS_OF)
    estate.publish()

    with estate.work() as db:
        assert [one.account_name for one in accounts.portfolio(db, today=TODAY)] == ["Big", "Small", "Toms"]
        assert [
            one.account_name for one in accounts.portfolio(db, today=TODAY, owner_emails=["Maya.Lind@force24.example"])
        ] == [
            "Big",
            "Small",
        ]
        assert len(accounts.portfolio(db, today=TODAY, with_churned=True)) == 4
        frame = accounts.portfolio_frame(db, today=TODAY)
        big = accounts.account(db, key_of("Big"), today=TODAY)
        assert accounts.account(db, "nothing\x00", today=TODAY) is None
    assert list(frame["account_name"]) == ["Big", "Small", "Toms"]
    assert frame["mrr_eur"].dtype == "float64"
    assert big
    assert (big.mrr_at_risk_eur, big.health_trend_90d, big.stripe_customer_ids) == (
        900.5,
        [50.0, None, 60.0],
        ["cus_1"],
    )


def test_every_reader_needs_one_round_trip_when_there_is_something_to_read(estate: Estate) -> None:
    estate.account()
    estate.publish()
    for name in ("portfolio", "portfolio_frame", "account", "search"):
        read = READERS[f"accounts.{name}"]
        with estate.work() as db, estate.counted() as statements:
            read(db)
        assert len(statements) == 1


def test_three_thousand_accounts_are_read_quickly(estate: Estate) -> None:
    estate.account()
    columns = ", ".join(name for name in mart_columns()["dim_accounts"] if name != "account_key")
    estate.transformer.execute(
        f"insert into marts.dim_accounts (account_key, {columns})"
        f" select md5(n::text), {columns} from marts.dim_accounts, generate_series(1, 2999) as n".encode()
    )
    estate.publish()
    seconds = []

    with estate.work() as db:
        for _ in range(5):
            began = perf_counter()
            assert len(accounts.portfolio(db, today=TODAY)) == 3000
            seconds.append(perf_counter() - began)

    assert min(seconds) < 0.25  # 0.05 s on a quiet machine


SEARCHES = [
    ("ash", ["Ashford Media", "Ash Gone", "Trash Ltd"]),
    ("ASHFORD", ["Ashford Media"]),
    ("trash.ex", ["Trash Ltd"]),
    ("100%", ["100% Pure_ly"]),
    ("%", ["100% Pure_ly"]),
    ("_", ["100% Pure_ly"]),
    ("\\", []),
    ("'; drop table marts.dim_accounts; --", []),
    ("", []),
    ("  ", []),
    ("a\x00sh", ["Ashford Media", "Ash Gone", "Trash Ltd"]),
    ("x" * 10_000, []),
]


def test_search_finds_names_and_domains_literally_best_first(estate: Estate) -> None:
    estate.account()
    estate.account("Trash Ltd")
    estate.account("100% Pure_ly", domain="pure.example")
    estate.account("Ash Gone", is_active=False)
    estate.publish()

    for text, names in SEARCHES:
        with estate.work() as db:
            assert [hit.account_name for hit in accounts.search(db, text)] == names, text


def test_the_movement_of_health_adds_up_to_its_change(estate: Estate) -> None:
    key = estate.account()
    estate.publish()
    before = {f"{measure}_contribution": number * 1.1 for number, measure in enumerate(MEASURES)}
    after = {f"{measure}_contribution": number * 0.7 for number, measure in enumerate(MEASURES)} | {
        "nps_contribution": None
    }
    earlier = AS_OF - timedelta(days=9)
    estate.health(key, [sum(before.values())], last=earlier, **before)  # pyright: ignore[reportArgumentType]
    estate.health(key, [sum(value or 0 for value in after.values())], nps_points=60, **after)  # pyright: ignore[reportArgumentType]

    with estate.work() as db:
        moved = health.movement(db, key, from_date=AS_OF - timedelta(days=5), to_date=AS_OF)
        assert health.movement(db, key, from_date=AS_OF - timedelta(days=50), to_date=AS_OF) == []
        days = health.history(db, key, since=AS_OF - timedelta(days=60))

    change = days["score"].iloc[-1] - days["score"].iloc[0]
    assert sum(one.delta for one in moved) == pytest.approx(change, abs=1e-9)
    assert {one.measure for one in moved} == set(MEASURES)
    assert [abs(one.delta) for one in moved] == sorted((abs(one.delta) for one in moved), reverse=True)


@given(
    before=st.lists(st.one_of(st.none(), st.floats(0, 40)), min_size=15, max_size=15),
    after=st.lists(st.one_of(st.none(), st.floats(0, 40)), min_size=15, max_size=15),
)
def test_a_split_always_adds_up(before: list[float | None], after: list[float | None]) -> None:
    def day(values: list[float | None]) -> HealthDay:
        row = dict.fromkeys((field.name for field in fields(HealthDay)), None)
        given_values = {f"{measure}_contribution": value for measure, value in zip(MEASURES, values, strict=True)}
        return HealthDay(**(row | given_values))  # pyright: ignore[reportArgumentType]

    total = sum(value or 0 for value in after) - sum(value or 0 for value in before)

    assert sum(one.delta for one in split(day(before), day(after))) == pytest.approx(total, abs=1e-9)


def test_risk_keeps_its_drivers_in_order(estate: Estate) -> None:
    key = estate.account()
    estate.publish()
    drivers = '[{"driver": "usage", "direction": "raises", "effect": 0.2, "text": "Usage fell", "value": "-40%"}]'
    estate.transformer.execute(
        "insert into marts.fct_churn_risk_daily (account_key, risk_date, churn_probability_90d, drivers)"
        " values (%s, %s, 0.31, %s::jsonb)",
        [key, AS_OF, drivers],
    )

    with estate.work() as db:
        found = risk.on(db, key, AS_OF + timedelta(days=3))

    assert found
    assert found.drivers
    assert found.drivers[0]["driver"] == "usage"


def test_changes_are_those_worth_a_line_on_ones_own_accounts(estate: Estate) -> None:
    mine, other = estate.account(), estate.account("Toms", csm_email="tom.okafor@force24.example")
    estate.publish()
    for number, (key, importance, hours) in enumerate([(mine, 2, 1), (mine, 1, 1), (mine, 2, 50), (other, 2, 2)]):
        estate.put(
            "fct_account_events",
            event_key=f"e{number}",
            account_key=key,
            occurred_at=NOW - timedelta(hours=hours),
            event_kind="band_change",
            title=f"Event {number}",
            importance=importance,
            amount_eur=12.5,
        )

    with estate.work() as db:
        since = NOW - timedelta(hours=24)
        own = timeline.changes(db, ["Maya.Lind@force24.example"], since=since)
        everybodys = timeline.changes(db, None, since=since)
        all_events = timeline.events(db, mine)

    assert [(one.title, one.account_name, one.amount_eur) for one in own] == [("Event 0", "Ashford Media", 12.5)]
    assert [one.title for one in everybodys] == ["Event 0", "Event 3"]
    assert [one.title for one in all_events] == ["Event 0", "Event 1", "Event 2"]


def test_tickets_have_the_urgent_open_ones_first(estate: Estate) -> None:
    key = estate.account()
    estate.publish()
    for number, (is_open, is_urgent) in enumerate([(False, False), (True, False), (True, True)]):
        estate.put(
            "fct_tickets",
            ticket_id=str(number),
            account_key=key,
            status="open",
            created_at=NOW - timedelta(days=number),
            is_open=is_open,
            is_urgent_open=is_urgent,
        )

    with estate.work() as db:
        assert [ticket.ticket_id for ticket in support.tickets(db, key)] == ["2", "1", "0"]


def test_freshness_shows_the_newest_run_and_the_newest_good_one(estate: Estate) -> None:
    with estate.work() as db, pytest.raises(MartUnavailable):
        sources.freshness(db)
    estate.loads()
    good = datetime(2026, 11, 20, 2, tzinfo=UTC)
    estate.load("hubspot", "companies", "succeeded", good)
    estate.load("hubspot", "companies", "failed", good + timedelta(hours=1))
    estate.load("stripe", "invoices", "warned", good)

    with estate.work() as db:
        found = {one.stream: one for one in sources.freshness(db)}

    assert (found["companies"].status, found["companies"].good_ended_at) == ("failed", good)
    assert found["invoices"].status == "warned"


def test_what_a_load_brought_refused_and_found_changed(estate: Estate) -> None:
    estate.loads()
    estate.load("surveys", "responses", "succeeded", NOW - timedelta(days=2))
    estate.load("surveys", "responses", "warned", NOW - timedelta(days=1))
    estate.load("surveys", "responses", "failed", NOW)
    for load_id, read in ((1, 50), (2, 9), (2, 1)):
        estate.admin.execute(
            "insert into ops.load_chunk select %s, count(*), now(), %s, 1, %s - 1, 0, 0, 0, 10, 1, 0, 0.5"
            " from ops.load_chunk",
            [load_id, read, read],
        )
    for number, (reason, resolved) in enumerate([("score 11", None), ("score 12", None), ("score 13", NOW)]):
        estate.admin.execute(
            "insert into ops.quarantine (load_id, source, stream, reason_code, reason, raw, raw_digest, received_at,"
            " resolved_at) values (2, 'surveys', 'responses', 'csv_score', %s, '', %s, %s, %s)",
            [reason, bytes([number]), NOW - timedelta(hours=9 - number), resolved],
        )
    for path, old in (("score", None), ("comment", "string")):
        estate.admin.execute(
            "insert into ops.schema_drift (source, stream, path, old_type, new_type, first_seen, load_id)"
            " values ('surveys', 'responses', %s, %s, 'number', %s, 2)",
            [path, old, NOW],
        )

    with estate.work() as db:
        (load,) = trust.loads(db)
        (refused,) = trust.refused(db)
        (change,) = trust.shape_changes(db)

    assert (load.status, load.good_ended_at) == ("failed", NOW - timedelta(days=1))
    assert (load.read, load.changed, load.refused) == (10, 10, 2)
    assert (refused.count, refused.example) == (2, "score 12")
    assert (change.path, change.old_type, change.new_type) == ("comment", "string", "number")


HOURS = timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0 * HOURS, "fresh"), (26 * HOURS, "fresh"), (27 * HOURS, "late"), (72 * HOURS, "late"), (73 * HOURS, "stale")],
)
def test_a_source_is_late_past_its_promise_and_stale_long_after(age: timedelta, expected: str) -> None:
    assert sources.state_at(NOW - age, now=NOW) == expected


def test_a_source_is_no_fresher_than_its_stream_that_is_furthest_behind() -> None:
    def stream(source: str, name: str, good: datetime | None) -> StreamFreshness:
        return StreamFreshness(source, name, "succeeded", NOW, NOW, None, None, good, None)

    found = sources.by_source(
        [
            stream("stripe", "prices", NOW),
            stream("hubspot", "calls", NOW),
            stream("stripe", "invoices", NOW - 30 * HOURS),
            stream("zendesk", "users", None),
        ],
        now=NOW,
    )

    assert [(one.source, one.loaded_at, one.state) for one in found] == [
        ("hubspot", NOW, "fresh"),
        ("stripe", NOW - 30 * HOURS, "late"),
        ("zendesk", None, "stale"),
    ]
    assert sources.worst([one.state for one in found]) == "stale"
    assert sources.worst([]) == "stale", "of nothing nobody can say that it is fresh"


def test_the_promise_is_the_one_that_dbt_checks() -> None:
    promise = {
        "warn_after": {"count": sources.PROMISED_WITHIN // HOURS, "period": "hour"},
        "error_after": {"count": sources.STALE_AFTER // HOURS, "period": "hour"},
    }
    declared = [
        source["config"]["freshness"]
        for path in sorted((ROOT / "dbt" / "models" / "staging").glob("*/_*__sources.yml"))
        for source in yaml.safe_load(path.read_text())["sources"]
        if "freshness" in source.get("config", {})
    ]

    assert len(declared) > 4
    assert declared == [promise] * len(declared)


def test_as_of_is_a_day(estate: Estate) -> None:
    estate.publish(date(2026, 1, 1))
    estate.publish(date(2026, 1, 2))

    with estate.work() as db:
        assert version.published(db).as_of_date == date(2026, 1, 2)


def test_what_a_publication_overtook_is_read_again_of_the_one_build(estate: Estate) -> None:
    key = estate.account()
    estate.publish()
    reads: list[object] = []

    def two_marts() -> list[object]:
        """A reader of more than one statement; while it reads for the first time, another build is published."""
        before = accounts.account(db, key, today=TODAY)
        if not reads:
            estate.set("dim_accounts", key, mrr_eur=2300)
            estate.publish()
        reads.append(before)
        after = accounts.account(db, key, today=TODAY)
        return [one and one.mrr_eur for one in (before, after)]

    with estate.work() as db:
        answer = cached.of_one_build(
            db, "two_marts", scope="csm", arguments={}, kind=list[float | None], create=two_marts
        )

    assert answer == [2300, 2300]
    assert len(reads) == 2


def test_a_page_reads_one_build_to_its_end_or_begins_anew(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.engine", lambda: estate.engine)
    key = estate.account()
    first = estate.publish()

    with version.reading_build(first) as db:
        before = accounts.account(db, key, today=TODAY)
        estate.set("dim_accounts", key, mrr_eur=2300)
        estate.publish()
        assert accounts.account(db, key, today=TODAY) == before
        assert version.published(db).build_id == first

    with pytest.raises(BuildReplaced), version.reading_build(first):
        pass
