"""How fresh and how sure: the last loads of every source against its promise, and which source record became which
account.

Source: ops.load_run, one row per load of a stream; marts.bridge_account_sources, one row per source record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Protocol

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.marts import reading

# what every source is promised to be loaded within, and when it counts as given up; dbt's sources declare the same
PROMISED_WITHIN = timedelta(hours=26)
STALE_AFTER = timedelta(hours=72)


class Freshness(StrEnum):
    """Within the promise, past it, or so far past it that the figures should not be relied on."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class StreamFreshness:
    """The newest run and the newest good run of one stream. `source_now` is the source's own clock at the good run."""

    source: str
    stream: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    error_class: str | None
    error_message: str | None
    good_ended_at: datetime | None
    source_now: datetime | None


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """One source: the newest good load of its stream that is furthest behind, None when one never had any."""

    source: str
    loaded_at: datetime | None
    promised_within_minutes: int
    state: Freshness


@dataclass(frozen=True, slots=True)
class SourceLink:
    """One record of a source and the account it was linked to, by which rule, how surely (0 to 1)."""

    account_key: str | None
    source: str
    source_id: str
    source_name: str | None
    rule: str | None
    confidence: float | None
    is_linked: bool


# the newest run of every stream, and the newest good one; `trust` asks the same before it counts what that brought
NEWEST_RUNS = """
    newest as (
        select distinct on (source, stream)
            source, stream, status, started_at, ended_at, error_class, error_message
        from ops.load_run
        order by source, stream, load_id desc
    ),

    good as (
        select distinct on (source, stream)
            source, stream, load_id, started_at as good_started_at, ended_at as good_ended_at, source_now
        from ops.load_run
        where status in ('succeeded', 'warned')
        order by source, stream, load_id desc
    )
"""

_FRESHNESS = text(
    f"""
    with {NEWEST_RUNS}

    select
        n.source, n.stream, n.status, n.started_at, n.ended_at, n.error_class, n.error_message,
        g.good_ended_at, g.source_now
    from newest as n
    left join good as g on g.source = n.source and g.stream = n.stream
    order by n.source, n.stream
    """  # noqa: S608 -- our own text
)


def freshness(db: Connection) -> list[StreamFreshness]:
    """One row per stream that was ever loaded, by source and stream. Raises MartUnavailable before the first load."""
    with reading_mart("ops.load_run"):
        return [StreamFreshness(*row) for row in db.execute(_FRESHNESS)]


def state_at(moment: datetime | None, *, now: datetime) -> Freshness:
    """How fresh is what was loaded, or published, at `moment`; both real time. What never was is stale."""
    if moment is None or now - moment > STALE_AFTER:
        return Freshness.STALE
    return Freshness.LATE if now - moment > PROMISED_WITHIN else Freshness.FRESH


def complete_until(streams: Iterable[StreamFreshness]) -> dict[str, date]:
    """The last complete day of every source, by the clock it had at its last good load; of its stream that is furthest
    behind. A source that never had a good load is absent."""
    days: dict[str, date] = {}
    for stream in streams:
        if stream.source_now is not None:
            day = stream.source_now.astimezone(UTC).date() - timedelta(days=1)
            days[stream.source] = min(day, days.get(stream.source, day))
    return days


class LoadedStream(Protocol):
    """What is asked of a stream to tell how fresh its source is."""

    @property
    def source(self) -> str: ...
    @property
    def good_ended_at(self) -> datetime | None: ...


def by_source(streams: Iterable[LoadedStream], *, now: datetime) -> list[SourceFreshness]:
    """One row per source, by its name. A source is no fresher than its stream that is furthest behind."""
    found = []
    for source, rows in groupby(sorted(streams, key=lambda one: one.source), key=lambda one: one.source):
        good = [row.good_ended_at for row in rows]
        loaded_at = None if None in good else min(moment for moment in good if moment)
        minutes = int(PROMISED_WITHIN.total_seconds() // 60)
        found.append(SourceFreshness(source, loaded_at, minutes, state_at(loaded_at, now=now)))
    return found


def worst(states: Sequence[Freshness]) -> Freshness:
    """What may be said of all of them together; of nothing, that it is stale."""
    return max(states, key=list(Freshness).index, default=Freshness.STALE)


def links(db: Connection, account_key: str | None, *, limit: int = 500) -> list[SourceLink]:
    """Source records of an account; with None those that belong to no account. Raises MartUnavailable."""
    columns = reading.mart("bridge_account_sources", SourceLink).c
    wanted = reading.query("bridge_account_sources", SourceLink)
    wanted = wanted.where(columns.account_key == account_key if account_key is not None else ~columns.is_linked)
    wanted = wanted.order_by(columns.source, columns.source_name, columns.source_id).limit(limit)
    return reading.rows(db, "bridge_account_sources", SourceLink, wanted)
