"""The answer of /health."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel


class Published(BaseModel):
    """The build that readers see. `as_of_date` is the last complete day in it."""

    build_id: int
    published_at: datetime
    as_of_date: date


class Health(BaseModel):
    """`status` is degraded without the cache: slower, same answers. `publication` is null before the first build."""

    status: Literal["ok", "degraded"]
    database: Literal["up"]
    cache: Literal["up", "down", "off"]
    publication: Published | None
