"""Backups (D04, D06, D07): what comes back is what was there, and what is damaged does not come back at all."""

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from app.migrations.run import upgrade
from deploy import copies
from deploy.copies import BackupFailed, RestoreRefused, contents, forget_old, next_time, restore, take, taken
from deploy.prepare import ensure_backup_role
from local.postgres import VOLATILE, Postgres, free_port
from local.warehouse import WarehouseRoles, ensure_database, ensure_role, prepare

PASSWORD = "test-password"
NOW = datetime(2026, 11, 22, 2, 40, tzinfo=UTC)
SMALL = {**VOLATILE, "shared_buffers": "32MB"}


def prepared(folder: Path) -> Postgres:
    """A running server with our roles and databases, as `prepare` leaves it, and nothing in them."""
    server = Postgres(folder, free_port(), PASSWORD, settings=SMALL)
    server.start()
    prepare(server.dsn(), database="warehouse", roles=WarehouseRoles.same(PASSWORD))
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        ensure_role(admin, "dagster", PASSWORD)
        ensure_database(admin, "dagster", owner="dagster")
        ensure_backup_role(admin, PASSWORD, ("warehouse", "dagster"))
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server of this module's own, since a backup knows databases by their real names: schema `app` migrated, rows in
    a raw table and a mart."""
    made = prepared(tmp_path_factory.mktemp("living"))
    upgrade(f"postgresql+psycopg://application:{PASSWORD}@127.0.0.1:{made.port}/warehouse")
    with psycopg.connect(role_dsn(made, "loader")) as loader:
        loader.execute("create table raw_stripe.invoices (id bigint generated always as identity, paid jsonb)")
        loader.execute("insert into raw_stripe.invoices (paid) select to_jsonb(n) from generate_series(1, 500) n")
    with psycopg.connect(role_dsn(made, "transformer")) as transformer:
        transformer.execute("create table marts.dim_accounts (account_id text, mrr_eur float8, seen timestamptz)")
        transformer.execute("insert into marts.dim_accounts values ('a', 0.1 + 0.2, now()), (null, 'NaN', '-infinity')")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def backup(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it, taken by the account that may only read."""
    return take(role_dsn(server, "backup"), tmp_path_factory.mktemp("backups"), now=NOW)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Postgres]:
    """Another server: roles, empty databases, no table."""
    made = prepared(tmp_path / "empty")
    with psycopg.connect(made.dsn("warehouse"), autocommit=True) as admin:
        admin.execute("drop table marts.publications")
    yield made
    made.stop()


def role_dsn(server: Postgres, role: str, database: str = "warehouse") -> str:
    return make_conninfo(server.dsn(database), user=role, password=PASSWORD)


def grants(server: Postgres) -> list[tuple]:
    """Owner, rights (the implied ones written out, in one order) and row security of tables, schemas and defaults."""
    with psycopg.connect(server.dsn("warehouse")) as db:
        return db.execute(
            """
            with granted as (
                select 'table' as kind, n.nspname || '.' || c.relname as name, c.relowner as owner, c.relrowsecurity,
                    coalesce(c.relacl, acldefault((case c.relkind when 'S' then 's' else 'r' end)::"char", c.relowner))
                        as rights
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
                union all
                select 'schema', nspname, nspowner, false, coalesce(nspacl, acldefault('n', nspowner))
                from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
                union all
                select 'default', n.nspname, defaclrole, false, defaclacl
                from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace
            )
            select kind, name, owner::regrole::text, relrowsecurity,
                (select string_agg(one::text, ' ' order by one::text) from unnest(rights) as one)
            from granted order by 1, 2, 3
            """
        ).fetchall()


def everything(server: Postgres, database: str = "warehouse") -> copies.Contents:
    with copies._connect(server.dsn(), database) as db:
        return contents(db)


def count(server: Postgres, table: str) -> int:
    with psycopg.connect(server.dsn("warehouse")) as db:
        row = db.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(*table.split(".")))).fetchone()
        return row[0] if row else -1


def test_d04_an_empty_server_gets_back_rows_sequences_grants_and_owners(
    server: Postgres, backup: Path, empty: Postgres
) -> None:
    kept = restore(empty.dsn(), backup, now=NOW)

    assert kept == []
    assert everything(empty) == everything(server)
    assert everything(empty, "dagster") == everything(server, "dagster")
    assert grants(empty) == grants(server)
    assert count(empty, "raw_stripe.invoices") == 500


def test_d04_after_a_restore_each_role_works_as_before_and_no_more(backup: Path, empty: Postgres) -> None:
    restore(empty.dsn(), backup, now=NOW)

    upgrade(f"postgresql+psycopg://application:{PASSWORD}@127.0.0.1:{empty.port}/warehouse")
    with psycopg.connect(role_dsn(empty, "loader")) as loader:
        row = loader.execute("insert into raw_stripe.invoices (paid) values ('1') returning id").fetchone()
        assert row == (501,)
    with psycopg.connect(role_dsn(empty, "application")) as application:
        assert application.execute("select count(*) from marts.dim_accounts").fetchone() == (2,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("delete from marts.dim_accounts")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(role_dsn(empty, "analyst", "dagster"))


def test_d04_a_backup_under_writes_is_one_moment_of_all_tables(
    server: Postgres, tmp_path: Path, empty: Postgres
) -> None:
    with psycopg.connect(role_dsn(server, "loader")) as loader:
        loader.execute("create table ops.left_side (n int)")
        loader.execute("create table ops.right_side (n int)")
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(role_dsn(server, "loader")) as loader:
            number = 0
            while not stop.is_set():
                with loader.transaction():
                    loader.execute("insert into ops.left_side values (%s)", (number,))
                    loader.execute("insert into ops.right_side values (%s)", (number,))
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        place = take(role_dsn(server, "backup"), tmp_path, now=NOW)
    finally:
        stop.set()
        writer.join()
    restore(empty.dsn(), place, now=NOW)

    held = copies.read(place)["databases"]["warehouse"]["tables"]
    assert count(empty, "ops.left_side") == count(empty, "ops.right_side") == held["ops.left_side"][0]
    assert held["ops.left_side"] == held["ops.right_side"]
    assert count(server, "ops.left_side") >= held["ops.left_side"][0]


def test_living_data_is_replaced_only_when_asked_and_kept_even_then(backup: Path, empty: Postgres) -> None:
    restore(empty.dsn(), backup, now=NOW)
    with psycopg.connect(role_dsn(empty, "loader")) as loader:
        loader.execute("delete from raw_stripe.invoices where id > 100")

    with pytest.raises(RestoreRefused, match="warehouse on this server holds data"):
        restore(empty.dsn(), backup, now=NOW)
    assert count(empty, "raw_stripe.invoices") == 100
    with closing(psycopg.connect(role_dsn(empty, "loader"))) as still_there:
        kept = restore(empty.dsn(), backup, now=NOW, replace=True)
        with pytest.raises(psycopg.OperationalError):  # it would go on writing into what was replaced
            still_there.execute("select 1")

    assert kept == ["warehouse_before_20261122t024000z"]
    assert count(empty, "raw_stripe.invoices") == 500
    with psycopg.connect(empty.dsn(kept[0])) as before:
        assert before.execute("select count(*) from raw_stripe.invoices").fetchone() == (100,)


def damaged(backup: Path, place: Path) -> Path:
    copy = place / backup.name
    copy.mkdir(parents=True)
    for part in backup.iterdir():
        (copy / part.name).write_bytes(part.read_bytes())
    return copy


def cut_short(copy: Path) -> None:
    archive = copy / "warehouse.dump"
    archive.write_bytes(archive.read_bytes()[:-100])


def one_bit(copy: Path) -> None:
    archive = copy / "warehouse.dump"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)


def no_manifest(copy: Path) -> None:
    (copy / "manifest.json").unlink()


def half_a_manifest(copy: Path) -> None:
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text()[:500])


def no_archive(copy: Path) -> None:
    (copy / "dagster.dump").unlink()


def change(copy: Path, **values: object) -> None:
    manifest = copy / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **values}))


def newer_server(copy: Path) -> None:
    change(copy, server_version=990001)


def other_format(copy: Path) -> None:
    change(copy, format=99)


def other_rows(copy: Path) -> None:
    parts = json.loads((copy / "manifest.json").read_text())["databases"]
    parts["warehouse"]["tables"]["raw_stripe.invoices"][0] = 501
    change(copy, databases=parts)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (cut_short, "is damaged"),
        (one_bit, "is damaged"),
        (no_manifest, "is no backup"),
        (half_a_manifest, "can not be read"),
        (no_archive, "dagster.dump is missing"),
        (newer_server, "an older server can not read it"),
        (other_format, "has format 99"),
        (other_rows, r"raw_stripe\.invoices first: \(501, .*became \(500,"),
    ],
)
def test_d06_a_backup_that_is_not_whole_is_refused_and_the_living_data_stays(
    server: Postgres, backup: Path, tmp_path: Path, harm, reason: str
) -> None:
    copy = damaged(backup, tmp_path)
    harm(copy)
    before = everything(server)

    with pytest.raises(RestoreRefused, match=reason):
        restore(server.dsn(), copy, now=NOW, replace=True)

    assert everything(server) == before
    with psycopg.connect(server.dsn()) as admin:
        names = {name for (name,) in admin.execute("select datname from pg_database")}
    assert names == {"postgres", "template0", "template1", "warehouse", "dagster"}


def test_d06_a_server_without_our_roles_is_refused(backup: Path, tmp_path: Path) -> None:
    bare = Postgres(tmp_path / "bare", free_port(), PASSWORD, settings=SMALL)
    bare.start()
    try:
        with pytest.raises(RestoreRefused, match=r"has no role .*application.*: prepare it first"):
            restore(bare.dsn(), backup, now=NOW)
    finally:
        bare.stop()


def test_d07_a_backup_is_its_owner_s_alone_and_holds_no_password(backup: Path) -> None:
    modes = {stat.S_IMODE(place.stat().st_mode) for place in backup.iterdir()}

    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert modes == {0o600}
    manifest = (backup / "manifest.json").read_text()
    assert PASSWORD not in manifest
    assert b"SCRAM-SHA-256" not in (backup / "warehouse.dump").read_bytes()


def test_who_takes_backups_can_write_nothing(server: Postgres) -> None:
    with psycopg.connect(role_dsn(server, "backup"), autocommit=True) as reader:
        reader.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("insert into raw_stripe.invoices (paid) values ('1')")


def test_a_backup_that_fails_leaves_nothing_under_a_backup_s_name(
    server: Postgres, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(copies, "ATTEMPTS", 1)

    with pytest.raises(BackupFailed, match="nowhere could not be read"):
        take(role_dsn(server, "backup"), tmp_path, now=NOW, databases=("warehouse", "nowhere"))

    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_backups_are_kept_and_always_one(tmp_path: Path) -> None:
    for day in range(5):
        place = tmp_path / (NOW + timedelta(days=day)).strftime("%Y%m%dT%H%M%SZ")
        place.mkdir()
        (place / "manifest.json").write_text("{}")
    (tmp_path / ".partial-20261101T000000Z").mkdir()

    forget_old(tmp_path, keep=2)
    assert [place.name for place in taken(tmp_path)] == ["20261125T024000Z", "20261126T024000Z"]
    forget_old(tmp_path, keep=0)

    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("02:39", datetime(2026, 11, 23, 2, 39, tzinfo=UTC)),
        ("02:40", datetime(2026, 11, 23, 2, 40, tzinfo=UTC)),
        ("02:41", datetime(2026, 11, 22, 2, 41, tzinfo=UTC)),
    ],
)
def test_the_next_backup_is_due_at_the_next_such_time(at: str, due: datetime) -> None:
    assert next_time(at, now=NOW) == due


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(BackupFailed, match="BACKUP_AT=night"):
        next_time("night", now=NOW)


def test_d04_numbers_drawn_while_the_dump_runs_are_no_difference(
    server: Postgres, tmp_path: Path, empty: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copies._run

    def draw() -> None:
        with psycopg.connect(role_dsn(server, "loader")) as loader:
            loader.execute("select nextval(pg_get_serial_sequence('raw_stripe.invoices', 'id'))")

    def drawing(name: str, dsn: str, database: str, *arguments: str) -> None:
        draw()
        run(name, dsn, database, *arguments)
        draw()

    with monkeypatch.context() as busy:
        busy.setattr(copies, "_run", drawing)
        made = take(role_dsn(server, "backup"), tmp_path, now=NOW)

    assert restore(empty.dsn(), made, now=NOW) == []
