"""From what was built aside to what is read: what readers see meanwhile, what holds it up, the way back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from app.db import make_engine, read
from local.postgres import Postgres
from local.warehouse import WarehouseRoles, prepare
from orchestration.publishing import (
    NothingHeld,
    NoWayBack,
    PublicationHeld,
    Published,
    let_through,
    publish,
    put_back,
)
from tests.conftest import PASSWORD, Warehouse, drop_database, make_warehouse

MARTS = ("dim_accounts", "fct_days")
ACCOUNTS = 40
# Every row carries the build it is of; values that equality treats in a way of its own are there.
_TABLES = """
    create table marts_next.dim_accounts (
        account_key text not null, as_of_date date not null, build integer not null, mrr numeric, tags text[],
        drivers jsonb, score double precision
    );
    create unique index on marts_next.dim_accounts (account_key);
    create table marts_next.fct_days (account_key text, day date, build integer, value double precision);
    create unique index on marts_next.fct_days (account_key, day);
"""


@pytest.fixture
def house(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A warehouse of the test's own with two empty marts aside."""
    made = make_warehouse(postgres_server)
    with psycopg.connect(made.transformer_dsn) as transformer:
        transformer.execute(_TABLES)
    yield made
    drop_database(postgres_server, made.database)


def build(house: Warehouse, number: int) -> None:
    """What dbt does: both marts anew, in transactions of their own."""
    with psycopg.connect(house.transformer_dsn, autocommit=True) as dbt:
        with dbt.transaction():
            dbt.execute("delete from marts_next.dim_accounts")
            dbt.execute(
                "insert into marts_next.dim_accounts select n, date '2026-03-01' + %s, %s, 12.50, array[n, null],"
                " '{\"a\": null}', case when n::int %% 2 = 0 then 'NaN'::float end from generate_series(1, %s) as n",
                (number, number, ACCOUNTS),
            )
        with dbt.transaction():
            dbt.execute("delete from marts_next.fct_days")
            dbt.execute(
                "insert into marts_next.fct_days select n, date '2026-01-01' + d, %s, null"
                " from generate_series(1, %s) as n, generate_series(1, 20) as d",
                (number, ACCOUNTS),
            )


def published(house: Warehouse, **options: Any) -> Published:
    with psycopg.connect(house.transformer_dsn) as transformer:
        return publish(transformer, dbt_invocation_id=None, dagster_run_id=None, **options)


def went_back(house: Warehouse) -> tuple[int, int]:
    with psycopg.connect(house.transformer_dsn) as transformer:
        return put_back(transformer)


def asked(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as db:
        return db.execute(query.encode()).fetchall()


def held(house: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that readers have."""
    names = asked(house.transformer_dsn, "select tablename from pg_tables where schemaname = 'marts' order by 1")
    return {
        name: asked(house.analyst_dsn, f"select m::text from marts.{name} as m order by 1")
        for (name,) in names
        if name != "publications"
    }


@contextmanager
def in_the_background(work: Any, count: int) -> Iterator[list[BaseException]]:
    """`work` over and over in `count` threads until the block ends; what they raised."""
    is_over, raised = threading.Event(), []

    def again() -> None:
        try:
            while not is_over.is_set():
                work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=again) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield raised
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_k12_readers_only_ever_see_rows_of_the_one_build_whose_number_they_read(house: Warehouse) -> None:
    build(house, 1)
    published(house)
    numbers = {1: 1}
    seen: set[int] = set()
    engine = make_engine(house.application_url, pool_size=8)

    def one_page() -> None:
        with read(engine) as db:
            build_id = db.execute(text("select max(build_id) from marts.publications")).scalar_one()
            found = [
                row
                for mart in MARTS
                for row in db.execute(text(f"select distinct build, count(*) over () from marts.{mart}"))
            ]
            counts = [db.execute(text(f"select count(*) from marts.{mart}")).scalar_one() for mart in MARTS]
        assert len({row[0] for row in found}) == 1, found
        assert counts == [ACCOUNTS, ACCOUNTS * 20]
        known = numbers.get(build_id)
        assert known in (None, found[0][0])  # None: published, and not yet noted by this test
        seen.add(found[0][0])

    def one_statement() -> None:
        found = asked(house.analyst_dsn, "select build from marts.dim_accounts union select build from marts.fct_days")
        assert len(found) == 1, found

    with in_the_background(one_page, 6) as by_page, in_the_background(one_statement, 2) as by_statement:
        for number in range(2, 14):
            build(house, number)
            numbers[published(house).build_id] = number
        back, _ = went_back(house)
        numbers[back] = 12

    engine.dispose()
    assert (by_page, by_statement) == ([], [])
    assert len(seen) > 3


def test_the_build_before_comes_back_exactly_once_and_as_a_publication_of_its_own(house: Warehouse) -> None:
    build(house, 1)
    published(house)
    before = held(house)
    build(house, 2)
    with psycopg.connect(house.transformer_dsn) as transformer:
        transformer.execute("alter table marts_next.dim_accounts add column owner text")
        transformer.execute("create table marts_next.dim_owners as select 'Ada'::text as name")
    assert published(house).replaced == ("dim_accounts", "dim_owners")
    after = held(house)

    assert went_back(house) == (3, 1)

    assert held(house) == before
    newest = "select build_id, restored_build_id, as_of_date::text from marts.publications order by 1 desc limit 1"
    assert asked(house.analyst_dsn, newest) == [(3, 1, "2026-03-02")]
    with pytest.raises(NoWayBack, match="Build 3 is build 1 put back"):
        went_back(house)
    with pytest.raises(PublicationHeld, match="build 1 was put back as build 3"):
        published(house)
    assert held(house) == before
    with psycopg.connect(house.transformer_dsn) as transformer:
        assert let_through(transformer) == 4
    assert held(house) == before
    published(house)
    assert held(house) == after
    with psycopg.connect(house.transformer_dsn) as transformer, pytest.raises(NothingHeld):
        let_through(transformer)


def test_before_the_second_publication_there_is_no_way_back(house: Warehouse) -> None:
    with pytest.raises(NoWayBack, match="Nothing has been published"):
        went_back(house)
    build(house, 1)
    published(house)

    with pytest.raises(NoWayBack, match="before build 1 is not kept"):
        went_back(house)


def test_of_a_noted_mart_the_noted_days_are_compared_and_all_of_it_when_they_do_not_account_for_it(
    house: Warehouse,
) -> None:
    build(house, 1)
    published(house)
    values = "select day::text, value from marts.fct_days where account_key = '1' and value is not null"
    with psycopg.connect(house.transformer_dsn, autocommit=True) as dbt:
        note = "insert into publishing.written_days values ('fct_days', 'day', '1', '2026-01-15')"
        dbt.execute(
            "update marts_next.fct_days set value = 5 where account_key = '1' and day in ('2026-01-03', '2026-01-16')"
        )
        dbt.execute(note)
        noted = published(house)

        assert (noted.removed_count, noted.added_count) == (1, 1)
        assert asked(house.analyst_dsn, values) == [("2026-01-16", 5.0)]

        dbt.execute(note)
        dbt.execute("delete from marts_next.fct_days where account_key = '2' and day = '2026-01-02'")
        published(house)

        assert sorted(asked(house.analyst_dsn, values)) == [("2026-01-03", 5.0), ("2026-01-16", 5.0)]


def test_what_is_said_of_a_mart_is_carried_over_and_nobody_waits_for_it(house: Warehouse) -> None:
    def said() -> list[tuple[Any, ...]]:
        return asked(
            house.admin_dsn,
            "select obj_description(oid), col_description(oid, 1) from pg_class"
            " where oid = 'marts.dim_accounts'::regclass",
        )

    build(house, 1)
    published(house)
    assert said() == [(None, None)]
    with psycopg.connect(house.transformer_dsn) as dbt:
        dbt.execute("comment on table marts_next.dim_accounts is 'One row per account. It''s %s'")
        dbt.execute("comment on column marts_next.dim_accounts.account_key is 'Its key.'")

    with psycopg.connect(house.analyst_dsn) as analyst:
        analyst.execute("select count(*) from marts.dim_accounts")
        published(house)

    assert said() == [("One row per account. It's %s", "Its key.")]


def test_s09_an_analyst_who_locks_marts_and_keeps_a_cursor_open_holds_up_no_publication(house: Warehouse) -> None:
    build(house, 1)
    published(house)
    build(house, 2)
    analyst = psycopg.connect(house.analyst_dsn)
    analyst.execute("set statement_timeout = 0")
    analyst.execute("lock table marts.dim_accounts, marts.publications in access share mode")
    analyst.execute("declare left_open cursor for select * from marts.fct_days")

    begun = time.monotonic()
    published(house)
    usual = time.monotonic() - begun
    assert {row[2] for row in analyst.execute("fetch all from left_open")} == {1}
    with psycopg.connect(house.transformer_dsn) as transformer:
        transformer.execute("alter table marts_next.dim_accounts add column owner text")
    begun = time.monotonic()
    published(house)
    of_a_release = time.monotonic() - begun

    assert max(usual, of_a_release) < 2
    with pytest.raises(psycopg.OperationalError):  # only the new columns needed the mart for themselves
        analyst.execute("select 1")
    analyst.close()


def test_nobody_but_the_transformer_ends_sessions_or_looks_aside(house: Warehouse) -> None:
    build(house, 1)
    published(house)
    application = house.application_url.replace("+psycopg", "")

    for dsn in (house.analyst_dsn, house.learner_dsn, house.loader_dsn, application):
        for query in ("select publishing.end_analysts()", "select * from marts_next.dim_accounts"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                asked(dsn, query)
    for dsn in (house.analyst_dsn, application):
        assert asked(dsn, "select count(*) from marts.dim_accounts") == [(ACCOUNTS,)]


def test_marts_that_were_built_in_place_go_on_from_where_they_were(house: Warehouse, postgres_server: Postgres) -> None:
    build(house, 1)
    with psycopg.connect(house.transformer_dsn) as former:
        for mart in MARTS:
            former.execute(f"create table marts.{mart} (like marts_next.{mart} including all)".encode())
            former.execute(f"insert into marts.{mart} select * from marts_next.{mart}".encode())
            former.execute(f"drop table marts_next.{mart}".encode())
        former.execute("insert into marts.publications (as_of_date) values ('2026-03-02')")
    before = held(house)

    for _ in range(2):
        prepare(postgres_server.dsn(), database=house.database, roles=WarehouseRoles.same(PASSWORD))
    unchanged = published(house)

    assert (unchanged.removed_count, unchanged.added_count, unchanged.replaced) == (0, 0, ())
    assert held(house) == before
    assert went_back(house) == (3, 1)
