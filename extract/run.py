"""One run of one stream, from the advisory lock to the last line in ops.load_run.

The interface for whoever schedules: `run_stream` for one asset, `run_source` for a source in the order its streams
need. Both create missing tables first, so that the first run of a new warehouse needs no preparation.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

import psycopg
from psycopg.conninfo import conninfo_to_dict

from extract import config
from extract.errors import ExtractError, SourceUnavailable, StreamBusy
from extract.loader import ChunkReport, Loader
from extract.schema import ensure
from extract.sources import SOURCES
from extract.stream import Chunk, Journal, Kind, Run, Source, SourceClient, State, Stream

HTTP_LOG_DAYS = 30


@dataclass(frozen=True)
class LoadResult:
    """What one run did. `read` = inserted + updated + unchanged + stale + quarantined; `status` succeeded | warned."""

    source: str
    stream: str
    kind: Kind
    load_id: int
    status: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    stale: int
    quarantined: int
    chunks: int
    requests: int
    seconds: float
    source_now: datetime | None
    warnings: tuple[str, ...] = ()


OnChunk = Callable[[ChunkReport], None]
OnStream = Callable[[str, LoadResult | ExtractError], None]


def run_stream(
    source: str,
    stream: str,
    *,
    kind: Kind = "incremental",
    dsn: str | None = None,
    on_chunk: OnChunk | None = None,
    client: SourceClient | None = None,
    lock_wait_seconds: float = 5.0,
) -> LoadResult:
    """Read what is new in `source`.`stream` and load it, one transaction per chunk.

    `dsn` is role loader's (default LOADER_DSN); `on_chunk` is called after each commit; `client` an open source to
    share, else one is opened and closed. Raises SourceUnavailable, SourceRejected, TruncatedExtract or StreamBusy
    (another run still holds the stream after `lock_wait_seconds`); committed chunks stay in every case.
    """
    chosen, wanted = find(source, stream)
    opened = client or chosen.open()
    try:
        with _connect(dsn) as db:
            ensure(db)
            with _exclusive(db, f"{source}.{stream}", lock_wait_seconds):
                return _run(db, chosen, wanted, kind, opened, on_chunk)
    finally:
        if client is None:
            opened.close()


def run_source(
    source: str,
    *,
    streams: Sequence[str] | None = None,
    kind: Kind = "incremental",
    dsn: str | None = None,
    on_stream: OnStream | None = None,
) -> list[LoadResult]:
    """Run the streams of `source` (all, or those named), several at once, each after the streams it builds on.

    A stream that fails does not stop the others, only those that build on it. `on_stream` hears of each stream as it
    ends. When all have ended, raises the first error; otherwise returns the results in the order of the registry.
    """
    chosen = _source(source)
    names = [name for name in chosen.streams if streams is None or name in streams]
    for name in streams or ():
        find(source, name)
    client = chosen.open()
    results: dict[str, LoadResult | ExtractError] = {}
    try:
        with _connect(dsn) as db:
            ensure(db)
        with ThreadPoolExecutor(chosen.workers, thread_name_prefix=source) as pool:
            running: dict[Future[LoadResult], str] = {}
            waiting = list(names)
            while waiting or running:
                for name in list(waiting):
                    before = [part for part in chosen.streams[name].after if part in names]
                    if all(part in results for part in before):
                        waiting.remove(name)
                        task = pool.submit(run_stream, source, name, kind=kind, dsn=dsn, client=client)
                        running[task] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for task in done:
                    name = running.pop(task)
                    results[name] = _outcome(task)
                    if on_stream:
                        on_stream(name, results[name])
    finally:
        client.close()
    for outcome in results.values():
        if isinstance(outcome, ExtractError):
            raise outcome
    return [outcome for name in names if isinstance(outcome := results[name], LoadResult)]


def ensure_schema(dsn: str | None = None) -> bool:
    """Create the raw tables and ops where they are missing. False when nothing was missing."""
    with _connect(dsn) as db:
        return ensure(db)


def find(source: str, stream: str) -> tuple[Source, Stream]:
    """The registry's entry. Raises ExtractError naming what there is."""
    chosen = _source(source)
    if stream not in chosen.streams:
        raise ExtractError(f"{source} has no stream {stream!r}; it has {', '.join(chosen.streams)}.")
    return chosen, chosen.streams[stream]


def _source(name: str) -> Source:
    if name not in SOURCES:
        raise ExtractError(f"There is no source {name!r}; there are {', '.join(SOURCES)}.")
    return SOURCES[name]


def _outcome(task: Future[LoadResult]) -> LoadResult | ExtractError:
    try:
        return task.result()
    except ExtractError as error:
        return error


@contextmanager
def _connect(dsn: str | None) -> Iterator[psycopg.Connection]:
    address = dsn or config.read(config.LoaderSettings).dsn.get_secret_value()
    try:
        db = psycopg.connect(address, autocommit=True, application_name="extract", connect_timeout=10)
    except psycopg.OperationalError as error:
        place = conninfo_to_dict(address)
        raise SourceUnavailable(
            f"The warehouse at {place.get('host')}:{place.get('port', 5432)} does not let us in "
            f"({str(error).splitlines()[-1].strip()}). Start it or check LOADER_DSN, then run again."
        ) from error
    try:
        with db:
            db.execute("set timezone = 'UTC'")
            yield db
    except psycopg.OperationalError as error:
        said = (str(error).splitlines() or [type(error).__name__])[0].strip()
        raise SourceUnavailable(f"The warehouse broke off: {said}. What was committed stays; run again.") from error


@contextmanager
def _exclusive(db: psycopg.Connection, name: str, patience_seconds: float) -> Iterator[None]:
    """Hold the stream for this session: two runs of one stream would only undo each other's state.

    Waits a little, because the server may still be ending the session of a run that was killed.
    """
    give_up_at = time.monotonic() + patience_seconds
    while True:
        row = db.execute("select pg_try_advisory_lock(hashtext('extract'), hashtext(%s))", (name,)).fetchone()
        if row and row[0]:
            break
        if time.monotonic() >= give_up_at:
            raise StreamBusy(f"{name} is being loaded by another run; nothing was done. Wait for it to end.")
        time.sleep(0.2)
    try:
        yield
    finally:
        if not db.closed:
            db.execute("select pg_advisory_unlock(hashtext('extract'), hashtext(%s))", (name,))


def _run(
    db: psycopg.Connection,
    source: Source,
    stream: Stream,
    kind: Kind,
    client: SourceClient,
    on_chunk: OnChunk | None,
) -> LoadResult:
    clock = time.perf_counter()
    load_id, started_at = _begin(db, source, stream, kind)
    journal = Journal()
    found = db.execute(
        "select cursor, watermark from ops.stream_state where source = %s and stream = %s", (source.name, stream.name)
    ).fetchone()
    run = Run(kind, State(*found) if found else State(), client, db, stream.table, started_at, journal)
    loader = Loader(db, source.name, stream.name, stream.table, load_id, run.state, journal)
    window: list[datetime] = []
    try:
        bound = client.for_run(journal)
        try:
            run.client = bound
            for chunk in _chunks(run, stream, loader):
                loader.api_version = getattr(bound, "api_version", None)
                report = loader.load(chunk)
                window += [edge for edge in (chunk.window_from, chunk.window_to) if edge]
                if on_chunk:
                    on_chunk(report)
        finally:
            bound.close()
    except BaseException as error:
        _fail(db, loader, load_id, journal, error)
        raise
    loader.flush_http_log()
    if kind == "full_scan":
        db.execute("delete from ops.http_log where source = %s and at < now() - make_interval(days => %s)",
                   (source.name, HTTP_LOG_DAYS))  # fmt: skip
    total = loader.total
    status = "warned" if total.quarantined or journal.warnings else "succeeded"
    db.execute(
        "update ops.load_run set ended_at = clock_timestamp(), status = %s, source_now = %s, window_from = %s,"
        " window_to = %s, error_message = %s where load_id = %s",
        (status, journal.source_now, min(window, default=None), max(window, default=None),
         " ".join(journal.warnings) or None, load_id),
    )  # fmt: skip
    return LoadResult(
        source=source.name, stream=stream.name, kind=kind, load_id=load_id, status=status,
        read=total.read, inserted=total.inserted, updated=total.updated, unchanged=total.unchanged,
        stale=total.stale, quarantined=total.quarantined, chunks=loader.chunk_number,
        requests=loader.request_count, seconds=time.perf_counter() - clock, source_now=journal.source_now,
        warnings=tuple(journal.warnings),
    )  # fmt: skip


def _chunks(run: Run, stream: Stream, loader: Loader) -> Iterator[Chunk]:
    """The reader's chunks. A full scan of a stream never loaded reads it for the first time before it compares."""
    if run.kind == "incremental" or stream.full_scan is None:
        yield from stream.incremental(run)
        return
    if run.state.is_empty:
        yield from stream.incremental(run)
        run.state = loader.state
    loader.marks_seen = True
    yield from stream.full_scan(run)


def _begin(db: psycopg.Connection, source: Source, stream: Stream, kind: Kind) -> tuple[int, datetime]:
    """A new row of ops.load_run. Rows still 'running' belong to runs that were killed: the lock proves it."""
    db.execute(
        "update ops.load_run set status = 'failed', ended_at = now(), error_class = 'Abandoned',"
        " error_message = 'The run was killed; its committed chunks stand.'"
        " where source = %s and stream = %s and status = 'running'",
        (source.name, stream.name),
    )
    row = db.execute(
        "insert into ops.load_run (source, stream, kind, status, code_version, started_at)"
        " values (%s, %s, %s, 'running', %s, clock_timestamp()) returning load_id, started_at",
        (source.name, stream.name, kind, _code_version()),
    ).fetchone()
    assert row is not None  # noqa: S101 - returning always gives the row
    return row


def _fail(db: psycopg.Connection, loader: Loader, load_id: int, journal: Journal, error: BaseException) -> None:
    if db.closed:
        return
    loader.flush_http_log()
    message = " ".join(str(error).split())[:2000]
    db.execute(
        "update ops.load_run set ended_at = clock_timestamp(), status = 'failed', source_now = %s, error_class = %s,"
        " error_message = %s where load_id = %s",
        (journal.source_now, type(error).__name__, message, load_id),
    )


def _code_version() -> str:
    try:
        return version("account-intelligence")
    except PackageNotFoundError:
        return "0.1.0"
