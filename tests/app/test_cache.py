"""The cache in front of the marts: right with Redis, and right without it."""

import json
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from time import perf_counter, sleep

import pytest
import redis
from dogpile.cache import CacheRegion
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import cache
from app.cache import cache_key, make_cache, remember, statistics
from app.marts import cached
from app.settings import get_settings
from local.postgres import free_port
from tests.app.factories import NOW, Estate, key_of


@dataclass(frozen=True)
class Row:
    name: str
    day: date
    amount: float | None


ROWS = [Row("a", date(2026, 11, 19), 1.5), Row("b", date(2026, 11, 20), None)]


class Counter:
    """A creator that counts its calls."""

    def __init__(self, value: list[Row] | None = None, seconds: float = 0.0) -> None:
        self.calls = 0
        self.value = ROWS if value is None else value
        self.seconds = seconds

    def __call__(self) -> list[Row]:
        self.calls += 1
        sleep(self.seconds)
        return self.value


def ask(
    region: CacheRegion, create: Counter, *, name: str = "rows", build_id: int = 1, scope: str = "csm"
) -> list[Row]:
    return remember(name, build_id=build_id, scope=scope, arguments={"x": 1}, kind=list[Row], create=create, on=region)


@pytest.fixture
def region(redis_url: str) -> CacheRegion:
    client(redis_url).flushall()
    return make_cache(redis_url, seconds=60)


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


def stored_key(*, name: str = "rows", build_id: int = 1, scope: str = "csm") -> str:
    return cache._mangle(cache_key(name, build_id=build_id, scope=scope, arguments={"x": 1}))


def ours(value: object) -> bytes:
    """A value as it lies in Redis under its own key."""
    key = cache_key("rows", build_id=1, scope="csm", arguments={"x": 1})
    return b'{"ct": 99999999999.0, "v": 2}|' + json.dumps({"key": key, "value": value}).encode()


def test_what_these_tests_put_into_redis_is_as_the_cache_puts_it(region: CacheRegion, redis_url: str) -> None:
    client(redis_url).set(stored_key(), ours([{"name": "kept", "day": "2026-11-19", "amount": 1}]))

    assert ask(region, Counter()) == [Row("kept", date(2026, 11, 19), 1.0)]


def test_a_value_is_made_once_and_comes_back_as_what_it_was(region: CacheRegion) -> None:
    create = Counter()

    assert [ask(region, create) for _ in range(3)] == [ROWS, ROWS, ROWS]
    assert create.calls == 1


def test_another_build_or_another_role_is_another_value(region: CacheRegion) -> None:
    create = Counter()

    for build_id, scope in ((1, "csm"), (2, "csm"), (1, "admin")):
        ask(region, create, build_id=build_id, scope=scope)

    assert create.calls == 3


def test_values_are_json_with_a_time_to_live(region: CacheRegion, redis_url: str) -> None:
    ask(region, Counter())

    raw = client(redis_url).get(stored_key())
    assert isinstance(raw, bytes)
    assert json.loads(raw.split(b"|", 1)[1])["value"][0] == {"name": "a", "day": "2026-11-19", "amount": 1.5}
    remaining = client(redis_url).ttl(stored_key())
    assert isinstance(remaining, int)
    assert 0 < remaining <= 120


def test_many_who_ask_at_once_make_it_once(region: CacheRegion) -> None:
    create = Counter(seconds=0.2)

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda _: ask(region, create), range(8)))

    assert answers == [ROWS] * 8
    assert create.calls == 1


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"garbage",
        pickle.dumps(ROWS),
        b"{}|[]",
        b'{"ct": 1.5}|[]',
        b"[1]|[]",
        b'{"ct": 99999999999.0, "v": 2}|not json',
        b'{"ct": 99999999999.0, "v": 2}|{"name": 1}',
        b'{"ct": 99999999999.0, "v": 2}|[{"name": "a", "day": "2026-11-19", "amount": 1}]',
        ours([{"name": "a", "day": "yesterday", "amount": 1}]),
        b'{"ct": 99999999999.0, "v": 2}|[{"nam',
        b'{"ct": "x", "v": 2}|[]',
        b'{"ct": 99999999999.0, "v": 2}|' + pickle.dumps(ROWS),
        ours([{"name": "a", "amount": 1.5}]),  # of a version before `day`
        ours({"rows": [], "next": None}),  # of a version after this one
    ],
)
def test_f04_a_poisoned_value_is_replaced_counted_and_never_shown(
    region: CacheRegion, redis_url: str, poison: bytes
) -> None:
    client(redis_url).set(stored_key(), poison)
    before = statistics().bad_values
    create = Counter()

    assert ask(region, create) == ROWS
    assert ask(region, create) == ROWS

    assert create.calls == 1
    assert statistics().bad_values > before
    assert client(redis_url).get(stored_key()) != poison


def test_f04_a_value_of_another_kind_of_key_is_replaced(region: CacheRegion, redis_url: str) -> None:
    client(redis_url).lpush(stored_key(), "a list")
    create = Counter()

    assert ask(region, create) == ROWS
    assert ask(region, create) == ROWS
    assert create.calls == 1


class Payload:
    """What pickle would carry out on the way in."""

    carried_out = False

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return (_carry_out, ())


def _carry_out() -> None:
    Payload.carried_out = True


@pytest.mark.parametrize("head", [b"", b'{"ct": 99999999999.0, "v": 2}|'], ids=["bare", "behind our header"])
def test_f04_pickle_in_redis_is_never_carried_out(region: CacheRegion, redis_url: str, head: bytes) -> None:
    client(redis_url).set(stored_key(), head + pickle.dumps(Payload()))

    assert ask(region, Counter()) == ROWS
    assert not Payload.carried_out


def test_f04_what_stands_under_another_roles_key_is_not_given(region: CacheRegion, redis_url: str) -> None:
    everything = Counter([*ROWS, Row("secret", date(2026, 11, 21), 9.0)])
    ask(region, everything, scope="admin")
    stolen = client(redis_url).get(stored_key(scope="admin"))
    assert isinstance(stolen, bytes)
    client(redis_url).set(stored_key(scope="csm"), stolen)
    before = statistics().bad_values

    assert ask(region, Counter(), scope="csm") == ROWS
    assert statistics().bad_values == before + 1


@pytest.fixture
def full_redis(redis_url: str) -> Iterator[str]:
    """The Redis of this run with no room for another value."""
    server = client(redis_url)
    server.flushall()
    kept = server.config_get("maxmemory*")
    server.config_set("maxmemory-policy", "noeviction")
    server.config_set("maxmemory", 1)
    yield redis_url
    for name in ("maxmemory", "maxmemory-policy"):
        server.config_set(name, kept[name])  # pyright: ignore[reportIndexIssue, reportArgumentType]


def test_f04_a_full_redis_costs_nothing_but_the_work(full_redis: str) -> None:
    region = make_cache(full_redis, seconds=60)
    create = Counter()
    before = statistics().redis_failures

    began = perf_counter()
    answers = [ask(region, create) for _ in range(20)]
    seconds = perf_counter() - began

    assert answers == [ROWS] * 20
    assert create.calls == 20
    assert seconds < 1.0
    assert statistics().redis_failures == before + 1


def test_f04_without_redis_the_answers_are_right_and_the_wait_is_short() -> None:
    gone = make_cache(f"redis://:x@127.0.0.1:{free_port()}/0", seconds=60)
    create = Counter()
    before = statistics().redis_failures

    began = perf_counter()
    answers = [ask(gone, create) for _ in range(50)]
    seconds = perf_counter() - began

    assert answers == [ROWS] * 50
    assert create.calls == 50
    assert seconds < 1.0
    assert statistics().redis_failures == before + 1


def test_f04_a_redis_that_answers_nothing_is_left_alone_for_a_while() -> None:
    import socket

    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(50)
    region = make_cache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", seconds=60)

    began = perf_counter()
    answers = [ask(region, Counter()) for _ in range(20)]
    seconds = perf_counter() - began
    silent.close()

    assert answers == [ROWS] * 20
    assert seconds < 2.0


def test_f04_redis_is_used_again_after_a_rest(region: CacheRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "REST_SECONDS", 0.05)
    create = Counter()
    wrapped = region.backend
    while not isinstance(wrapped, cache.Degrade):
        wrapped = wrapped.proxied  # pyright: ignore[reportAttributeAccessIssue]
    wrapped.breaker.failed()
    ask(region, create)
    sleep(0.06)

    ask(region, create)
    ask(region, create)

    assert create.calls == 2


def test_a_creator_that_fails_keeps_nothing_and_blocks_nobody(region: CacheRegion) -> None:
    class Broken(Exception):
        pass

    def broken() -> list[Row]:
        raise Broken

    with pytest.raises(Broken):
        remember("rows", build_id=1, scope="csm", arguments={"x": 1}, kind=list[Row], create=broken, on=region)

    began = perf_counter()
    assert ask(region, Counter()) == ROWS
    assert perf_counter() - began < 1.0


def test_no_redis_address_means_no_cache() -> None:
    create = Counter()
    nothing = make_cache(None, seconds=60)

    assert [ask(nothing, create) for _ in range(2)] == [ROWS, ROWS]
    assert create.calls == 2


def test_a_new_build_is_seen_at_once_through_the_cache(
    estate: Estate, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(redis_url).flushall()
    monkeypatch.setenv("REDIS_URL", redis_url)
    get_settings.cache_clear()
    cache.region.cache_clear()
    estate.account()
    estate.publish()

    with estate.work() as db:
        first = cached.portfolio(db, scope="csm", today=NOW.date())
        estate.set("dim_accounts", key_of("Ashford Media"), account_name="Renamed")
        again = cached.portfolio(db, scope="csm", today=NOW.date())
        estate.publish()
        after = cached.portfolio(db, scope="csm", today=NOW.date())
        one = cached.account(db, key_of("Ashford Media"), scope="csm", today=NOW.date())
        none = cached.account(db, "nothing", scope="csm", today=NOW.date())
    cache.region.cache_clear()

    assert first == again
    assert [account.account_name for account in after] == ["Renamed"]
    assert one == after[0]
    assert none is None
