"""Reads shared by all processes through Redis; without Redis the same answers, only slower.

Keys hold the published build and the role that may see the value: a new build is a new key, so there is nothing to
invalidate, and nobody reads what was computed for somebody who may see more. What a user can write is never cached.
Values are JSON, checked against their type on the way out: the default pickle would let whoever writes to Redis run
code.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar

from dogpile.cache import CacheRegion, make_region, register_backend
from dogpile.cache.api import NO_VALUE, CantDeserializeException
from dogpile.cache.backends.redis import RedisBackend
from dogpile.cache.proxy import ProxyBackend
from pydantic import TypeAdapter, ValidationError
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.settings import get_settings

Value = TypeVar("Value")

REST_SECONDS = 5.0  # after a failure Redis is left alone for so long: a slow one would cost each read its time-outs


@dataclass(slots=True)
class CacheStatistics:
    """Counts of this process since it started."""

    asked: int = 0
    created: int = 0
    redis_failures: int = 0
    bad_values: int = 0


_statistics = CacheStatistics()


def statistics() -> CacheStatistics:
    """A copy of this process's counts."""
    return CacheStatistics(**asdict(_statistics))


class Breaker:
    """Whether Redis is worth asking."""

    def __init__(self) -> None:
        self._rest_until = 0.0

    def is_closed(self) -> bool:
        return time.monotonic() >= self._rest_until

    def failed(self) -> None:
        _statistics.redis_failures += 1
        self._rest_until = time.monotonic() + REST_SECONDS


class _Mutex:
    """The distributed lock, or, when Redis fails, no lock: two processes computing the same is only slower."""

    def __init__(self, lock: Any, breaker: Breaker) -> None:
        self._lock = lock
        self._breaker = breaker
        self._is_held = False

    def acquire(self, wait: bool = True) -> bool:
        if not self._breaker.is_closed():
            return True
        try:
            self._is_held = bool(self._lock.acquire(wait))
        except RedisError:
            self._breaker.failed()
            return True
        return self._is_held

    def release(self) -> None:
        if not self._is_held:
            return
        self._is_held = False
        try:
            self._lock.release()
        except RedisError:
            # it expired while the value was computed: the next one may already hold it
            return

    def locked(self) -> bool:
        return self._is_held


def _is_ours(value: bytes) -> bool:
    """Whether dogpile's own header is there; without it, reading the value would raise far from here."""
    head, separator, _ = value.partition(b"|")
    try:
        metadata = json.loads(head)
    except ValueError:
        return False
    return bool(separator) and isinstance(metadata, dict) and isinstance(metadata.get("ct"), float) and "v" in metadata


class Backend(RedisBackend):
    """dogpile's own, but for a command that redis-py calls deprecated."""

    def set_serialized(self, key: str, value: Any) -> None:
        self.writer_client.set(key, value, ex=self.redis_expiration_time or None)


register_backend("app.cache.redis", "app.cache", "Backend")


class Degrade(ProxyBackend):
    """Turns every failure of Redis into a miss, and every value that is not ours into a deleted one."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.breaker = Breaker()

    def _ask(self, ask: Callable[[], Any], otherwise: Any = None) -> Any:
        if not self.breaker.is_closed():
            return otherwise
        try:
            return ask()
        except RedisError:
            self.breaker.failed()
            return otherwise

    def get_serialized(self, key: str) -> Any:
        try:
            value = self.proxied.get_serialized(key) if self.breaker.is_closed() else NO_VALUE
        except RedisError as error:
            if "WRONGTYPE" not in str(error):
                self.breaker.failed()
                return NO_VALUE
            value = b""
        if value is NO_VALUE or (isinstance(value, bytes) and _is_ours(value)):
            return value
        _statistics.bad_values += 1
        self.delete(key)
        return NO_VALUE

    def set_serialized(self, key: str, value: Any) -> None:
        self._ask(lambda: self.proxied.set_serialized(key, value))

    def delete(self, key: str) -> None:
        self._ask(lambda: self.proxied.delete(key))

    def get_mutex(self, key: str) -> Any:
        return _Mutex(self.proxied.get_mutex(key), self.breaker)


def _load(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        _statistics.bad_values += 1
        raise CantDeserializeException from None


def _mangle(key: str) -> str:
    return "account-intelligence:" + blake2b(key.encode(), digest_size=20).hexdigest()


def make_cache(url: str | None, *, seconds: int) -> CacheRegion:
    """A cache over the Redis at `url`; with None nothing is kept."""
    if url is None:
        return make_region().configure("dogpile.cache.null")
    return make_region(
        key_mangler=_mangle, serializer=lambda value: json.dumps(value).encode(), deserializer=_load
    ).configure(
        "app.cache.redis",
        expiration_time=seconds,
        wrap=[Degrade],
        arguments={
            "url": url,
            "socket_timeout": 0.5,
            "distributed_lock": True,
            "thread_local_lock": False,
            "lock_timeout": 10,
            "redis_expiration_time": 2 * seconds,
            # redis-py retries by default: 3 s for every call while the server is gone
            "connection_kwargs": {"retry": Retry(NoBackoff(), 0), "socket_connect_timeout": 0.3},
        },
    )


@lru_cache
def region() -> CacheRegion:
    """The cache of this process, from REDIS_URL and CACHE_SECONDS."""
    settings = get_settings()
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    return make_cache(url, seconds=settings.cache_seconds)


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind)


def cache_key(name: str, *, build_id: int, scope: str, arguments: Mapping[str, Any]) -> str:
    """What a value is kept under, before it is shortened to a hash."""
    return json.dumps([name, build_id, scope, dict(arguments)], sort_keys=True, default=str)


def remember(
    name: str,
    *,
    build_id: int,
    scope: str,
    arguments: Mapping[str, Any],
    kind: type[Value],
    create: Callable[[], Value],
    on: CacheRegion | None = None,
) -> Value:
    """The value of `create`, computed once for all processes while its build is published.

    `name` and `arguments` say what it is, `scope` (the role) who may see it, `kind` its type, e.g. `list[Account]`.
    A kept value that is of another key or does not fit its type is deleted, counted and made anew. Failures of Redis
    are misses; those of `create` pass.
    """
    cache = on or region()
    adapter = _adapter(kind)
    made: list[Value] = []

    def creator() -> Any:
        _statistics.created += 1
        made.append(create())
        return {"key": key, "value": adapter.dump_python(made[-1], mode="json")}

    _statistics.asked += 1
    key = cache_key(name, build_id=build_id, scope=scope, arguments=arguments)
    kept = cache.get_or_create(key, creator)
    if made:
        return made[-1]
    try:
        # a value says what it is of: one that lies under the key of another role is not given to that role
        if isinstance(kept, dict) and kept.get("key") == key:
            return adapter.validate_python(kept.get("value"))
    except ValidationError:
        pass
    _statistics.bad_values += 1
    cache.delete(key)
    fresh = creator()
    cache.set(key, fresh)
    return made[-1]
