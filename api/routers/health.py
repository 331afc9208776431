"""/health: is the process alive, does it reach the database and the cache, how old are the figures. No versions."""

from dataclasses import asdict
from functools import lru_cache
from typing import Literal

from fastapi import APIRouter
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from api.deps import Anybody, DbOutOfTurn
from api.models.health import Health, Published
from app.errors import MartUnavailable
from app.marts import version
from app.settings import get_settings

router = APIRouter(tags=["health"])


@lru_cache(maxsize=4)
def _redis(url: str) -> Redis:
    # Its own client: a probe must ask Redis itself, not the breaker that protects readers from it.
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.3, retry=Retry(NoBackoff(), 0))


def _cache() -> Literal["up", "down", "off"]:
    url = get_settings().redis_url
    if url is None:
        return "off"
    try:
        _redis(url.get_secret_value()).ping()
    except RedisError:
        return "down"
    return "up"


@router.get("/health", dependencies=[Anybody])
def health(db: DbOutOfTurn) -> Health:
    """200 while figures can be served; 503 when the database does not answer."""
    try:
        published = Published(**asdict(version.published(db)))
    except MartUnavailable:
        published = None
    cache = _cache()
    return Health(status="degraded" if cache == "down" else "ok", database="up", cache=cache, publication=published)
