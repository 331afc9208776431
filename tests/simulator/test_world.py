"""The generated world itself: repeatable, continuous, and believable where the product will look."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import psycopg
import pytest

from simulator import estate, product, store
from simulator.advance import real_today
from simulator.clock import start_of, weekday
from simulator.config import Settings
from simulator.day import live_through
from simulator.ledger import Ledger
from simulator.world import World

FIRST_DAY = 20_400


def lived(days: int, *, accounts: int = 40, number: int = 5) -> tuple[World, Ledger]:
    """A world that has lived through some days, with all it wrote."""
    world = World(seed=number, first_day=FIRST_DAY, day=FIRST_DAY - 1)
    ledger = Ledger(events_since=start_of(FIRST_DAY))
    estate.begin(world, ledger, accounts, days)
    for day in range(FIRST_DAY, FIRST_DAY + days):
        live_through(world, ledger, day)
    return world, ledger


def written(ledger: Ledger) -> dict[str, object]:
    """Everything in a ledger in comparable form."""
    return {
        "hubspot": store.dump(list(ledger.hubspot.values())),
        "links": sorted(ledger.links),
        "stripe": store.dump([row.doc for row in ledger.stripe.values()]),
        "events": store.dump(ledger.events),
        "zendesk": store.dump([row.doc for row in ledger.zendesk.values()]),
        "users": sorted(ledger.users.items()),
        "usage": [(day.event_id.tolist(), day.user.tolist(), day.occurred.tolist()) for day in ledger.usage],
        "files": [file.content for file in ledger.files],
    }


@pytest.fixture(scope="module")
def year() -> tuple[World, Ledger]:
    """150 accounts over a year, in memory."""
    return lived(365, accounts=150)


def test_the_same_seed_gives_the_same_world() -> None:
    assert written(lived(40)[1]) == written(lived(40)[1])


def test_another_seed_gives_another_world() -> None:
    assert written(lived(20)[1])["users"] != written(lived(20, number=6)[1])["users"]


def test_a_world_saved_and_loaded_continues_as_one_that_never_stopped(make_settings: Callable[[], Settings]) -> None:
    settings = make_settings()
    stayed = lived(45)[0]
    saved, ledger = lived(45)
    with estate.store_connection(settings) as db:
        store.prepare(db)
        store.write_ledger(db, ledger, is_fresh=True)
        saved.touched.update(account.no for account in saved.accounts)
        store.save_world(db, saved, offset_days=0, target_day=None, accounts=40, days=45)
        loaded = store.load_world(db)

    ledgers = []
    for world in (stayed, loaded):
        later = Ledger(events_since=start_of(FIRST_DAY + 45))
        for day in range(FIRST_DAY + 45, FIRST_DAY + 60):
            live_through(world, later, day)
        ledgers.append(written(later))

    assert ledgers[0]["usage"] == ledgers[1]["usage"]
    assert ledgers[0]["zendesk"] == ledgers[1]["zendesk"]
    assert ledgers[0]["hubspot"] == ledgers[1]["hubspot"]
    assert ledgers[0]["files"] == ledgers[1]["files"]


def test_company_names_and_domains_are_unique_and_under_example(year: tuple[World, Ledger]) -> None:
    accounts = year[0].accounts

    domains = [account.domain for account in accounts]

    assert len(set(domains)) == len(domains) == 150
    assert all(domain.endswith(".example") for domain in domains)
    assert len({account.name for account in accounts}) > 145


def test_weekends_are_quiet_and_heartbeats_are_not(year: tuple[World, Ledger]) -> None:
    sessions, beats = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for usage in year[1].usage:
        is_weekend = weekday(usage.day) > 4
        sessions[is_weekend] += int((usage.event >= 0).sum()) / (2 if is_weekend else 5)
        beats[is_weekend] += int((usage.event < 0).sum()) / (2 if is_weekend else 5)

    assert sessions[True] < 0.15 * sessions[False]
    assert 0.9 < beats[True] / beats[False] < 1.1


def test_a_heartbeat_names_its_automation_and_no_user(year: tuple[World, Ledger]) -> None:
    usage = year[1].usage[-1]
    beats = usage.event < 0

    assert (usage.automation[beats] >= 1_000_000).all()
    assert (usage.user[beats] == 0).all()
    assert (usage.user[~beats] // 1000 == usage.tenant[~beats]).all()


def test_some_events_arrive_days_late_and_some_arrive_twice(year: tuple[World, Ledger]) -> None:
    delays = np.concatenate([usage.ingested - usage.occurred for usage in year[1].usage])
    ids = np.concatenate([usage.event_id for usage in year[1].usage])

    assert (delays > 0).all()
    assert 0.001 < (delays > 86_400_000).mean() < 0.01
    assert 0 < len(ids) - len(set(ids.tolist())) < 0.005 * len(ids)


def test_everything_ingested_on_a_day_lies_within_it(year: tuple[World, Ledger]) -> None:
    for usage in year[1].usage[::30]:
        assert (usage.ingested // 86_400_000 == usage.day).all()


def test_usage_of_leavers_falls_before_they_leave(year: tuple[World, Ledger]) -> None:
    world, ledger = year
    leavers = {
        account.tenant_id: account.churned
        for account in world.accounts
        if account.churn_kind == "voluntary" and account.churned and account.churned > FIRST_DAY + 130
    }
    before, last = 0, 0
    for usage in ledger.usage:
        for tenant, churned in leavers.items():
            events = int(((usage.tenant == tenant) & (usage.event >= 0)).sum())
            before += events if churned - 120 <= usage.day < churned - 90 else 0
            last += events if churned - 30 <= usage.day < churned else 0

    assert len(leavers) > 8
    assert last < 0.55 * before


def test_churn_is_mostly_voluntary_and_nobody_lives_on(year: tuple[World, Ledger]) -> None:
    world, ledger = year
    closed = [account for account in world.accounts if account.status == "closed"]
    kinds = Counter(account.churn_kind for account in closed)

    assert 8 <= len(closed) <= 40
    assert kinds["voluntary"] > kinds["involuntary"]
    for account in closed:
        assert all(sub.status == "canceled" for sub in account.subscriptions)
        assert ledger.tenants[account.tenant_id][4] == "closed"
        assert account.tenant_id not in ledger.usage[-1].tenant


def test_an_involuntary_end_says_payment_failed(year: tuple[World, Ledger]) -> None:
    world, ledger = year
    ended = [account for account in world.accounts if account.churn_kind == "involuntary"]

    reasons = {
        ledger.stripe[sub.id].doc["cancellation_details"]["reason"]
        for account in ended
        for sub in account.subscriptions
    }

    assert reasons <= {"payment_failed", "cancellation_requested"}
    assert not ended or "payment_failed" in reasons


def test_an_invoice_is_the_sum_of_its_lines(year: tuple[World, Ledger]) -> None:
    invoices = [row.doc for row in year[1].stripe.values() if row.object == "invoice"]

    assert len(invoices) > 900
    assert all(doc["total"] == sum(line["amount"] for line in doc["lines"]["data"]) for doc in invoices)
    assert {"paid", "open"} <= {doc["status"] for doc in invoices}
    assert any(line["amount"] < 0 for doc in invoices for line in doc["lines"]["data"])


def test_nothing_a_vendor_shows_lies_in_the_future(year: tuple[World, Ledger]) -> None:
    world, ledger = year
    end = start_of(world.day + 1)

    assert max(row.updated for row in ledger.hubspot.values()) < end
    assert max(row.generated for row in ledger.zendesk.values()) < end
    assert max(row.created for row in ledger.stripe.values()) < end
    assert max(event[2] for event in ledger.events) < end
    assert max(row[6] for row in ledger.users.values()) < end


def test_the_dirt_of_real_systems_is_there(year: tuple[World, Ledger]) -> None:
    companies = [row for row in year[1].hubspot.values() if row.object_type == "companies"]
    contacts = [row for row in year[1].hubspot.values() if row.object_type == "contacts"]
    customers = [row.doc for row in year[1].stripe.values() if row.object == "customer"]
    organizations = [row.doc for row in year[1].zendesk.values() if row.kind == "organizations"]
    tickets = [row for row in year[1].zendesk.values() if row.kind == "tickets"]

    assert any(row.merged_into for row in companies)
    assert any(row.properties.get("tenant_id") is None for row in companies if not row.merged_into)
    assert any(row.archived for row in contacts)
    assert any(row.properties["email"].endswith("mail.example") for row in contacts)
    assert any(row.id > 2**53 for row in contacts)
    assert any("tenant_id" not in doc["metadata"] for doc in customers)
    assert any(doc["external_id"] is None for doc in organizations)
    assert any(not doc["domain_names"] for doc in organizations)
    assert any(row.generated > row.updated for row in tickets)


def test_a_binary_copy_stores_what_was_drawn(make_settings: Callable[[], Settings]) -> None:
    settings = make_settings()
    usage = lived(3)[1].usage[-1]
    with product.connect(settings.simulator_product_dsn) as db:
        product.prepare(db, settings.simulator_reader_role)

        product.copy_usage(db, [usage])

        rows = db.execute(
            "select event_id, tenant_id, coalesce(user_id, 0), (extract(epoch from occurred_at) * 1000)::bigint,"
            " properties->>'automation_id' from usage_events order by ingested_at, event_id"
        ).fetchall()
    order = np.lexsort((usage.event_id, usage.ingested))
    assert [row[0] for row in rows] == usage.event_id[order].tolist()
    assert [row[1] for row in rows] == usage.tenant[order].tolist()
    assert [row[2] for row in rows] == usage.user[order].tolist()
    assert [row[3] for row in rows] == usage.occurred[order].tolist()
    assert [int(row[4] or 0) for row in rows] == usage.automation[order].tolist()


def test_a_seeded_estate_ends_yesterday(small_estate: Settings) -> None:
    with psycopg.connect(small_estate.simulator_dsn) as db:
        estate_row = db.execute("select first_day, last_day, account_count from estate").fetchone()
        accounts = db.execute("select count(*) from accounts").fetchone()

    assert estate_row == (real_today() - 60, real_today() - 1, 18)
    assert accounts == (18,)
