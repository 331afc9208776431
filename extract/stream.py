"""What a stream is: a table, a key, a change clock, and readers that yield chunks of records.

A reader is a generator. Between two chunks the loader has committed the first one, together with the state the
reader put on it; a reader that is killed is therefore always continued from a chunk border. Readers never write.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

import psycopg
from psycopg import sql

from extract.errors import ExtractError

Kind = Literal["incremental", "full_scan"]
Json = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A raw table. `volatile` members are stored but not hashed; `extra` are typed columns beside the standard ones.

    `is_typed` tables have a shape of their own and no payload; schema.py knows them by name.
    """

    schema: str
    name: str
    volatile: frozenset[str] = frozenset()
    extra: tuple[tuple[str, str], ...] = ()
    is_typed: bool = False

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def log_identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, f"{self.name}__log")


@dataclass(frozen=True, slots=True)
class Record:
    """One object of a source.

    `version` orders two versions of one key (larger is newer); None means "as new as what is stored". A tombstone
    says that the key ended: the stored payload stays, `payload` is the evidence and goes to the change log (it is
    stored only for a key never seen before).
    """

    pk: str
    payload: Mapping[str, Any]
    version: int | None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    delete_reason: str | None = None
    merged_into: str | None = None
    is_tombstone: bool = False
    extra: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that cannot be keyed or stored, with its bytes and the reason in a code and in words."""

    reason_code: str
    reason: str
    raw: bytes
    pk_guess: str | None = None


@dataclass(frozen=True)
class State:
    """Where a stream's next incremental run starts: the source's own cursor, and a watermark on its change clock."""

    cursor: Json | None = None
    watermark: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self.cursor is None and self.watermark is None


@dataclass
class Counts:
    """Records of one chunk or of one run; `read` is always the sum of the other five."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    quarantined: int = 0

    def add(self, other: "Counts") -> None:
        self.read += other.read
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.stale += other.stale
        self.quarantined += other.quarantined

    @property
    def is_balanced(self) -> bool:
        return self.read == self.inserted + self.updated + self.unchanged + self.stale + self.quarantined


@dataclass(frozen=True)
class Transaction:
    """The open transaction of one chunk, for writes that belong into it."""

    cursor: psycopg.Cursor
    load_id: int
    loaded_at: datetime


@dataclass(frozen=True)
class Written:
    """What a typed table's own writer did; `state` replaces the chunk's when it is only known after the COPY."""

    counts: Counts
    byte_count: int = 0
    state: State | None = None


@dataclass
class Chunk:
    """Records that are committed together, and the state that holds once they are.

    `state` None leaves the stored state alone. `write` loads a typed table instead of `records`; `also` writes
    further rows of the same source into the same transaction.
    """

    records: list[Record] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    state: State | None = None
    window_from: datetime | None = None
    window_to: datetime | None = None
    write: Callable[[Transaction], Written] | None = None
    also: Callable[[Transaction, Counts], None] | None = None


@dataclass
class HttpEntry:
    """One request as it goes to ops.http_log; `path` carries no secret."""

    at: datetime
    method: str
    path: str
    status: int | None
    request_id: str | None
    milliseconds: int
    byte_count: int
    attempt: int
    error: str | None = None


@dataclass
class Journal:
    """What a run notes on the way: requests not yet logged, the source's clock, sentences for a person, and the types
    that the source itself declares for its fields (path to type)."""

    entries: list[HttpEntry] = field(default_factory=list)
    declared: dict[str, str] = field(default_factory=dict)
    source_now: datetime | None = None
    warnings: list[str] = field(default_factory=list)

    def saw_clock(self, at: datetime) -> None:
        """The source's clock said `at`. The first answer counts: it stands beside `started_at` and bounds windows."""
        if self.source_now is None:
            self.source_now = at

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def drain(self) -> list[HttpEntry]:
        entries, self.entries = self.entries, []
        return entries


class SourceClient(Protocol):
    """An open source. `for_run` gives the view one run uses: it writes that run's journal."""

    def for_run(self, journal: Journal) -> "SourceClient": ...

    def close(self) -> None: ...


ClientT = TypeVar("ClientT")


@dataclass
class Run(Generic[ClientT]):
    """Everything a reader may look at.

    `db` is the warehouse connection of this run, in autocommit between chunks. `started_at` is the warehouse's clock,
    `source_now` the source's own.
    """

    kind: Kind
    state: State
    client: ClientT
    db: psycopg.Connection
    table: Table
    started_at: datetime
    journal: Journal

    @property
    def source_now(self) -> datetime:
        """The source's clock. Raises ExtractError when the source has not said anything yet."""
        if self.journal.source_now is None:
            raise ExtractError("The source has not told its clock yet.")
        return self.journal.source_now


Reader = Callable[[Run[Any]], Iterator[Chunk]]


@dataclass(frozen=True)
class Stream:
    """One raw table and how it is read. `after` names streams of the same source whose rows this one builds on.

    A stream without `full_scan` has nothing to reconcile: its full scan is an incremental run.
    """

    name: str
    table: Table
    incremental: Reader
    full_scan: Reader | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A source system: its streams in the order they are run, and how to open it.

    `open` reads the settings of this source from the environment; it connects to nothing yet. `workers` streams are
    read at once when the whole source is run.
    """

    name: str
    title: str
    streams: Mapping[str, Stream]
    open: Callable[[], SourceClient]
    workers: int = 1


def from_milliseconds(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


def to_milliseconds(at: datetime) -> int:
    """Exact: float timestamps lose the last millisecond now and then."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def parse_time(text: str | None) -> datetime | None:
    """ISO-8601 with zone, or None for anything else: raw data loads as it came."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
