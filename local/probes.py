"""Is a service up? Asked of the service itself, over its own port, never of a pid file."""

import json
import socket
from collections.abc import Callable

import httpx
import psycopg
import redis

Probe = Callable[[], bool]

_LOCATIONS = "{workspaceOrError{...on Workspace{locationEntries{locationOrLoadError{__typename}}}}}"
_DAEMONS = "{instance{daemonHealth{allDaemonStatuses{required healthy}}}}"


def listens(port: int) -> bool:
    """Whether somebody accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def http_ok(url: str) -> Probe:
    """Up when GET `url` answers 200."""

    def probe() -> bool:
        try:
            return httpx.get(url, timeout=3.0).status_code == 200
        except httpx.HTTPError:
            return False

    return probe


def _graphql(dagster_url: str, query: str) -> dict:
    answer = httpx.post(f"{dagster_url}/graphql", json={"query": query}, timeout=5.0)
    return answer.json()["data"]


def dagster_location_loaded(dagster_url: str) -> Probe:
    """Up when the webserver sees the code server and every definition loaded."""

    def probe() -> bool:
        try:
            entries = _graphql(dagster_url, _LOCATIONS)["workspaceOrError"]["locationEntries"]
        except (httpx.HTTPError, KeyError, TypeError, json.JSONDecodeError):
            return False
        loaded = [entry["locationOrLoadError"] for entry in entries]
        return bool(loaded) and all(one and one["__typename"] == "RepositoryLocation" for one in loaded)

    return probe


def dagster_daemons_healthy(dagster_url: str) -> Probe:
    """Up when every required daemon has sent its heartbeat."""

    def probe() -> bool:
        try:
            statuses = _graphql(dagster_url, _DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        except (httpx.HTTPError, KeyError, TypeError, json.JSONDecodeError):
            return False
        return bool(statuses) and all(one["healthy"] for one in statuses if one["required"])

    return probe


def postgres_answers(dsn: str) -> Probe:
    """Up when a connection can be made."""

    def probe() -> bool:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return probe


def redis_answers(url: str) -> Probe:
    """Up when a PING is answered."""

    def probe() -> bool:
        try:
            return bool(redis.Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5).ping())
        except redis.RedisError:
            return False

    return probe
