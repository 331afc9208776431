"""Source streams → raw tables: one asset per stream, one step per source.

A step per source, because streams of a source share its rate limit and its sign-in, and because the unit a person
thinks in after an outage is "Zendesk was down". Streams that ended well in an attempt are kept: the next attempt of
the step reads the others only.
"""

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from extract.errors import ExtractError
from extract.run import LoadResult, run_source
from extract.sources import SOURCES
from extract.stream import Source, Stream
from orchestration import pools
from orchestration.failures import failure, is_transient, retry_or_fail, sentence
from orchestration.resources import Loading, RunLease
from orchestration.translators import raw_key


class LoadKind(Enum):
    """How a stream is read: what its change clock says is new, or everything."""

    INCREMENTAL = "incremental"
    FULL_SCAN = "full_scan"


class Load(dg.Config):
    """How a load step reads its streams."""

    kind: LoadKind = LoadKind.INCREMENTAL


def key_of(stream: Stream) -> dg.AssetKey:
    """Asset key of the table a stream fills."""
    return raw_key(stream.table.schema, stream.table.name)


def raw_keys() -> list[dg.AssetKey]:
    """Every raw table that an extractor fills."""
    return [key_of(stream) for source in SOURCES.values() for stream in source.streams.values()]


def step_of(source: Source) -> str:
    """Name of the step that loads a source."""
    return f"load_{source.name}"


def steps() -> list[str]:
    """The load steps, in the order of the registry."""
    return [step_of(source) for source in SOURCES.values()]


@dataclass
class Attempt:
    """One attempt at some streams of a source, told as it goes; `errors` is complete when the iteration is over."""

    source: Source
    streams: Sequence[str]
    kind: LoadKind
    dsn: str
    errors: dict[str, Exception] = field(default_factory=dict)
    _ended: "queue.Queue[LoadResult | None]" = field(default_factory=queue.Queue)

    def results(self) -> Iterator[LoadResult]:
        """Streams that ended well, as they end. Raises nothing: what went wrong is in `errors`."""
        # run_source returns when all have ended; in a thread of its own, the run page fills meanwhile.
        worker = threading.Thread(target=self._work, name=step_of(self.source))
        worker.start()
        while (result := self._ended.get()) is not None:
            yield result
        worker.join()

    def _work(self) -> None:
        try:
            run_source(
                self.source.name, streams=self.streams, kind=self.kind.value, dsn=self.dsn, on_stream=self._heard
            )
        except Exception as error:
            if not self.errors:  # else it is the first of those we have heard of
                self.errors[self.source.title] = error
        finally:
            self._ended.put(None)

    def _heard(self, stream: str, outcome: LoadResult | ExtractError) -> None:
        if isinstance(outcome, LoadResult):
            self._ended.put(outcome)
        else:
            self.errors[stream] = outcome


def judge(errors: Mapping[str, Exception], *, step: str, attempt: dg.AssetExecutionContext) -> None:
    """Raise what the step has to raise: Failure when one error is permanent, RetryRequested when all may pass."""
    if not errors:
        return
    stream, first = next(
        ((name, one) for name, one in errors.items() if not is_transient(one)), next(iter(errors.items()))
    )
    told = {name: sentence(error) for name, error in errors.items()}
    for name, said in told.items():
        attempt.log.error("%s: %s", name, said)
    if is_transient(first):
        raise retry_or_fail(first, step=step, attempt=attempt) from first
    others = f" (also not loaded: {', '.join(name for name in errors if name != stream)})" if len(errors) > 1 else ""
    raise failure(step, f"{stream}: {told[stream]}{others}", metadata=told) from first


def as_metadata(result: LoadResult) -> dict[str, Any]:
    """What a load did, for the asset's page. `source_now` is how far the data reaches, by the source's clock."""
    return {
        "rows_loaded": result.inserted + result.updated,
        "rows_read": result.read,
        "rows_inserted": result.inserted,
        "rows_updated": result.updated,
        "rows_quarantined": result.quarantined,
        "duration_seconds": round(result.seconds, 3),
        "source_now": result.source_now.isoformat() if result.source_now else None,
        "request_count": result.requests,
        "load_id": result.load_id,
        "kind": result.kind,
        "warnings": " ".join(result.warnings) or None,
    }


def _kept(context: dg.AssetExecutionContext) -> set[dg.AssetKey]:
    """Tables that an earlier attempt of this step in this run has loaded."""
    if context.retry_number == 0:
        return set()
    log = context.instance.all_logs(context.run.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    return {event.asset_materialization.asset_key for event in log if event.asset_materialization}


def _spec(source: Source, stream: Stream) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(stream),
        group_name=stream.table.schema,
        description=f"{stream.name} of {source.title} as it came: one row per object, newest version.",
        kinds={"python", "postgres"},
        skippable=True,
    )


def load_assets(source: Source) -> dg.AssetsDefinition:
    """The raw tables of one source, loaded by one step. Single streams can be chosen in the interface."""
    by_key = {key_of(stream): stream for stream in source.streams.values()}
    step = step_of(source)

    @dg.multi_asset(
        name=step,
        specs=[_spec(source, stream) for stream in source.streams.values()],
        can_subset=True,
        pool=pools.WAREHOUSE,
    )
    def load(
        context: dg.AssetExecutionContext, config: Load, loading: Loading, lease: RunLease
    ) -> Iterator[dg.MaterializeResult]:
        wanted = context.selected_asset_keys - _kept(context)
        attempt = Attempt(
            source,
            [stream.name for key, stream in by_key.items() if key in wanted],
            config.kind,
            loading.dsn,
        )
        for result in attempt.results():
            known = {name: value for name, value in as_metadata(result).items() if value is not None}
            yield dg.MaterializeResult(asset_key=key_of(source.streams[result.stream]), metadata=known)
        judge(attempt.errors, step=step, attempt=context)

    return load


def definitions() -> dg.Definitions:
    """The load steps of all sources in the registry."""
    return dg.Definitions(assets=[load_assets(source) for source in SOURCES.values()])
