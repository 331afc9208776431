"""The product database: what a reader of somebody else's tables must not lose."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from extract.errors import SourceRejected, SourceUnavailable, TruncatedExtract
from extract.run import LoadResult, run_source, run_stream
from extract.stream import Kind
from local.postgres import Postgres
from tests.conftest import drop_database
from tests.extract.conftest import Loaded

SHAPE = """
create table tenants (id bigint, name text, plan text, country text, status text, created_at timestamptz,
    updated_at timestamptz, deleted_at timestamptz);
create table users (id bigint, tenant_id bigint, email text, role text, is_active boolean, created_at timestamptz,
    updated_at timestamptz, deleted_at timestamptz);
create table usage_events (event_id bigint, tenant_id bigint, user_id bigint, event_name text, feature text,
    occurred_at timestamptz, ingested_at timestamptz, duration_ms int, properties jsonb);
"""
HOURS_AGO = "now() - {} * interval '1 hour'"


class ProductDatabase:
    """A product database of a test, and its streams loaded into the warehouse."""

    def __init__(self, db: psycopg.Connection, loaded: Loaded) -> None:
        self.db = db
        self.loaded = loaded

    def do(self, statement: str) -> None:
        self.db.execute(statement.encode())

    def tenants(self, *ids: int, hours_ago: float = 5) -> None:
        for key in ids:
            self.do(f"insert into tenants values ({key}, 'T{key}', 'pro', 'GB', 'active', now(),"
                    f" {HOURS_AGO.format(hours_ago)}, null)")  # fmt: skip

    def events(self, first: int, last: int, *, occurred: str = HOURS_AGO.format(5), ingested: str = "") -> None:
        self.do(f"insert into usage_events select n, 1, 2, 'campaign_sent', 'campaigns', {occurred},"
                f" {ingested or occurred}, 12, '{{\"n\": 1}}' from generate_series({first}, {last}) n")  # fmt: skip

    def load(self, stream: str, kind: Kind = "incremental") -> LoadResult:
        return run_stream("product", stream, kind=kind, dsn=self.loaded.dsn)


@pytest.fixture
def product(loaded: Loaded, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProductDatabase]:
    name = f"product_of_{loaded.db.info.dbname}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    monkeypatch.setenv("PRODUCT_DSN", postgres_server.dsn(name))
    with psycopg.connect(postgres_server.dsn(name), autocommit=True) as db:
        db.execute(SHAPE)
        yield ProductDatabase(db, loaded)
    drop_database(postgres_server, name)


def test_rows_are_loaded_once_and_a_change_updates_them(product: ProductDatabase) -> None:
    product.tenants(1, 2, 3)
    assert product.load("tenants").inserted == 3

    product.do("update tenants set plan = 'enterprise', updated_at = now() - interval '3 minutes' where id = 2")
    result = product.load("tenants")

    assert (result.updated, result.inserted) == (1, 0)
    assert product.loaded.value("select payload->>'plan' from raw_product.tenants where _pk = '2'") == "enterprise"


def test_a_second_load_of_everything_writes_nothing(product: ProductDatabase) -> None:
    product.tenants(1, 2)
    product.events(1, 500)
    product.do("insert into users values (1, 1, 'a@a.example', 'admin', true, now(), now() - interval '1 hour', null)")
    run_source("product", dsn=product.loaded.dsn)
    trace = (
        "select string_agg(t, '|' order by t) from (select xmin::text || ctid::text as t from raw_product.tenants union"
        " all select xmin::text || ctid::text from raw_product.users union all select tableoid::text || xmin::text ||"
        " ctid::text from raw_product.usage_events union all select xmin::text || ctid::text from ops.stream_state) s"
    )
    before = product.loaded.value(trace)

    results = run_source("product", dsn=product.loaded.dsn)

    assert [result.inserted + result.updated for result in results] == [0, 0, 0]
    assert product.loaded.value(trace) == before


def test_the_clock_is_the_sources_own_now(product: ProductDatabase) -> None:
    product.do("create schema simulated")
    product.do("create function simulated.now() returns timestamptz language sql stable as"
               " $$ select pg_catalog.now() + interval '40 days' $$")  # fmt: skip
    product.do(f"alter database {product.db.info.dbname} set search_path = simulated, public, pg_catalog")
    product.do("insert into tenants values (1, 'T', 'pro', 'GB', 'active', now(), now() + interval '39 days', null)")

    result = product.load("tenants")

    assert result.inserted == 1
    assert result.source_now is not None
    assert timedelta(days=39) < result.source_now - datetime.now(UTC) < timedelta(days=41)


def test_a_row_younger_than_two_minutes_waits(product: ProductDatabase) -> None:
    product.tenants(1, hours_ago=0.01)

    assert product.load("tenants").read == 0


def test_a_transaction_that_was_open_for_minutes_is_not_lost(product: ProductDatabase) -> None:
    """Its rows carry a time before rows that were already loaded: the overlap finds them."""
    product.tenants(1, hours_ago=1)
    product.tenants(2, hours_ago=0.5)
    product.load("tenants")

    product.tenants(3, hours_ago=0.5 + 5 / 60)

    assert product.load("tenants").inserted == 1


def test_the_upper_bound_stays_below_the_oldest_open_writer(product: ProductDatabase) -> None:
    """A writer that has been at it for an hour; the view stands in for the hour, which a test cannot wait."""
    product.do("create schema old")
    product.do("create view old.pg_stat_activity as select datname, backend_xid, pid, now() - interval '1 hour' as"
               " xact_start from pg_catalog.pg_stat_activity")  # fmt: skip
    product.do(f"alter database {product.db.info.dbname} set search_path = old, public, pg_catalog")
    product.tenants(1, hours_ago=2)
    product.tenants(2, hours_ago=0.5)
    with psycopg.connect(product.db.info.dsn, password=product.db.info.password) as writer:
        writer.execute("insert into tenants values (9, 'late', 'pro', 'GB', 'active', now(), now(), null)")

        assert product.load("tenants").read == 1


def test_a_hard_delete_is_found_by_the_full_scan(product: ProductDatabase) -> None:
    product.tenants(*range(1, 61))
    product.load("tenants")

    product.do("delete from tenants where id = 7")
    assert product.load("tenants").updated == 0
    result = product.load("tenants", "full_scan")

    assert (result.updated, result.unchanged) == (1, 59)
    assert product.loaded.value("select _delete_reason from raw_product.tenants where _pk = '7'") == "deleted"


def test_a_clock_set_back_is_found_by_the_full_scan(product: ProductDatabase) -> None:
    product.tenants(1, 2, hours_ago=1)
    product.load("tenants")

    product.do("update tenants set name = 'renamed', updated_at = updated_at - interval '1 year' where id = 1")

    assert product.load("tenants", "full_scan").updated == 1


def test_an_emptied_table_is_not_believed(product: ProductDatabase) -> None:
    product.tenants(1, 2, 3)
    product.load("tenants")

    product.do("delete from tenants")

    with pytest.raises(TruncatedExtract, match="3 of 3 rows"):
        product.load("tenants", "full_scan")


def test_a_late_event_and_a_repeated_one_are_loaded_once_into_their_own_month(product: ProductDatabase) -> None:
    product.events(1, 100)
    product.load("usage_events")

    product.events(1, 1, occurred="(select min(occurred_at) from usage_events)", ingested=HOURS_AGO.format(1))
    product.events(101, 101, occurred="timestamptz '2024-02-29 23:59:59Z'", ingested=HOURS_AGO.format(1))
    result = product.load("usage_events")

    assert (result.inserted, product.loaded.value("select count(*) from raw_product.usage_events")) == (1, 101)
    assert product.loaded.value("select count(*) from raw_product.usage_events_2024_02") == 1


def test_events_that_appeared_behind_the_watermark_are_found_by_comparing_days(product: ProductDatabase) -> None:
    product.events(1, 10)
    product.load("usage_events")

    product.events(11, 20, occurred=HOURS_AGO.format(30))
    assert product.load("usage_events").inserted == 0

    assert product.load("usage_events", "full_scan").inserted == 10


def test_every_value_of_an_event_arrives(product: ProductDatabase) -> None:
    product.do(
        "insert into usage_events values (9007199254740993, 1, null, 'sms_sent', 'sms', now() - interval '1 day',"
        ' now() - interval \'1 day\', null, \'{"a": 1.50, "b": "😀"}\')'
    )

    product.load("usage_events")

    found = product.loaded.db.execute(
        "select event_id, user_id, event_name, duration_ms, properties::text from raw_product.usage_events"
    ).fetchone()
    assert found == (9007199254740993, None, "sms_sent", None, '{"a": 1.50, "b": "😀"}')


def test_two_loads_at_once_end_with_every_row_once(product: ProductDatabase) -> None:
    product.events(1, 20_000)
    ended: list[str] = []

    def load() -> None:
        try:
            product.load("usage_events")
            ended.append("loaded")
        except Exception as error:
            ended.append(type(error).__name__)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(ended) <= {"loaded", "StreamBusy"}
    assert "loaded" in ended
    assert product.loaded.value("select count(*) from raw_product.usage_events") == 20_000


def test_a_database_that_is_down_is_one_clear_sentence(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODUCT_DSN", "postgresql://reader:secret@127.0.0.1:9/product")

    with pytest.raises(SourceUnavailable) as raised:
        run_stream("product", "tenants", dsn=loaded.dsn)

    assert "The product database at 127.0.0.1:9 does not answer" in str(raised.value)
    assert "Start it or check PRODUCT_DSN, then run again." in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_missing_column_says_that_the_schema_changed(product: ProductDatabase) -> None:
    product.do("alter table tenants drop column plan")

    with pytest.raises(SourceRejected, match="has another schema"):
        product.load("tenants")
