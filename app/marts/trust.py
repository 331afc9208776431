"""Whether the figures may be relied on: what came in from every stream, what was refused at the door, what changed its
shape, and the builds that were published.

Sources: ops.load_run and ops.load_chunk (one row per load and per chunk of it), ops.quarantine (one row per refused
record), ops.schema_drift (one row per field and type first seen), marts.publications, marts.figure_checks (one row per
figure that was counted again).
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from app.db import reading_mart
from app.marts.sources import NEWEST_RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLoad:
    """The newest run of a stream, and what its newest good one brought: records read, and of those new or changed.

    `refused` counts the records that still wait in quarantine, of all loads.
    """

    source: str
    stream: str
    status: str
    started_at: datetime
    error_message: str | None
    good_ended_at: datetime | None
    seconds: float | None
    read: int
    changed: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Records of a stream that were refused for one reason and wait to be mended; `example` is the newest one's."""

    source: str
    stream: str
    reason_code: str
    count: int
    newest_at: datetime
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeChange:
    """A field whose type is another than before; `old_type` is what it was."""

    source: str
    stream: str
    path: str
    old_type: str
    new_type: str
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One published build; `restored_build_id` is the earlier one that it put back, and that holds newer ones up while
    it is the newest."""

    build_id: int
    published_at: datetime
    as_of_date: date
    restored_build_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A published figure that came out different when it was counted again; values as text."""

    mart: str
    key: list[str]
    figure: str
    published: str | None
    recounted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """The newest second count: of which build, by which seed, how many figures were the same, how many had rows that
    changed since, and all that differ."""

    build_id: int
    checked_at: datetime
    seed: str
    same_count: int
    moved_count: int
    different: list[Mismatch]


_LOADS = text(
    f"""
    with {NEWEST_RUNS},

    brought as (
        select good.source, good.stream, sum(chunks.read) as read, sum(chunks.inserted + chunks.updated) as changed
        from good
        join ops.load_chunk as chunks on chunks.load_id = good.load_id
        group by good.source, good.stream
    ),

    refused as (
        select source, stream, count(*) as refused
        from ops.quarantine
        where resolved_at is null
        group by source, stream
    )

    select
        n.source, n.stream, n.status, n.started_at, n.error_message, g.good_ended_at,
        cast(extract(epoch from g.good_ended_at - g.good_started_at) as double precision) as seconds,
        cast(coalesce(b.read, 0) as bigint) as read,
        cast(coalesce(b.changed, 0) as bigint) as changed,
        coalesce(r.refused, 0) as refused
    from newest as n
    left join good as g using (source, stream)
    left join brought as b using (source, stream)
    left join refused as r using (source, stream)
    order by n.source, n.stream
    """  # noqa: S608 -- our own text
)

_REFUSED = text(
    """
    select
        source, stream, reason_code, count(*) as count, max(received_at) as newest_at,
        (array_agg(reason order by received_at desc, id desc))[1] as example
    from ops.quarantine
    where resolved_at is null
    group by source, stream, reason_code
    order by newest_at desc, source, stream, reason_code
    limit :limit
    """
)

_SHAPES = text(
    """
    select source, stream, path, old_type, new_type, first_seen
    from ops.schema_drift
    where old_type is not null
    order by first_seen desc, source, stream, path
    limit :limit
    """
)

_BUILDS = text(
    "select build_id, published_at, as_of_date, restored_build_id from marts.publications"
    " order by build_id desc limit :limit"
)


_RECOUNT = text(
    """
    select build_id, checked_at, seed, mart, key, figure, published, recounted, verdict
    from marts.figure_checks
    where (seed, checked_at) = (select seed, checked_at from marts.figure_checks order by check_id desc limit 1)
    order by check_id
    """
)


def recount(db: Connection) -> Recount | None:
    """The newest second count, None before the first."""
    with reading_mart("figure_checks"):
        rows = db.execute(_RECOUNT).all()
    if not rows:
        return None
    different = [
        Mismatch(mart=row.mart, key=row.key, figure=row.figure, published=row.published, recounted=row.recounted)
        for row in rows
        if row.verdict == "differs"
    ]
    verdicts = [row.verdict for row in rows]
    return Recount(
        build_id=rows[0].build_id,
        checked_at=rows[0].checked_at,
        seed=rows[0].seed,
        same_count=verdicts.count("same"),
        moved_count=verdicts.count("moved"),
        different=different,
    )


def loads(db: Connection) -> list[StreamLoad]:
    """One row per stream that was ever loaded, by source and stream. Raises MartUnavailable before the first load."""
    with reading_mart("ops.load_run"):
        return [StreamLoad(**row._mapping) for row in db.execute(_LOADS)]


def refused(db: Connection, *, limit: int = 200) -> list[Refused]:
    """What waits in quarantine, newest first. Raises MartUnavailable before the first load."""
    with reading_mart("ops.quarantine"):
        return [Refused(**row._mapping) for row in db.execute(_REFUSED, {"limit": limit})]


def shape_changes(db: Connection, *, limit: int = 200) -> list[ShapeChange]:
    """Fields that changed their type, newest first. Raises MartUnavailable before the first load."""
    with reading_mart("ops.schema_drift"):
        return [ShapeChange(**row._mapping) for row in db.execute(_SHAPES, {"limit": limit})]


def builds(db: Connection, *, limit: int = 14) -> list[Build]:
    """Published builds, newest first; none before the first."""
    with reading_mart("publications"):
        return [Build(**row._mapping) for row in db.execute(_BUILDS, {"limit": limit})]
