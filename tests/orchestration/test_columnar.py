"""The columnar copy: what of a published build is in it, and what of it a publication writes anew."""

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from app.marts.version import Publication
from app.sandbox import columnar as reader
from local.postgres import Postgres
from orchestration import columnar
from orchestration.columnar import Copied
from orchestration.publishing import publish, put_back
from tests.conftest import Warehouse, drop_database, make_warehouse

_TABLES = """
    create table marts_next.dim_accounts (
        account_key text, as_of_date date, mrr numeric, tags text[], drivers jsonb, seen_at timestamptz
    );
    create table marts_next.fct_days (account_key text, day date, score double precision);
    create unique index on marts_next.fct_days (account_key, day);
    create index on marts_next.fct_days (day);
"""
_BUILD = """
    insert into marts_next.dim_accounts
    select n, '2026-03-02', 12.5, array[n::text, null], '{"a": null}', '2026-03-01 01:30+02'
    from generate_series(1, 3) as n;
    insert into marts_next.fct_days
    select n, date '2026-01-30' + d, d from generate_series(1, 3) as n, generate_series(1, 31) as d;
    insert into marts_next.fct_days values ('1', null, 7);
"""


@pytest.fixture
def house(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A warehouse of the test's own with a published build of two marts: days from the end of January into March."""
    made = make_warehouse(postgres_server)
    with psycopg.connect(made.transformer_dsn) as dbt:
        dbt.execute(_TABLES)
        dbt.execute(_BUILD)
    published(made)
    yield made
    drop_database(postgres_server, made.database)


def published(house: Warehouse, *changes: str) -> None:
    with psycopg.connect(house.transformer_dsn) as dbt:
        for change in changes:
            dbt.execute(change.encode())
        publish(dbt, dbt_invocation_id=None, dagster_run_id=None)


def copied(house: Warehouse, into: Path) -> Copied:
    made = columnar.write(house.transformer_dsn, into)
    assert made is not None
    return made


def newest(into: Path) -> Path:
    return max((one for one in into.iterdir() if one.is_dir()), key=lambda one: int(one.name.partition("-")[0]))


def files(into: Path, mart: str) -> dict[str, int]:
    """Files of a mart in the newest copy: each with what makes it that very file."""
    return {file.name: file.stat().st_ino for file in (newest(into) / mart).iterdir()}


def rows(into: Path, mart: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as own:
        return own.read_parquet(str(newest(into) / mart / "*.parquet")).order("all").fetchall()


def held(house: Warehouse, mart: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(house.transformer_dsn) as db:
        return db.execute(f"select * from marts.{mart} order by {mart}".encode()).fetchall()


def test_a_copy_holds_every_row_by_month_where_there_is_a_time(house: Warehouse, tmp_path: Path) -> None:
    made = copied(house, tmp_path)

    assert (made.mart_count, made.row_count) == (2, 3 + 94)
    assert files(tmp_path, "fct_days").keys() == {
        "columns.parquet", "2026-01.parquet", "2026-02.parquet", "2026-03.parquet", "rows.parquet",
    }  # fmt: skip
    assert rows(tmp_path, "fct_days") == held(house, "fct_days")
    first = rows(tmp_path, "dim_accounts")[0]
    assert first[:5] == ("1", date(2026, 3, 2), 12.5, "{1,NULL}", '{"a": null}')
    assert first[5].isoformat() == "2026-02-28T23:30:00"


def test_a_publication_writes_the_months_that_it_changed_and_links_the_others(house: Warehouse, tmp_path: Path) -> None:
    copied(house, tmp_path)
    before = {mart: files(tmp_path, mart) for mart in ("dim_accounts", "fct_days")}
    published(
        house,
        "update marts_next.fct_days set score = -1 where account_key = '2' and day = '2026-02-03'",
        "delete from marts_next.fct_days where day is null",
        "insert into marts_next.fct_days values ('2', '2026-04-01', 1)",
    )

    made = copied(house, tmp_path)

    after = files(tmp_path, "fct_days")
    assert {name for name in after if after[name] == before["fct_days"].get(name)} == {
        "2026-01.parquet", "2026-03.parquet",
    }  # fmt: skip
    assert after.keys() - before["fct_days"].keys() == {"2026-04.parquet"}
    assert before["fct_days"].keys() - after.keys() == {"rows.parquet"}
    assert files(tmp_path, "dim_accounts") == before["dim_accounts"]
    assert (made.written, made.row_count) == (("fct_days",), 28 * 3 + 1)
    assert rows(tmp_path, "fct_days") == held(house, "fct_days")
    published(house)
    assert copied(house, tmp_path).written == ()
    assert rows(tmp_path, "fct_days") == held(house, "fct_days")


@pytest.mark.parametrize("way", ["a column more", "put back", "no copy of the one before", "a file is gone"])
def test_what_a_publication_changed_is_not_known_and_the_copy_is_right_all_the_same(
    house: Warehouse, tmp_path: Path, way: str
) -> None:
    copied(house, tmp_path)
    change = "update marts_next.fct_days set score = -1 where day < '2026-02-10'"
    if way == "a column more":
        published(house, change, "alter table marts_next.fct_days add more integer default 4")
    elif way == "a file is gone":
        (newest(tmp_path) / "fct_days" / "2026-03.parquet").unlink()
        published(house, change)
    else:
        published(house, change)
        published(house, "update marts_next.fct_days set score = -2 where day > '2026-02-20'")
        if way == "put back":
            copied(house, tmp_path)
            with psycopg.connect(house.transformer_dsn) as db:
                put_back(db)

    copied(house, tmp_path)

    assert rows(tmp_path, "fct_days") == held(house, "fct_days")


def test_a_second_copy_of_a_build_writes_nothing_and_old_builds_go(house: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "killed.part").mkdir()
    copied(house, tmp_path)
    before = files(tmp_path, "fct_days")

    assert copied(house, tmp_path).written == ()
    assert files(tmp_path, "fct_days") == before
    for _ in range(3):
        published(house, "update marts_next.dim_accounts set mrr = mrr + 1")
        copied(house, tmp_path)
    assert len([one for one in tmp_path.iterdir() if one.is_dir()]) == 2


def test_what_analysts_may_not_read_and_what_stands_beside_the_marts_is_in_no_copy(
    house: Warehouse, tmp_path: Path
) -> None:
    with psycopg.connect(house.transformer_dsn) as db:
        db.execute("revoke select on marts.fct_days from analyst")

    copied(house, tmp_path)

    assert {one.name for one in newest(tmp_path).iterdir()} == {"dim_accounts"}


def test_a_publication_waits_for_the_copy_and_readers_do_not(
    house: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_copying, may_go_on = threading.Event(), threading.Event()
    write = columnar._write

    def slowly(*given: Any, **named: Any) -> int | None:
        is_copying.set()
        assert may_go_on.wait(20)
        return write(*given, **named)

    monkeypatch.setattr(columnar, "_write", slowly)
    copying = threading.Thread(target=copied, args=(house, tmp_path))
    copying.start()
    assert is_copying.wait(20)
    publishing = threading.Thread(target=published, args=(house, "delete from marts_next.fct_days where day is null"))
    publishing.start()
    publishing.join(1)

    assert publishing.is_alive()
    with psycopg.connect(house.analyst_dsn) as analyst:
        analyst.execute("set statement_timeout = '2s'")
        assert analyst.execute("select count(*) from marts.fct_days").fetchone() == (94,)
    may_go_on.set()
    copying.join()
    publishing.join()
    assert len(rows(tmp_path, "fct_days")) == 94
    copied(house, tmp_path)
    assert len(rows(tmp_path, "fct_days")) == 93


def test_who_writes_and_who_reads_call_a_copy_the_same(house: Warehouse, tmp_path: Path) -> None:
    copied(house, tmp_path)
    with psycopg.connect(house.transformer_dsn) as db:
        asked = "select build_id, published_at, as_of_date from marts.publications"
        ((build_id, published_at, as_of),) = db.execute(asked)

    of_build = Publication(build_id=build_id, published_at=published_at, as_of_date=as_of)
    assert newest(tmp_path).name == reader.name(of_build) == columnar.name(build_id, published_at)
