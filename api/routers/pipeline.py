"""/pipeline: how fresh the figures are, by source and stream."""

from dataclasses import asdict

from fastapi import APIRouter

from api.deps import Db, Reader
from api.models.health import Published
from api.models.pipeline import Pipeline
from app import clock
from app.errors import MartUnavailable
from app.marts import sources, version
from app.marts.sources import Freshness

router = APIRouter(tags=["pipeline"])


@router.get("/pipeline")
def pipeline(identity: Reader, db: Db) -> Pipeline:
    """When the figures were built, up to which day they reach, how fresh each source is, and how each load ended."""
    now = clock.real_now()
    try:
        streams = sources.freshness(db)
        publication = Published(**asdict(version.published(db)))
    except MartUnavailable:
        return Pipeline(asked_at=now, state=Freshness.STALE, publication=None, sources=[], streams=[])
    by_source = sources.by_source(streams, now=now)
    states = [sources.state_at(publication.published_at, now=now), *(one.state for one in by_source)]
    return Pipeline(
        asked_at=now,
        state=sources.worst(states),
        publication=publication,
        sources=by_source,
        streams=streams,
    )
