"""Is this container's service well? Asked from inside, by the engine, every few seconds: so it imports little.

Each check asks the service itself for something that only a working one can answer.
"""

import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_PATHS = {
    "api": ("API_PORT", "8000", "/health"),
    "streamlit": ("STREAMLIT_PORT", "8501", "/_stcore/health"),
    "dagster": ("", "3000", "/server_info"),
    "dagster-control": ("", "3000", "/server_info"),
}
_HEARTBEAT_SECONDS = 180  # daemons write every 30 s
_DAEMONS = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")
_BACKUP_HOURS = 26


def _http(port: str, path: str, *, seen_as: str = "") -> str | None:
    """Ask our own port; `seen_as` is the address that browsers use, whose path and host the service insists on."""
    public = urlsplit(seen_as)
    address = f"http://127.0.0.1:{port}{public.path.rstrip('/')}{path}"
    request = urllib.request.Request(address, headers={"Host": public.netloc} if public.netloc else {})
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310 - our own port
            return None if answer.status == 200 else f"{address} answers {answer.status}"
    except (OSError, urllib.error.URLError) as error:
        return f"{address} does not answer: {error}"


def _code_server() -> str | None:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel("127.0.0.1:4266") as channel:
        try:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=4)
        except grpc.RpcError as error:
            return f"the code server does not answer: {error}"
    return None if answer.status == health_pb2.HealthCheckResponse.SERVING else "the code server does not serve yet"


def _daemon() -> str | None:
    import psycopg

    from deploy.environment import SecretMissing, with_secrets

    try:
        address = with_secrets(os.environ)["DAGSTER_PG_URL"].replace("+psycopg2", "")
        with psycopg.connect(address, connect_timeout=4) as storage:
            rows = storage.execute(
                "select daemon_type, extract(epoch from now() at time zone 'UTC' - timestamp) from daemon_heartbeats"
            ).fetchall()
    except (SecretMissing, psycopg.Error) as error:
        return f"the orchestrator's storage can not be asked: {error}"
    age = {name: float(seconds) for name, seconds in rows}
    silent = [name for name in _DAEMONS if age.get(name, float("inf")) > _HEARTBEAT_SECONDS]
    return f"no heartbeat of {', '.join(silent)}" if silent else None


def _backup() -> str | None:
    newest = max(
        (place.stat().st_mtime for place in Path(os.environ["BACKUP_FOLDER"]).glob("*/manifest.json")), default=0
    )
    if not newest:
        return "there is no backup yet"
    hours = (time.time() - newest) / 3600
    return f"the newest backup is {hours:.0f} hours old" if hours > _BACKUP_HOURS else None


def problem(service: str) -> str | None:
    """What is wrong with the service in this container; None when it is well."""
    if service in _PATHS:
        variable, default, path = _PATHS[service]
        seen_as = os.environ.get("STREAMLIT_URL", "") if service == "streamlit" else ""
        return _http(os.environ.get(variable, default), path, seen_as=seen_as)
    return {"dagster-code": _code_server, "dagster-daemon": _daemon, "backup": _backup}[service]()
