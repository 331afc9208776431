"""The tables of raw_* and ops, created and brought up to date by role loader. Idempotent and cheap to repeat.

The schemas themselves and the grants come from the warehouse's bootstrap: default privileges of role loader give
every table made here to its readers. A digest of all statements is kept as a comment on ops.load_run, so that a
run against a warehouse that is up to date costs one query.
"""

import hashlib
from collections.abc import Iterator

import psycopg
from psycopg import sql

from extract.errors import ExtractError
from extract.partitions import DDL_LOCK
from extract.sources import SOURCES
from extract.stream import Table

_OPS = """
create table if not exists ops.load_run (
    load_id bigint generated always as identity primary key,
    source text not null,
    stream text not null,
    kind text not null,
    partition text,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    status text not null check (status in ('running', 'succeeded', 'warned', 'failed')),
    code_version text,
    window_from timestamptz,
    window_to timestamptz,
    source_now timestamptz,
    error_class text,
    error_message text
);
create index if not exists load_run_stream on ops.load_run (source, stream, load_id desc);
create table if not exists ops.load_chunk (
    load_id bigint not null references ops.load_run,
    chunk_number int not null,
    committed_at timestamptz not null,
    read bigint not null,
    inserted bigint not null,
    updated bigint not null,
    unchanged bigint not null,
    stale bigint not null,
    quarantined bigint not null,
    bytes bigint not null,
    requests int not null,
    http_429 int not null,
    seconds double precision not null,
    window_from timestamptz,
    window_to timestamptz,
    primary key (load_id, chunk_number),
    constraint every_record_is_accounted_for
        check (read = inserted + updated + unchanged + stale + quarantined)
);
create table if not exists ops.stream_state (
    source text not null,
    stream text not null,
    cursor jsonb,
    watermark timestamptz,
    updated_at timestamptz not null,
    load_id bigint not null references ops.load_run,
    primary key (source, stream)
);
create table if not exists ops.http_log (
    at timestamptz not null,
    load_id bigint not null,
    source text not null,
    method text not null,
    path text not null,
    status int,
    request_id text,
    milliseconds int not null,
    bytes bigint not null,
    attempt int not null,
    error text
);
create index if not exists http_log_load on ops.http_log (load_id);
create index if not exists http_log_at on ops.http_log using brin (at);
create table if not exists ops.quarantine (
    id bigint generated always as identity primary key,
    load_id bigint not null references ops.load_run,
    source text not null,
    stream text not null,
    pk_guess text,
    reason_code text not null,
    reason text not null,
    raw bytea not null,
    raw_digest bytea not null,
    received_at timestamptz not null,
    resolved_at timestamptz,
    resolution text,
    unique (source, stream, reason_code, raw_digest)
);
create table if not exists ops.schema_drift (
    source text not null,
    stream text not null,
    path text not null,
    old_type text,
    new_type text not null,
    first_seen timestamptz not null,
    load_id bigint not null,
    sample_hash bytea,
    primary key (source, stream, path, new_type)
);
"""

_USAGE_EVENTS = """
create table if not exists raw_product.usage_events (
    event_id bigint not null,
    tenant_id bigint,
    user_id bigint,
    event_name text,
    feature text,
    occurred_at timestamptz not null,
    ingested_at timestamptz,
    duration_ms int,
    properties jsonb,
    _load_id bigint not null,
    _loaded_at timestamptz not null,
    primary key (event_id, occurred_at)
) partition by range (occurred_at);
create index if not exists usage_events_loaded_at on raw_product.usage_events using brin (_loaded_at);
create index if not exists usage_events_occurred_at on raw_product.usage_events using brin (occurred_at);
"""

# What a proof of a figure shows of an event: whose, when, which and by which load; not what is in it.
_USAGE_ROWS = """
create or replace view ops.usage_rows as
select event_id, tenant_id, user_id, event_name, occurred_at, _load_id as load_id, _loaded_at as loaded_at
from raw_product.usage_events;
"""

_FILES = """
create table if not exists raw_survey.files (
    sha256 text primary key,
    name text not null,
    received_at timestamptz not null,
    row_count bigint not null,
    loaded_count bigint not null,
    quarantined_count bigint not null,
    load_id bigint not null references ops.load_run
);
"""

_PAYLOAD_TABLE = """
create table if not exists {table} (
    _pk text primary key,
    _src_updated_at timestamptz,
    _src_version bigint not null,
    _row_hash bytea not null,
    _first_loaded_at timestamptz not null,
    _loaded_at timestamptz not null,
    _seen_at timestamptz not null,
    _load_id bigint not null references ops.load_run,
    _api_version text,
    _deleted_at timestamptz,
    _delete_reason text check (_delete_reason in ('archived', 'deleted', 'merged', 'privacy', 'missing')),
    _merged_into text{extra},
    payload jsonb not null
);
create index if not exists {loaded_at_index} on {table} (_loaded_at);
create table if not exists {log} (
    _pk text not null,
    _load_id bigint not null,
    _loaded_at timestamptz not null,
    _op "char" not null,
    _row_hash bytea not null,
    payload jsonb
) partition by range (_loaded_at);
"""


def payload_tables() -> Iterator[Table]:
    """Every table of the standard shape, in the order of the registry."""
    for source in SOURCES.values():
        for stream in source.streams.values():
            if not stream.table.is_typed:
                yield stream.table


def _payload_table(table: Table) -> sql.Composed:
    extra = sql.SQL("").join(
        sql.SQL(",\n    {} {} not null").format(sql.Identifier(name), sql.SQL(type_name))  # pyright: ignore[reportArgumentType]
        for name, type_name in table.extra
    )
    return sql.SQL(_PAYLOAD_TABLE).format(
        table=table.identifier,
        log=table.log_identifier,
        extra=extra,
        loaded_at_index=sql.Identifier(f"{table.name}_loaded_at"),
    )


def statements() -> list[sql.Composed]:
    """All DDL in the order it has to run."""
    fixed = [sql.SQL(text).format() for text in (_OPS, _USAGE_EVENTS, _USAGE_ROWS, _FILES)]
    return [fixed[0], *(_payload_table(table) for table in payload_tables()), *fixed[1:]]


def ensure(db: psycopg.Connection) -> bool:
    """Create what is missing in raw_* and ops. Returns False when the warehouse was up to date already.

    `db` must be role loader's and outside a transaction. Raises ExtractError when the schemas are not there.
    """
    ddl = [statement.as_string(db) for statement in statements()]
    digest = "extract " + hashlib.blake2b("".join(ddl).encode(), digest_size=16).hexdigest()
    if _digest(db) == digest:
        return False
    with db.transaction():
        db.execute("select pg_advisory_xact_lock(%s)", (DDL_LOCK,))
        if _digest(db) == digest:
            return False
        present = {row[0] for row in db.execute("select nspname from pg_namespace").fetchall()}
        wanted = {"ops"} | {stream.table.schema for source in SOURCES.values() for stream in source.streams.values()}
        if missing := sorted(wanted - present):
            raise ExtractError(
                f"The warehouse has no schema {', '.join(missing)}; prepare its roles and schemas, then run again."
            )
        db.execute("set local client_min_messages = warning")
        for statement in ddl:
            db.execute(statement.encode())
        comment = sql.SQL("comment on table ops.load_run is {}").format(sql.Literal(digest))
        db.execute(comment)
    return True


def _digest(db: psycopg.Connection) -> str | None:
    row = db.execute("select obj_description(to_regclass('ops.load_run'), 'pg_class')").fetchone()
    return row[0] if row else None
