"""`python -m deploy.health SERVICE`: is this container's service well? 0 and silence, or 1 and what is wrong.

The engine asks in every container all the time, so each check imports as little as it can (the whole of `deploy` costs
half a second), and asks the service itself for something that only a working one can answer.
"""

import os
import sys
import time
from http.client import HTTPConnection, HTTPException
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
    place = f"{public.path.rstrip('/')}{path}"
    asking = HTTPConnection("127.0.0.1", int(port), timeout=10)
    try:
        asking.request("GET", place, headers={"Host": public.netloc} if public.netloc else {})
        status = asking.getresponse().status
    except (OSError, HTTPException) as error:
        return f"port {port} does not answer: {error}"
    finally:
        asking.close()
    return None if status == 200 else f"{place} on port {port} answers {status}"


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


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1]))
