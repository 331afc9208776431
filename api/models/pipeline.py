"""The answer of /pipeline."""

from pydantic import BaseModel

from api.models.health import Published
from app.marts.sources import StreamFreshness


class Pipeline(BaseModel):
    """The build that readers see, null before the first, and the newest load of every stream, by source and stream."""

    publication: Published | None
    streams: list[StreamFreshness]
