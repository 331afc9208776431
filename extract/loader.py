"""One transaction per chunk: data, change log, state, quarantine and audit become visible together or not at all.

    lock the stream; compare its state with what the reader started from; COPY into a temporary table; judge each row
    against what is stored; upsert; log; tombstone; write the state; write the audit row; commit

Killed anywhere, the warehouse is at a chunk border. A row is written only when its content changed (no-op guard) and
only by a version that is not older than the stored one (stale guard), so that re-reading an overlap costs nothing
and a replayed page cannot turn back the clock.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from extract.drift import Drift
from extract.encode import Row, to_rows
from extract.errors import SourceRejected, StreamBusy
from extract.partitions import ensure_month
from extract.stream import Chunk, Counts, HttpEntry, Journal, Quarantined, State, Table, Transaction, Written

# A run that quarantines more than this stops before the commit: that is a broken source, not a few broken records.
MAX_QUARANTINED_ROWS = 100
MAX_QUARANTINED_RATIO = 0.01

_STAGE = """
create temporary table if not exists {stage} (
    _n int, _pk text, _src_updated_at timestamptz, _src_version bigint, _row_hash bytea, _deleted_at timestamptz,
    _delete_reason text, _merged_into text, _is_tombstone boolean, payload jsonb{extra}
) on commit delete rows
"""

_JUDGED = """
create temporary table if not exists judged (_n int, verdict "char") on commit delete rows
"""

# i inserted, u updated, n unchanged, s stale. Of several versions of one key in a chunk the newest is judged against
# the table; the others are unchanged when they equal it and stale when they do not.
_JUDGE = """
insert into judged (_n, verdict)
select
    s._n,
    case
        when s.place > 1 then case when s._row_hash = s.winning_hash then 'n' else 's' end
        when t._pk is null then 'i'
        when (s._is_tombstone or s._row_hash = t._row_hash)
            and (s._deleted_at is null) = (t._deleted_at is null)
            and s._delete_reason is not distinct from t._delete_reason
            and s._merged_into is not distinct from t._merged_into then 'n'
        when s._src_version < t._src_version then 's'
        else 'u'
    end::"char"
from (
    select *,
        row_number() over newest as place,
        first_value(_row_hash) over newest as winning_hash
    from {stage}
    window newest as (partition by _pk order by _src_version desc nulls first, _n desc)
) as s
left join {table} as t using (_pk)
"""

_UPSERT = """
insert into {table} as t (
    _pk, _src_updated_at, _src_version, _row_hash, _first_loaded_at, _loaded_at, _seen_at, _load_id, _api_version,
    _deleted_at, _delete_reason, _merged_into, payload{extra_names}
)
select
    s._pk, s._src_updated_at, coalesce(s._src_version, 0), s._row_hash, %(at)s, %(at)s, %(at)s, %(load_id)s,
    %(api_version)s, s._deleted_at, s._delete_reason, s._merged_into, s.payload{extra_staged}
from {stage} as s
join judged as j using (_n)
where j.verdict = 'i' or (j.verdict = 'u' and not s._is_tombstone)
on conflict (_pk) do update set
    _src_updated_at = coalesce(excluded._src_updated_at, t._src_updated_at),
    _src_version = greatest(t._src_version, excluded._src_version),
    _row_hash = excluded._row_hash,
    _loaded_at = excluded._loaded_at,
    _seen_at = excluded._seen_at,
    _load_id = excluded._load_id,
    _api_version = excluded._api_version,
    _deleted_at = excluded._deleted_at,
    _delete_reason = excluded._delete_reason,
    _merged_into = excluded._merged_into,
    payload = excluded.payload{extra_set}
where t._src_version <= excluded._src_version or excluded._src_version = 0
"""

_TOMBSTONE = """
update {table} as t set
    _src_version = greatest(t._src_version, coalesce(s._src_version, 0)),
    _loaded_at = %(at)s,
    _load_id = %(load_id)s,
    _deleted_at = s._deleted_at,
    _delete_reason = s._delete_reason,
    _merged_into = s._merged_into
from {stage} as s
join judged as j using (_n)
where t._pk = s._pk and j.verdict = 'u' and s._is_tombstone
"""

_LOG = """
insert into {log} (_pk, _load_id, _loaded_at, _op, _row_hash, payload)
select
    s._pk, %(load_id)s, %(at)s,
    case when s._deleted_at is not null then 'D' when j.verdict = 'i' then 'I' else 'U' end::"char",
    s._row_hash, s.payload
from {stage} as s
join judged as j using (_n)
where j.verdict in ('i', 'u')
"""

_SEEN = """
update {table} as t set _seen_at = %(at)s
from {stage} as s
join judged as j using (_n)
where t._pk = s._pk and j.verdict in ('n', 's') and t._seen_at < %(at)s
"""


@dataclass(frozen=True)
class ChunkReport:
    """What one committed chunk did; `total` is the run so far, this chunk included."""

    number: int
    counts: Counts
    total: Counts
    seconds: float


@dataclass
class Loader:
    """Loads the chunks of one run of one stream. `db` is in autocommit and holds the stream's advisory lock.

    `marks_seen` is true for full scans: only they say when a row was last returned by the source.
    """

    db: psycopg.Connection
    source: str
    stream: str
    table: Table
    load_id: int
    state: State
    journal: Journal
    api_version: str | None = None
    marks_seen: bool = False
    total: Counts = field(default_factory=Counts)
    chunk_number: int = 0
    request_count: int = 0

    def __post_init__(self) -> None:
        self.drift = Drift(self.source, self.stream)
        self.drift.read_known(self.db)
        stage = f"stage_{self.table.schema}_{self.table.name}"[:60]
        names = [sql.Identifier(name) for name, _ in self.table.extra]
        comma = sql.SQL(", ")
        self._parts: dict[str, sql.Composable] = {
            "table": self.table.identifier,
            "log": self.table.log_identifier,
            "stage": sql.Identifier(stage),
            "extra": sql.SQL("").join(
                sql.SQL(", {} {}").format(sql.Identifier(name), sql.SQL(kind))  # pyright: ignore[reportArgumentType]
                for name, kind in self.table.extra
            ),
            "extra_names": sql.SQL("").join([comma + name for name in names]),
            "extra_staged": sql.SQL("").join([comma + sql.SQL("s.") + name for name in names]),
            "extra_set": sql.SQL("").join([comma + name + sql.SQL(" = excluded.") + name for name in names]),
        }
        self.db.execute(_JUDGED)
        if not self.table.is_typed:
            self.db.execute(sql.SQL(_STAGE).format(**self._parts))

    def load(self, chunk: Chunk) -> ChunkReport:
        """Commit `chunk`. Raises StreamBusy when somebody else moved the state, SourceRejected above the limit of
        quarantined records; in both cases nothing of the chunk is written."""
        started = time.perf_counter()
        rows, refused = to_rows(chunk.records, self.table.volatile)
        for record in chunk.records:
            if not record.is_tombstone:
                self.drift.observe(record.payload)
        for path, type_name in self.journal.declared.items():
            self.drift.note(path, type_name, sample=type_name)
        quarantined = [*chunk.quarantined, *refused]
        entries = list(self.journal.entries)
        with self.db.transaction(), self.db.cursor() as cursor:
            at = self._open(cursor)
            transaction = Transaction(cursor, self.load_id, at)
            written = chunk.write(transaction) if chunk.write else Written(self._write(transaction, rows))
            counts = written.counts
            counts.quarantined += len(quarantined)
            counts.read += len(quarantined)
            byte_count = written.byte_count or sum(len(row.text) for row in rows)
            self._check_quarantine(counts)
            self._quarantine(transaction, quarantined)
            if chunk.also:
                chunk.also(transaction, counts)
            self.drift.write(cursor, self.load_id)
            state = written.state or chunk.state or self.state
            self._move_state(transaction, state)
            self._write_http_log(cursor, entries)
            seconds = time.perf_counter() - started
            if counts.read or chunk.also:
                self.chunk_number += 1
                self._audit(transaction, chunk, counts, byte_count, entries, seconds)
        self.drift.committed()
        del self.journal.entries[: len(entries)]
        self.request_count += len(entries)
        self.state = state
        self.total.add(counts)
        return ChunkReport(self.chunk_number, counts, self.total, seconds)

    def flush_http_log(self) -> None:
        """Log the requests made since the last chunk, in a transaction of their own (a failed run's last words)."""
        entries = self.journal.drain()
        self.request_count += len(entries)
        if entries:
            with self.db.transaction(), self.db.cursor() as cursor:
                self._write_http_log(cursor, entries)

    def _open(self, cursor: psycopg.Cursor) -> datetime:
        """Lock the table against a concurrent chunk, check that the state is ours, return the transaction's time."""
        cursor.execute(
            "select pg_advisory_xact_lock(hashtext('chunk'), hashtext(%s)), now()",
            (f"{self.table.schema}.{self.table.name}",),
        )
        at = (cursor.fetchone() or (None, datetime.now(UTC)))[1]
        found = cursor.execute(
            "select cursor, watermark from ops.stream_state where source = %s and stream = %s for update",
            (self.source, self.stream),
        ).fetchone()
        stored = State(*found) if found else State()
        if stored != self.state:
            raise StreamBusy(
                f"{self.source}.{self.stream} was moved on by another run while this one was reading; "
                "nothing of this chunk was written. Run it again."
            )
        return at

    def _write(self, transaction: Transaction, rows: list[Row]) -> Counts:
        if not rows:
            return Counts()
        cursor = transaction.cursor
        parts = self._parts
        names = ["_n", "_pk", "_src_updated_at", "_src_version", "_row_hash", "_deleted_at", "_delete_reason"]
        names += ["_merged_into", "_is_tombstone", "payload", *(name for name, _ in self.table.extra)]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(parts["stage"], columns)) as copy:
            for number, row in enumerate(rows):
                copy.write_row(
                    (number, row.pk, row.updated_at, row.version, row.row_hash, row.deleted_at, row.delete_reason,
                     row.merged_into, row.is_tombstone, row.text, *row.extra)
                )  # fmt: skip
        cursor.execute(sql.SQL(_JUDGE).format(**parts))
        verdicts: dict[str, int] = dict(
            cursor.execute("select verdict::text, count(*) from judged group by verdict").fetchall()
        )
        values = {"at": transaction.loaded_at, "load_id": self.load_id, "api_version": self.api_version}
        if verdicts.get("i") or verdicts.get("u"):
            ensure_month(
                cursor,
                self.table.log_identifier,
                self.table.schema,
                f"{self.table.name}__log",
                transaction.loaded_at.astimezone(UTC),
            )
            cursor.execute(sql.SQL(_UPSERT).format(**parts), values)
            if any(row.is_tombstone for row in rows):
                cursor.execute(sql.SQL(_TOMBSTONE).format(**parts), values)
            cursor.execute(sql.SQL(_LOG).format(**parts), values)
        if self.marks_seen:
            cursor.execute(sql.SQL(_SEEN).format(**parts), values)
        return Counts(
            read=len(rows),
            inserted=verdicts.get("i", 0),
            updated=verdicts.get("u", 0),
            unchanged=verdicts.get("n", 0),
            stale=verdicts.get("s", 0),
        )

    def _check_quarantine(self, counts: Counts) -> None:
        quarantined = self.total.quarantined + counts.quarantined
        read = self.total.read + counts.read
        if quarantined > max(MAX_QUARANTINED_ROWS, MAX_QUARANTINED_RATIO * read):
            raise SourceRejected(
                f"{self.source}.{self.stream}: {quarantined} of {read} records cannot be keyed or stored; that is more "
                "than a few odd records, so the chunk was not written. Look at the source before running again."
            )

    def _quarantine(self, transaction: Transaction, quarantined: list[Quarantined]) -> None:
        if quarantined:
            transaction.cursor.executemany(
                "insert into ops.quarantine (load_id, source, stream, pk_guess, reason_code, reason, raw, raw_digest,"
                " received_at) values (%s, %s, %s, %s, %s, %s, %s, sha256(%s), %s) on conflict do nothing",
                [
                    (self.load_id, self.source, self.stream, bad.pk_guess, bad.reason_code, bad.reason, bad.raw,
                     bad.raw, transaction.loaded_at)
                    for bad in quarantined
                ],
            )  # fmt: skip

    def _move_state(self, transaction: Transaction, state: State) -> None:
        if state == self.state:
            return
        transaction.cursor.execute(
            "insert into ops.stream_state (source, stream, cursor, watermark, updated_at, load_id)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (source, stream) do update set cursor = excluded.cursor,"
            " watermark = excluded.watermark, updated_at = excluded.updated_at, load_id = excluded.load_id",
            (
                self.source,
                self.stream,
                None if state.cursor is None else Jsonb(state.cursor),
                state.watermark,
                transaction.loaded_at,
                self.load_id,
            ),
        )

    def _audit(
        self,
        transaction: Transaction,
        chunk: Chunk,
        counts: Counts,
        byte_count: int,
        entries: list[HttpEntry],
        seconds: float,
    ) -> None:
        transaction.cursor.execute(
            "insert into ops.load_chunk values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                self.load_id, self.chunk_number, transaction.loaded_at, counts.read, counts.inserted, counts.updated,
                counts.unchanged, counts.stale, counts.quarantined, byte_count, len(entries),
                sum(entry.status == 429 for entry in entries), seconds, chunk.window_from, chunk.window_to,
            ),
        )  # fmt: skip

    def _write_http_log(self, cursor: psycopg.Cursor, entries: list[HttpEntry]) -> None:
        if not entries:
            return
        with cursor.copy(
            "copy ops.http_log (at, load_id, source, method, path, status, request_id, milliseconds, bytes, attempt,"
            " error) from stdin"
        ) as copy:
            for entry in entries:
                copy.write_row(
                    (entry.at, self.load_id, self.source, entry.method, entry.path, entry.status, entry.request_id,
                     entry.milliseconds, entry.byte_count, entry.attempt, entry.error)
                )  # fmt: skip
