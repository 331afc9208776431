"""How often somebody may ask the API, counted for all processes together in Redis; without Redis nobody is held up.

The window slides: as many in any minute, not twice as many around its turn. Attempts to sign in are another matter and
are counted in PostgreSQL (`app.throttle`), which is never skipped.
"""

import math
import time
from functools import lru_cache

from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.cache import Breaker
from app.errors import TooManyRequests
from app.settings import get_settings


class RateLimits:
    """The counters in the Redis at `url`; with None nothing is counted."""

    def __init__(self, url: str | None) -> None:
        self._breaker = Breaker()
        self._counters = None
        if url is not None:
            store = RedisStorage(
                url,
                key_prefix="account-intelligence-limits",
                socket_timeout=0.5,
                socket_connect_timeout=0.3,
                retry=Retry(NoBackoff(), 0),  # pyright: ignore[reportArgumentType]  # passed on to redis-py as it is
            )
            self._counters = SlidingWindowCounterRateLimiter(store)

    def count(self, what: str, whose: str, *, per_minute: int) -> None:
        """One more request of a kind by somebody. Raises TooManyRequests for one that is over `per_minute`."""
        if self._counters is None or not self._breaker.is_closed():
            return
        limit = RateLimitItemPerMinute(per_minute)
        try:
            if self._counters.hit(limit, what, whose):
                return
            again_at = self._counters.get_window_stats(limit, what, whose).reset_time
        except RedisError:
            self._breaker.failed()
            return
        raise TooManyRequests(per_minute, retry_after_seconds=max(1, math.ceil(again_at - time.time())))


@lru_cache
def rate_limits() -> RateLimits:
    """The counters of this process, from REDIS_URL."""
    url = get_settings().redis_url
    return RateLimits(url.get_secret_value() if url else None)
