# ruff: noqa: S608 - table and column names are constants of this module
"""The simulated product database: tables, fast loading, and a clock of its own.

`usage_events` is keyed by (ingested_at, event_id), not by event id: the pipeline that fills it delivers at least
once, so the same event can arrive twice. Rows are written in PostgreSQL's binary COPY format straight from numpy,
because formatting a million rows of text in Python would take longer than everything else together.
"""

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from simulator import catalogue
from simulator.clock import iso_ms
from simulator.ledger import Ledger, Usage

SCHEMA = """
create schema if not exists simulated;
create table if not exists simulated.clock (
    is_only boolean primary key default true check (is_only), offset_days integer not null);
insert into simulated.clock (offset_days) values (0) on conflict do nothing;
create or replace function simulated.now() returns timestamptz language sql stable parallel safe
    as $$ select pg_catalog.now() + make_interval(days => (select offset_days from simulated.clock)) $$;
create or replace view simulated.pg_stat_activity as
    select datid, datname, pid, usename, application_name, state, backend_type, backend_xid, backend_xmin,
        xact_start + make_interval(days => (select offset_days from simulated.clock)) as xact_start,
        query_start + make_interval(days => (select offset_days from simulated.clock)) as query_start,
        state_change + make_interval(days => (select offset_days from simulated.clock)) as state_change
    from pg_catalog.pg_stat_activity;
create table if not exists public.tenants (
    id bigint primary key, name text not null, plan text not null, country text not null, status text not null,
    created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz);
create table if not exists public.users (
    id bigint primary key, tenant_id bigint not null, email text not null, role text not null,
    is_active boolean not null,
    created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz);
create table if not exists public.usage_events (
    event_id bigint not null, tenant_id bigint not null, user_id bigint, event_name text not null,
    feature text not null,
    occurred_at timestamptz not null, ingested_at timestamptz not null, duration_ms integer, properties jsonb);
create index if not exists tenants_by_change on public.tenants (updated_at, id);
create index if not exists users_by_change on public.users (updated_at, id);
"""
KEYS = """
do $$ begin
    if not exists (select from pg_constraint where conname = 'usage_events_pkey') then
        alter table public.usage_events add primary key (ingested_at, event_id);
    end if;
end $$;
create index if not exists usage_events_by_tenant on public.usage_events (tenant_id, occurred_at);
"""
EPOCH_2000 = 946_684_800
COPY_HEAD = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
COPY_TAIL = b"\xff\xff"


def connect(dsn: str) -> psycopg.Connection:
    """Connection with real time: the database's default search path shows readers the simulated one."""
    return psycopg.connect(dsn, options="-c search_path=public -c timezone=UTC")


def prepare(db: psycopg.Connection, reader_role: str) -> None:
    """Create what is missing, give the reader its rights and the simulated `now()`. Needs the database's owner."""
    db.execute(SCHEMA)
    database = db.info.dbname
    db.execute(
        sql.SQL("alter database {} set search_path = simulated, public, pg_catalog").format(sql.Identifier(database))
    )
    if db.execute("select from pg_roles where rolname = %s", [reader_role]).fetchone() is not None:
        role = sql.Identifier(reader_role)
        db.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), role))
        for schema in ("public", "simulated"):
            db.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), role))
            db.execute(sql.SQL("grant select on all tables in schema {} to {}").format(sql.Identifier(schema), role))
    db.commit()


def clear(db: psycopg.Connection) -> None:
    """Empty tables without keys, ready for a seed: what a killed seed left behind goes."""
    db.execute("drop table if exists public.usage_events")
    db.execute("truncate public.tenants, public.users")
    db.execute("update simulated.clock set offset_days = 0")


def set_clock(db: psycopg.Connection, offset_days: int) -> None:
    """Readers see real now plus this many days from the next transaction on."""
    db.execute("update simulated.clock set offset_days = %s where offset_days <> %s", [offset_days, offset_days])
    db.commit()


def _layout(name: str, feature: str, has_user: bool, properties_bytes: int) -> np.dtype:
    """Record layout of one COPY row with constant text lengths."""
    spec: list[tuple[str, str]] = [
        ("count", ">i2"),
        ("l1", ">i4"),
        ("event_id", ">i8"),
        ("l2", ">i4"),
        ("tenant", ">i8"),
        ("l3", ">i4"),
    ]
    if has_user:
        spec.append(("user", ">i8"))
    spec += [
        ("l4", ">i4"),
        ("name", f"S{len(name)}"),
        ("l5", ">i4"),
        ("feature", f"S{len(feature)}"),
        ("l6", ">i4"),
        ("occurred", ">i8"),
        ("l7", ">i4"),
        ("ingested", ">i8"),
        ("l8", ">i4"),
        ("duration", ">i4"),
        ("l9", ">i4"),
    ]
    if properties_bytes:
        spec.append(("properties", f"S{properties_bytes}"))
    return np.dtype(spec)


def _micros(moments: NDArray[np.int64]) -> NDArray[np.int64]:
    return (moments - EPOCH_2000 * 1000) * 1000


def _encode(usage: Usage, kind: int) -> bytes:
    """COPY rows of one kind of event."""
    chosen = usage.event == kind
    if not chosen.any():
        return b""
    is_beat = kind < 0
    name, feature = catalogue.HEARTBEAT if is_beat else catalogue.EVENTS[kind]
    properties = (
        np.array([b'\x01{"automation_id": %d}' % number for number in usage.automation[chosen]]) if is_beat else None
    )
    size = properties.dtype.itemsize if properties is not None else 0
    rows = np.zeros(int(chosen.sum()), _layout(name, feature, not is_beat, size))
    rows["count"], rows["l1"], rows["l2"], rows["l3"] = 9, 8, 8, -1 if is_beat else 8
    rows["l4"], rows["l5"], rows["l6"], rows["l7"], rows["l8"], rows["l9"] = (
        len(name),
        len(feature),
        8,
        8,
        4,
        size or -1,
    )
    rows["event_id"], rows["tenant"], rows["name"], rows["feature"] = (
        usage.event_id[chosen],
        usage.tenant[chosen],
        name.encode(),
        feature.encode(),
    )
    rows["occurred"], rows["ingested"], rows["duration"] = (
        _micros(usage.occurred[chosen]),
        _micros(usage.ingested[chosen]),
        usage.duration_ms[chosen],
    )
    if properties is None:
        rows["user"] = usage.user[chosen]
    else:
        rows["properties"] = properties
    return rows.tobytes()


def copy_usage(db: psycopg.Connection, days: list[Usage], table: str = "public.usage_events") -> int:
    """Append the events of some days by binary COPY; returns the number of rows."""
    target = sql.SQL("copy {} from stdin (format binary)").format(sql.SQL(table))  # pyright: ignore[reportArgumentType]
    with db.cursor() as cursor, cursor.copy(target) as copy:
        copy.write(COPY_HEAD)
        for usage in days:
            for kind in range(-1, len(catalogue.EVENTS)):
                copy.write(_encode(usage, kind))
        copy.write(COPY_TAIL)
    return sum(len(usage.event_id) for usage in days)


def _upsert(db: psycopg.Connection, table: str, columns: str, rows: list[tuple]) -> None:
    if not rows:
        return
    names = columns.split(", ")
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:] if name != "created_at")
    marks = ", ".join("to_timestamp(%s)" if name.endswith("_at") else "%s" for name in names)
    statement = f"insert into public.{table} ({columns}) values ({marks}) on conflict (id) do update set {changes}"
    with db.cursor() as cursor:
        cursor.executemany(statement.encode(), rows)


def complete(db: psycopg.Connection, ledger: Ledger) -> None:
    """After the events of a fresh estate: keys, then tenants and users, then statistics."""
    db.execute(KEYS)
    for table, rows in (("tenants", ledger.tenants), ("users", ledger.users)):
        with db.cursor() as cursor, cursor.copy(f"copy public.{table} from stdin".encode()) as copy:
            for row in rows.values():
                moments = [None if value is None else iso_ms(value) for value in row[-3:]]
                copy.write_row([*row[:-3], *moments])
    db.execute("analyze public.tenants, public.users, public.usage_events")


def write_day(db: psycopg.Connection, ledger: Ledger) -> None:
    """Write one day in one transaction; writing it again changes nothing."""
    _upsert(
        db,
        "tenants",
        "id, name, plan, country, status, created_at, updated_at, deleted_at",
        list(ledger.tenants.values()),
    )
    _upsert(
        db,
        "users",
        "id, tenant_id, email, role, is_active, created_at, updated_at, deleted_at",
        list(ledger.users.values()),
    )
    db.execute("create temporary table arriving (like public.usage_events) on commit drop")
    copy_usage(db, ledger.usage, "arriving")
    db.execute("insert into public.usage_events select * from arriving order by event_id on conflict do nothing")
    db.commit()
