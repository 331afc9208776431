"""/pipeline: how fresh the figures are, by source and stream."""

from dataclasses import asdict

from fastapi import APIRouter

from api.deps import Db, Reader
from api.models.health import Published
from api.models.pipeline import Pipeline
from app.errors import MartUnavailable
from app.marts import sources, version

router = APIRouter(tags=["pipeline"])


@router.get("/pipeline")
def pipeline(identity: Reader, db: Db) -> Pipeline:
    """When the figures were built, up to which day they reach, and how each load before them ended."""
    try:
        streams = sources.freshness(db)
        publication = Published(**asdict(version.published(db)))
    except MartUnavailable:
        return Pipeline(publication=None, streams=[])
    return Pipeline(publication=publication, streams=streams)
