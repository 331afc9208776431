"""Usage events: over a million rows at first, so they go from COPY to COPY without becoming Python objects.

A chunk is a window of `ingested_at`, [from, to); its length follows the volume, so that a chunk stays near
`ROWS_WANTED` rows. Events are immutable: a key that is there already is unchanged. The table is partitioned by month
of `occurred_at`, and partitions are made when the first event of a month arrives.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from extract.partitions import ensure_month
from extract.sources.product_database import Product, upper_bound
from extract.stream import Chunk, Counts, Run, State, Stream, Table, Transaction, Written

OVERLAP = timedelta(minutes=10)
ROWS_WANTED = 100_000
DAYS_COMPARED = 7
TABLE = Table("raw_product", "usage_events", is_typed=True)
_PARENT = sql.Identifier("raw_product", "usage_events")

_COLUMNS = sql.SQL(
    "event_id, tenant_id, user_id, event_name, feature, occurred_at, ingested_at, duration_ms, properties"
)

_STAGE = """
create temporary table if not exists stage_usage_events (
    event_id bigint, tenant_id bigint, user_id bigint, event_name text, feature text, occurred_at timestamptz,
    ingested_at timestamptz, duration_ms int, properties jsonb
) on commit delete rows
"""

_COPY_OUT = """
copy (
    select event_id::bigint, tenant_id::bigint, user_id::bigint, event_name::text, feature::text, occurred_at,
        ingested_at, duration_ms::int, properties::jsonb
    from usage_events where ingested_at >= {lower} and ingested_at < {upper}
) to stdout (format binary)
"""

_INSERT = """
insert into raw_product.usage_events ({columns}, _load_id, _loaded_at)
select {columns}, %s, %s from stage_usage_events
on conflict (event_id, occurred_at) do nothing
"""


def read_events(run: Run[Product]) -> Iterator[Chunk]:
    """Windows from the watermark (less the overlap) to the upper bound. The watermark is the newest `ingested_at`
    seen, so that a run that finds nothing new leaves no trace."""
    with run.client.snapshot() as db:
        upper = upper_bound(db, run.journal)
        watermark = run.state.watermark
        lower = watermark - OVERLAP if watermark else _oldest(db)
        if lower is None:
            return
        length = timedelta(days=7)
        while lower < upper:
            until = min(lower + length, upper)
            counted = _Counted()
            yield _window(run.client, lower, until, watermark, counted, moves_state=True)
            watermark = max(filter(None, (watermark, counted.newest)), default=None)
            length = _next_length(until - lower, counted.rows)
            lower = until


def compare_days(run: Run[Product]) -> Iterator[Chunk]:
    """The full reader: the last seven days' counts on both sides, and the days that differ once more."""
    with run.client.snapshot() as db:
        upper = upper_bound(db, run.journal)
        start = upper.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS_COMPARED)
        query = sql.SQL(
            "select date_trunc('day', ingested_at, 'UTC'), count(*) from {}"
            " where ingested_at >= %s and ingested_at < %s group by 1"
        )
        theirs = dict(db.execute(query.format(sql.Identifier("usage_events")), (start, upper)).fetchall())
        ours = dict(run.db.execute(query.format(_PARENT), (start, upper)).fetchall())
        for day in sorted(day for day in theirs if theirs[day] != ours.get(day, 0)):
            until = min(day + timedelta(days=1), upper)
            yield _window(run.client, day, until, None, _Counted(), moves_state=False)
    yield from read_events(run)


class _Counted:
    """What a window turned out to hold, known once its chunk is committed."""

    def __init__(self) -> None:
        self.rows = 0
        self.newest: datetime | None = None


def _window(
    product: Product,
    lower: datetime,
    upper: datetime,
    watermark: datetime | None,
    counted: _Counted,
    *,
    moves_state: bool,
) -> Chunk:
    """The chunk of [lower, upper): source COPY out, warehouse COPY in, one insert that skips known keys."""

    def write(transaction: Transaction) -> Written:
        cursor = transaction.cursor
        cursor.execute(_STAGE)
        byte_count = 0
        out = sql.SQL(_COPY_OUT).format(lower=sql.Literal(lower), upper=sql.Literal(upper))
        into = sql.SQL("copy stage_usage_events ({}) from stdin (format binary)").format(_COLUMNS)
        with cursor.copy(into) as writing:
            for block in product.copied(out):
                writing.write(block)
                byte_count += len(block)
        facts = cursor.execute("select count(*), max(ingested_at) from stage_usage_events").fetchone()
        counted.rows, counted.newest = facts or (0, None)
        months = cursor.execute(
            "select distinct date_trunc('month', occurred_at, 'UTC') from stage_usage_events"
        ).fetchall()
        for (month,) in months:
            ensure_month(cursor, _PARENT, "raw_product", "usage_events", month.astimezone(UTC))
        inserted = 0
        if counted.rows:
            cursor.execute(sql.SQL(_INSERT).format(columns=_COLUMNS), (transaction.load_id, transaction.loaded_at))
            inserted = cursor.rowcount
        counts = Counts(read=counted.rows, inserted=inserted, unchanged=counted.rows - inserted)
        newest = max(filter(None, (watermark, counted.newest)), default=None)
        return Written(counts, byte_count, State(None, newest) if moves_state and newest else None)

    return Chunk(write=write, window_from=lower, window_to=upper)


def _oldest(db: psycopg.Connection) -> datetime | None:
    row = db.execute("select min(ingested_at) from usage_events").fetchone()
    return row[0] if row else None


def _next_length(length: timedelta, rows: int) -> timedelta:
    """At most three times as long as the last window, at least an hour."""
    factor = min(3.0, ROWS_WANTED / rows) if rows else 3.0
    return min(max(length * factor, timedelta(hours=1)), timedelta(days=366))


STREAM = Stream("usage_events", TABLE, read_events, compare_days)
