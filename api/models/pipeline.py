"""The answer of /pipeline."""

from datetime import datetime

from pydantic import BaseModel

from api.models.health import Published
from app.marts.sources import Freshness, SourceFreshness, StreamFreshness


class Pipeline(BaseModel):
    """The build that readers see, null before the first, and the newest load of every stream, by source and stream.

    `sources` measures each source against its promise at `asked_at`, real time; `state` is the worst of them and of the
    publication itself.
    """

    asked_at: datetime
    state: Freshness
    publication: Published | None
    sources: list[SourceFreshness]
    streams: list[StreamFreshness]
